"""What may be asked: the options of a request, the body of a conversion, and how OpenAPI describes the forms of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from labinterp._border import PanelModel

_REF = "#/components/schemas/{model}"
_LONGEST = 200  # characters of a name, a unit or a value in an address


class InterpretOptions(BaseModel):
    """Options of `POST /interpret`; one that is not known is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")

    authority: list[str] = Field(
        default=[],
        max_length=50,
        description="Whose limits: `nam`, `vitamin_d/ros-2018`, or for one analyte `vitamin_d=endocrine-society`, which may be repeated.",
    )
    as_of: str | None = Field(
        default=None,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="Day whose limits are used. Default: the catalog's own day, never today.",
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="The decimal mark of the source, where numbers such as 1,060 read two ways."
    )
    research: bool = Field(
        default=False, description="Also links that rest on little evidence, where one mildly abnormal value is all there is."
    )


class Conversion(BaseModel):
    """One value in another unit of its analyte."""

    model_config = ConfigDict(extra="forbid")

    analyte: str = Field(max_length=_LONGEST, description="Id, name or LOINC code: the factor depends on it.", examples=["vitamin_d"])
    value: str = Field(max_length=_LONGEST, description="Value with its unit.", examples=["20 ng/mL"])
    unit: str = Field(max_length=_LONGEST, description="Target unit, in any known spelling.", examples=["nmol/L"])
    decimal: Literal[".", ","] | None = Field(default=None, description="The decimal mark of the source.")


class Nothing(BaseModel):
    """A path without options; one that is sent is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


_ROW = {
    "title": "Row",
    "type": "object",
    "description": (
        "One result with the facts of its person, under the column names of a table. Rows of one person and day are read together. "
        "What cannot be read comes back with its reason; the usual column names of other languages and programs are found, too."
    ),
    "anyOf": [{"required": ["test", "value"]}, {"required": ["loinc", "value"]}],
    "properties": {
        name: {"description": says}
        for name, says in {
            "test": "Name, abbreviation or LOINC code.", "value": "Text or number, with or without its unit.", "unit": "Unit as printed.",
            "loinc": "LOINC code.", "specimen": "Specimen as printed.", "comparator": "<, <=, > or >=.", "patient_id": "Your label of the person.",
            "sex": "female or male.", "age_years": "Age at sampling.", "birth_date": "Day of birth.", "pregnant": "yes or no.",
            "trimester": "1, 2 or 3.", "context": "Declared circumstances.", "collected_at": "Day of sampling.", "ref_low": "Lower end of the laboratory's range.",
            "ref_high": "Its upper end.", "ref_text": "The range as printed.", "flag": "The flag as printed.",
        }.items()
    },
}  # fmt: skip
_FHIR = {
    "title": "FhirResource",
    "type": "object",
    "description": "A FHIR Bundle, Observation or DiagnosticReport with results of laboratory tests. What this version cannot read of it is answered with 422.",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string", "enum": ["Bundle", "Observation", "DiagnosticReport"]}},
}
_NAMES = {
    "title": "NamesAndValues",
    "type": "object",
    "description": 'Results alone, name and value: `{"B12": "210 pg/mL"}`.',
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "not": {"anyOf": [{"required": [name]} for name in ("test", "value")]},
}
EXAMPLE = {
    "patient": {"sex": "female", "age_years": 71},
    "results": [{"test": "25(OH)D", "value": "18", "unit": "ng/mL"}, {"test": "B12", "value": "210", "unit": "pg/mL"}],
}


def results_schemas(contexts: list[str]) -> dict[str, Any]:
    """The JSON schemas of results, by name; `Results` is any of the forms.

    Args:
        contexts: The closed list of declared circumstances.
    """
    panel = TypeAdapter(PanelModel).json_schema(ref_template=_REF)
    parts: dict[str, Any] = panel.pop("$defs")
    person = parts["PatientModel"]["properties"]
    person["contexts"]["items"] = {"type": "string", "enum": contexts}
    person["pregnant"]["anyOf"].append({"type": "integer", "enum": [0, 1]})  # as exports write it
    parts |= {"PanelModel": panel, "Row": _ROW, "FhirResource": _FHIR, "NamesAndValues": _NAMES}
    one, row, fhir, names = ({"$ref": _REF.format(model=name)} for name in ("PanelModel", "Row", "FhirResource", "NamesAndValues"))
    lists: list[dict[str, Any]] = [{"type": "array", "minItems": 1, "items": item} for item in (one, row)]
    lists.append({"type": "array", "minItems": 1, "maxItems": 1, "items": names})
    several = {"type": "object", "required": ["panels"], "properties": {"panels": {"anyOf": lists}}}
    parts["Results"] = {"title": "Results", "anyOf": [one, *lists, several, row, names, fhir], "examples": [EXAMPLE]}
    return parts


def body_of(reference: str, media: tuple[str, ...]) -> Mapping[str, Any]:
    """How OpenAPI describes a body that is read by us, not by the framework."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": {"$ref": _REF.format(model=reference)}} for kind in media}}}
