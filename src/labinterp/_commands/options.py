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
from labinterp.errors import InputError
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


READING, PERSON, WHOSE, ROWS = "How the file is read", "The person, where the file does not say it", "Whose limits", "Row by row"
FromOption = Annotated[
    From | None,
    typer.Option(
        "--from", metavar="FORM", rich_help_panel=READING, help=f"{', '.join(From)}. Default: recognised by its content.",
    ),
]  # fmt: skip
ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=NAME", rich_help_panel=READING, help="Role and column, such as value=RESULT. May be repeated."),
]
UnitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--unit", metavar="TEST=UNIT", rich_help_panel=READING,
        help="Test or column and its unit, where the file does not say it: ferritin=ug/L. May be repeated.",
    ),
]  # fmt: skip
DelimiterOption = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="MARK", rich_help_panel=READING, help="Between cells. Default: found in the header line."),
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", rich_help_panel=READING, help="Of a text, such as cp1252. Default: found.")
]
StrictOption = Annotated[bool, typer.Option("--strict", metavar="", help="End with code 2 when a row could not be assessed.")]
LimitsOption = Annotated[
    Path | None,
    typer.Option(
        "--limits", metavar="PATH", rich_help_panel=WHOSE, help="Your own limits: a TOML file or a folder of them, added to the catalog."
    ),
]
AuthorityOption = Annotated[
    list[str] | None,
    typer.Option(
        "--authority",
        metavar="WHO",
        rich_help_panel=WHOSE,
        help="A name such as nam, a set such as mma/denmark-age, or for one analyte ferritin=who. May be repeated.",
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="YYYY-MM-DD", rich_help_panel=WHOSE, help="Day whose limits are used. Default: the catalog's own day."),
]
DecimalOption = Annotated[
    str | None,
    typer.Option(
        "--decimal", metavar="MARK", rich_help_panel=READING, help="Decimal mark of the source, . or , where 1,060 reads two ways."
    ),
]
SexOption = Annotated[str | None, typer.Option("--sex", metavar="WORD", rich_help_panel=PERSON, help="female or male.")]
AgeOption = Annotated[
    str | None, typer.Option("--age", metavar="AGE", rich_help_panel=PERSON, help="Age at sampling: 34 (years), or '6 months'.")
]
PregnantOption = Annotated[
    bool | None,
    typer.Option("--pregnant/--not-pregnant", metavar="", rich_help_panel=PERSON, help="Whether pregnant. Default: not stated."),
]
ResearchOption = Annotated[
    bool, typer.Option("--research", metavar="", help="Also links that rest on little evidence, where one mild value is all there is.")
]
ToPlainOption = Annotated[ToPlain, typer.Option("--to", help="Form of the output.")]


def catalog_of(limits: Path | None) -> Catalog:
    """The catalog that ships, with a site's own limits where they are given."""
    return Catalog.default() if limits is None else Catalog.default().with_files(limits)


def age_of(text: str) -> float:
    """An age of the command line.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return read_age(text)
    except InputError as error:
        raise InputError(f"--age cannot be read; {error}") from None


def stated(patient: Patient, sex: str | None, age: str | None, pregnant: bool | None) -> Patient:
    """Facts given on the command line, where the file does not say them."""
    if sex is None and age is None and pregnant is None:
        return patient
    said, old = read_sex(sex), None if age is None else age_of(age)  # a word that cannot be read is told, needed or not
    years = patient.age_years if patient.age is not None or old is None else old
    return Patient(
        id=patient.id, sex=patient.sex or said, age_years=years, birth_date=patient.birth_date if years is None else None,
        pregnant=patient.pregnant if patient.pregnant is not None else pregnant, contexts=patient.contexts,
    )  # fmt: skip
