"""What XML does not tell of an element of FHIR and JSON does: whether it may repeat, is a number or a truth value, or is a primitive.

For the resources that are read: Observation, DiagnosticReport, Patient, Specimen, Bundle, Composition and Parameters, in R4, R4B, R5 and STU3. A test holds these tables
to the models of all of them. Where one version lets an element repeat and another does not, it is a list: the reader takes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from labinterp._formats.fhir_json import exact
from labinterp._lazy import pattern

# Element -> those of its children that may repeat. By name alone: within the resources that are read, a name means one shape.
REPEATING: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(children.split())
    for name, children in {
        "Bundle": "entry link",
        "entry": "link",
        "Composition": "attester author category event identifier note participant relatedArtifact relatesTo section subject useContext",
        "section": "author entry section",
        "Parameters": "parameter",
        "parameter": "part",
        "part": "part",
        "Observation": "basedOn category component derivedFrom focus hasMember identifier interpretation note partOf performer referenceRange related "
        "triggeredBy",
        "component": "interpretation referenceRange",
        "referenceRange": "appliesTo",
        "DiagnosticReport": "basedOn category codedDiagnosis conclusionCode identifier image imagingStudy media note performer presentedForm result "
        "resultsInterpreter specimen study supportingInfo",
        "Specimen": "condition container feature identifier note parent processing request role",
        "container": "identifier",
        "processing": "additive",
        "Patient": "address communication contact generalPractitioner identifier link name photo telecom",
        "contact": "relationship telecom",
        "name": "given prefix suffix",
        "address": "line",
        "meta": "profile security tag",
        "effectiveTiming": "event",
        "repeat": "dayOfWeek timeOfDay when",
        "signature": "type",
    }.items()
}
READ: Final = frozenset(["Bundle", "Composition", "Parameters", "Observation", "DiagnosticReport", "Specimen", "Patient"])
EVERYWHERE: Final = frozenset(["extension", "modifierExtension", "contained", "coding"])  # they may repeat wherever they stand
# Elements that hold a resource.
WRAPPERS: Final = frozenset(["contained", "resource", "outcome", "issues"])
# What is read once: where one of these stands twice, which of the two is meant cannot be told.
_ONCE: Final = frozenset(
    [
        "age",
        "birthDate",
        "code",
        "collection",
        "comparator",
        "context",
        "dataAbsentReason",
        "denominator",
        "display",
        "encounter",
        "end",
        "fullUrl",
        "gender",
        "high",
        "id",
        "identifier",
        "lastUpdated",
        "low",
        "meaning",
        "meta",
        "method",
        "numerator",
        "reference",
        "resource",
        "specimen",
        "start",
        "status",
        "subject",
        "system",
        "target",
        "text",
        "type",
        "unit",
        "url",
    ]
)
_CHOICES: Final = ("value", "effective", "collected")
# Elements that are a Quantity, whose value is a number.
_QUANTITIES: Final = frozenset(
    [
        "low",
        "high",
        "numerator",
        "denominator",
        "origin",
        "valueQuantity",
        "valueAge",
        "valueCount",
        "valueDistance",
        "valueDuration",
        "valueMoney",
        "fastingStatusDuration",
        "duration",
        "quantity",
        "additiveQuantity",
        "capacity",
        "specimenQuantity",
    ]
)
_NUMBERS: Final = frozenset(["valueDecimal", "valueInteger", "valuePositiveInt", "valueUnsignedInt"])
_KINDS: Final = "Base64Binary|Boolean|Canonical|Code|Date|DateTime|Decimal|Id|Instant|Integer|Integer64|Markdown|Oid|PositiveInt|String|Time|UnsignedInt|Uri|Url|Uuid"
_PRIMITIVE: Final = pattern(f"(?:value|effective|collected|deceased|multipleBirth|defaultValue)(?:{_KINDS})")
# Those that are never anything else, so that one without a value is told from an empty object.
_PRIMITIVES: Final = frozenset(
    [
        "active",
        "birthDate",
        "city",
        "comparator",
        "conclusion",
        "country",
        "display",
        "district",
        "end",
        "event",
        "family",
        "fullUrl",
        "gender",
        "given",
        "issued",
        "language",
        "lastUpdated",
        "line",
        "postalCode",
        "prefix",
        "receivedTime",
        "reference",
        "start",
        "state",
        "status",
        "suffix",
        "system",
        "unit",
        "use",
        "value",
        "version",
    ]
)
_NUMBER: Final = pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def may_repeat(parent: str, name: str) -> bool:
    """Whether an element is a list in JSON, even where it stands once.

    Args:
        parent: Name of the element or the resource it stands in.
        name: Its own.

    Example:
        >>> may_repeat("Observation", "component"), may_repeat("Observation", "specimen"), may_repeat("DiagnosticReport", "specimen")
        (True, False, True)
    """
    return name in EVERYWHERE or name in REPEATING.get(parent, ())


def stands_once(name: str) -> bool:
    """Whether an element is one that is read, and that has no second one beside it.

    Example:
        >>> stands_once("valueQuantity"), stands_once("focus")
        (True, False)
    """
    return name in _ONCE or name.startswith(_CHOICES)


def is_primitive(name: str) -> bool:
    """Whether an element without a value attribute would have one: its extensions are beside its value then, and not its parts.

    Example:
        >>> is_primitive("valueString"), is_primitive("valueQuantity")
        (True, False)
    """
    return name in _PRIMITIVES or _PRIMITIVE.fullmatch(name) is not None


def typed(parent: str, name: str, text: str) -> Any:
    """The value of an element as JSON has it: exact numbers, truth values, else the text.

    Args:
        parent: Name of the element it stands in.
        name: Its own.
        text: As printed. What is no number of FHIR stays a text, and is read or refused as one.

    Example:
        >>> typed("valueQuantity", "value", "1.10"), typed("identifier", "value", "007"), typed("Observation", "valueBoolean", "true")
        (Decimal('1.10'), '007', True)
    """
    if (name == "value" and parent in _QUANTITIES) or name in _NUMBERS:
        return _number(text)
    if name == "valueBoolean" and text in ("true", "false"):
        return text == "true"
    return text


def _number(text: str) -> Decimal | int | str:
    bare = text.strip(" \t\r\n")
    return exact(bare) if _NUMBER.fullmatch(bare) else text
