"""Options that several commands share, and the way from their texts to what the library takes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labinterp._catalog import Catalog
from labinterp._inputs import Patient, read_sex
from labinterp._whose import authority_of as authority_of
from labinterp._whose import pairs as pairs
from labinterp.readers import read_age


class To(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"
    hl7v2 = "hl7v2"
    omop = "omop"
    fhir = "fhir"
    html = "html"
    jsonl = "jsonl"
    xlsx = "xlsx"


class From(StrEnum):
    """Forms of input; the same names as `readers.FORMATS`, which a test holds it to."""

    csv = "csv"
    json = "json"
    fhir = "fhir"
    hl7v2 = "hl7v2"
    omop = "omop"
    xlsx = "xlsx"
    parquet = "parquet"
    xpt = "xpt"


class Columns(StrEnum):
    all = "all"
    results = "results"


class ToPlain(StrEnum):
    table = "table"
    json = "json"


LimitsOption = Annotated[
    Path | None, typer.Option("--limits", help="Your own limits: a TOML file or a folder of them, added to the catalog.")
]
AuthorityOption = Annotated[
    list[str] | None,
    typer.Option(
        "--authority", help="Whose limits: nam, vitamin_d/ros-2018, or for one analyte vitamin_d=endocrine-society. May be repeated."
    ),
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="Day whose limits are used, YYYY-MM-DD. Default: the catalog's own day.")]
DecimalOption = Annotated[str | None, typer.Option("--decimal", help="Decimal mark of the source, . or , where 1,060 reads two ways.")]
SexOption = Annotated[str | None, typer.Option("--sex", help="female or male, where the file does not say it.")]
AgeOption = Annotated[str | None, typer.Option("--age", help="Age at sampling: 34, '6 months', where the file does not say it.")]
PregnantOption = Annotated[bool | None, typer.Option("--pregnant/--not-pregnant", help="Where the file does not say it.")]
ResearchOption = Annotated[
    bool, typer.Option("--research", help="Also links that rest on little evidence, where one mild value is all there is.")
]
ToPlainOption = Annotated[ToPlain, typer.Option("--to", help="Form of the output.")]


def catalog_of(limits: Path | None) -> Catalog:
    """The catalog that ships, with a site's own limits where they are given."""
    return Catalog.default() if limits is None else Catalog.default().with_files(limits)


def stated(patient: Patient, sex: str | None, age: str | None, pregnant: bool | None) -> Patient:
    """Facts given on the command line, where the file does not say them."""
    if sex is None and age is None and pregnant is None:
        return patient
    years = patient.age_years if patient.age is not None or age is None else read_age(age)
    return Patient(
        id=patient.id, sex=patient.sex or read_sex(sex), age_years=years, birth_date=patient.birth_date if years is None else None,
        pregnant=patient.pregnant if patient.pregnant is not None else pregnant, contexts=patient.contexts,
    )  # fmt: skip
