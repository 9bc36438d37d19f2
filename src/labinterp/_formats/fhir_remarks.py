"""What stands around a result of FHIR -> notes on its status and its specimen, and what changes its meaning as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from labinterp._formats.fhir_concepts import worded
from labinterp._formats.fhir_json import Place, dict_of, dicts_of, text_of

MODIFIED: Final = "A modifier that is not known here may change its meaning."
_OF_ANOTHER: Final = "It is about something else than its subject: it has a focus."
_STATUS: Final = {
    "preliminary": "the result is preliminary and may change.",
    "registered": "the result is marked as registered only, and may change.",
    "amended": "the laboratory has changed this result.",
    "corrected": "the laboratory has corrected this result.",
}
_SPECIMEN: Final = {
    "unsatisfactory": "its specimen is marked as unsatisfactory.",
    "entered-in-error": "the record of its specimen was withdrawn: its status is entered-in-error.",
}
_AS_USUAL: Final = ("ROOM", "COOL", "FROZ", "LIVE")  # how a specimen was kept, of HL7's conditions; the others may move a result
_LONGEST: Final = 80


def remarks_of(status: str, drawn_from: Place | None) -> list[str]:
    """What a reader must know of a result that is used.

    Args:
        status: Of the Observation.
        drawn_from: Its Specimen, where it is here.

    Example:
        >>> remarks_of("corrected", None)
        ['the laboratory has corrected this result.']
    """
    said = [_STATUS[status]] if status in _STATUS else []
    if drawn_from is None:
        return said
    state = text_of(drawn_from.resource.get("status")).casefold()
    said += [_SPECIMEN[state]] if state in _SPECIMEN else []
    for condition in dicts_of(drawn_from.resource.get("condition")):
        usual = any(text_of(coding.get("code")) in _AS_USUAL for coding in dicts_of(condition.get("coding")))
        if not usual and worded(condition):
            said.append(f"its specimen is marked: {worded(condition)[:_LONGEST]}.")
    return said


def turned(resource: Mapping[str, Any]) -> str:
    """Why neither an Observation nor its components can be used as the person's, in a sentence; nothing where they can.

    Args:
        resource: The Observation.

    Example:
        >>> turned({"focus": [{"reference": "RelatedPerson/donor"}], "subject": {"reference": "Patient/1"}})
        'It is about something else than its subject: it has a focus.'
    """
    if dicts_of(resource.get("modifierExtension")):
        return MODIFIED
    subject = text_of(dict_of(resource.get("subject")).get("reference"))
    foci = [text_of(one.get("reference")) for one in dicts_of(resource.get("focus"))]
    return _OF_ANOTHER if any(not focus or focus != subject for focus in foci) else ""
