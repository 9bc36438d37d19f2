"""Tables as people export them: encoding, delimiter and columns are found, every row and column is kept."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from labinterp._delimited import cells_of, decode, delimiter_of, text_of
from labinterp._lazy import pattern
from labinterp._names import squash
from labinterp.errors import InputError

# Usual names of columns, as they stand in exports of several languages; matched without case, spaces and punctuation.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "test": (
        "test", "test name", "analyte", "name", "lab test", "component", "component name", "parameter", "observation", "measurement", "exam",
        "label", "marker", "biomarker", "determination", "item", "test description", "lab name", "result name", "test code", "analyt",
        "untersuchung", "bezeichnung", "messgröße", "bepaling", "prueba", "determinación", "analyse", "examen", "esame", "analita", "code name",
        "source_name", "labname", "laborparameter", "paramètre", "parámetro", "analito", "parametro", "concept name", "event display", "description",
    ),
    "value": (
        "value", "result", "result value", "test result", "numeric result", "observation value", "lab value", "valuenum", "wert", "ergebnis",
        "messwert", "valeur", "résultat", "resultado", "valor", "risultato", "valore", "uitslag", "resultaat", "waarde", "reading", "value_text",
        "reported value", "ord value", "order value", "result val", "lab result text", "value numeric", "numeric value", "value num", "result num",
        "ord num value", "result numeric", "labresult",
    ),
    "unit": (
        "unit", "units", "unit of measure", "uom", "units of measure", "result unit", "result units", "valueuom", "einheit", "unité", "unite",
        "unités", "unidad", "unidades", "unità", "unita di misura", "eenheid", "ucum", "unit_text",
        "reference unit", "labmeasurenamesystem", "unità di misura", "u.m.", "unidad de medida",
    ),
    "patient_id": (
        "patient id", "patient", "patientid", "pid", "subject", "subject id", "person id", "person", "mrn", "id patient", "seqn", "participant",
        "participant id", "case", "case id", "patienten id", "patientennummer", "patiënt", "paziente", "paciente", "pat id", "patid",
        "pat mrn id", "patient number", "patient no", "patient nr", "patienten nr", "patnr", "patiëntnummer", "hadm id", "patientunitstayid",
        "icustay id", "stay id", "pat enc csn id", "id", "vignette",
    ),
    "sex": ("sex", "gender", "patient sex", "geschlecht", "sexe", "sexo", "sesso", "geslacht", "administrative sex"),
    "age_years": (
        "age", "age years", "age in years", "patient age", "age at collection", "age at sampling", "alter", "âge", "edad", "età", "leeftijd", "age_y",
        "age yr", "age yrs",
    ),
    "birth_date": (
        "birth date", "birthdate", "date of birth", "dob", "geburtsdatum", "date de naissance", "fecha de nacimiento", "data di nascita",
        "geboortedatum", "patient dob",
    ),
    "pregnant": ("pregnant", "pregnancy", "is pregnant", "pregnancy status", "schwanger", "schwangerschaft", "enceinte", "embarazo", "gravidanza", "zwanger"),
    "collected_at": (
        "collected at", "collected", "collection date", "date collected", "collection time", "sample date", "sampling date", "specimen date", "drawn",
        "draw date", "date", "charttime", "observation date", "effective date", "datum", "entnahmedatum", "abnahmedatum", "date de prélèvement",
        "fecha", "data prelievo", "afnamedatum", "specimen taken time", "specimn taken time", "event end dt tm", "obs datetime", "timestamp", "datetime", "taken at",
    ),
    "loinc": ("loinc", "loinc code", "loinc_num", "loinc number", "loinc-code"),
    "specimen": ("specimen", "specimen type", "sample", "sample type", "fluid", "matrix", "material", "probenmaterial", "matériel", "muestra", "campione", "system"),
    "comparator": ("comparator", "operator", "value comparator", "prefix", "sign", "qualifier", "result qualifier"),
    "ref_low": ("ref low", "reference low", "low", "range low", "lower limit", "ref range lower", "normal low", "lln", "reflow", "reference range low", "ref min", "min ref",
        "ref range low", "reference range lower", "normal range low", "untergrenze", "untere grenze", "borne inférieure", "ondergrens", "limite inferiore",
        "límite inferior"),
    "ref_high": ("ref high", "reference high", "high", "range high", "upper limit", "ref range upper", "normal high", "uln", "refhigh", "reference range high", "ref max", "max ref",
        "ref range high", "reference range upper", "normal range high", "obergrenze", "obere grenze", "borne supérieure", "bovengrens", "limite superiore",
        "límite superior"),
    "ref_text": (
        "ref text", "reference range", "ref range", "reference interval", "reference", "normal range", "range", "referenzbereich", "normbereich",
        "valeurs de référence", "rango de referencia", "valores de referencia", "valori di riferimento", "referentiewaarden", "ref interval",
        "referenzwerte", "referenzwert", "referenz", "ref.-bereich", "normwerte", "normwert", "valeurs usuelles", "valeurs normales",
        "intervalle de référence", "normes", "referentie", "referentiewaarde", "referentie-interval", "normaalwaarden", "intervallo di riferimento",
        "intervalo de referencia", "valores normales",
    ),
    "flag": ("flag", "abnormal flag", "lab flag", "abnormal", "interpretation", "flags", "status flag", "hl7 flag", "result flag", "result flag c",
        "result flag name", "result_flag_c_name", "normalcy", "abnormal_yn", "bewertung", "markierung", "kennzeichen", "vlag", "afwijkend",
        "segnalazione", "asterisco", "anomalie", "drapeau", "alarma", "alerta"),
    "context": ("context", "contexts", "conditions", "circumstances", "declared context"),
    "trimester": ("trimester", "pregnancy trimester"),
}  # fmt: skip
ROLES = tuple(COLUMN_NAMES)
NUMBER = "value number"  # the column of a number that was made of the text in the column of the value; never asked for by name
_NUMBERS = frozenset(map(squash, (
    "valuenum", "value numeric", "numeric value", "numeric result", "value num", "result num", "ord num value", "result numeric", "labresult",
)))  # fmt: skip
_BY_NAME = {squash(name): role for role, names in COLUMN_NAMES.items() for name in (role, *names)}
# Two of these in one file are two answers: the caller says which. Of the others the commonest name is taken.
_ONE_ONLY = {"value", "unit", "sex", "age_years", "pregnant", "comparator"}
TITLES = 20  # lines in which the header is looked for
MOST_COLUMNS = 20_000  # more than any program exports results with; Excel itself ends at 16,384


class Table(NamedTuple):
    """A long table as read: one result a row.

    Attributes:
        header: The column names as they stand.
        rows: The cells as they stand.
        columns: Role -> column number.
        delimiter: As found.
        encoding: As found.
        above: Lines with something in them that stand above the header.
    """

    header: list[str]
    rows: list[list[str]]
    columns: dict[str, int]
    delimiter: str
    encoding: str
    above: int = 0

    def cell(self, row: Sequence[str], role: str) -> str:
        """The text of a role in a row; empty where there is none."""
        at = self.columns.get(role, -1)
        return row[at].strip() if 0 <= at < len(row) else ""


def read_table(data: bytes, columns: Mapping[str, str] | None = None, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Read a delimited table with one result a row.

    Args:
        data: The file.
        columns: Role -> column name where the usual names do not find it, as `--column value=RESULT` gives it.
        delimiter: Default: found in the header line.
        encoding: Default: UTF-8, UTF-16 or UTF-32 by its mark, else Windows-1252.

    Returns:
        Table.

    Raises:
        InputError: No header, no column for test or value, or a column name that is not there.
    """
    lines, delimiter, found_encoding = read_cells(data, delimiter, encoding)
    above, found = header_of(lines, columns or {})
    return Table(lines[above], lines[above + 1 :], found, delimiter, found_encoding, above)


def read_cells(data: bytes, delimiter: str | None = None, encoding: str | None = None) -> tuple[list[list[str]], str, str]:
    """The lines of a delimited table, its delimiter and its encoding; as for `read_table`, whatever the columns are."""
    text, found_encoding = text_of(data, encoding)
    return (*cells_of(text, delimiter_of(text, roles_in) if delimiter is None else delimiter), found_encoding)


def header_of(lines: Sequence[Sequence[str]], columns: Mapping[str, str]) -> tuple[int, dict[str, int]]:
    """Which of the first lines is the header of a table with one result a row, and the columns of its roles.

    Args:
        lines: Cells, line by line; titles may stand above the header.
        columns: As for `find_columns`.

    Raises:
        InputError: None is; said of the line that looks most like one.
    """
    wrong: tuple[int, InputError] | None = None
    for number, line in enumerate(lines[:TITLES]):
        try:
            return number, find_columns(line, columns)
        except InputError as error:
            alike = roles_in(line)
            mostly = 2 * alike > sum(1 for cell in line if cell.strip())  # else it may be a person's line: it is not shown
            if wrong is None or (alike > wrong[0] and mostly):
                wrong = alike, error
    raise wrong[1] if wrong else InputError("the file is empty; accepted: CSV, TSV or JSON with one result a row")


_PARTED = ", another mark between cells with --delimiter"


def find_columns(header: Iterable[str], asked: Mapping[str, str]) -> dict[str, int]:
    """Role -> column number of a table with one result a row, by the usual names and by what the caller says.

    Raises:
        InputError: A role or column that is not there, or no column for test or value.
    """
    names = [name.strip() for name in header]
    found = known_columns(names, asked)
    missing = [role for role in ("test", "value") if role not in found]
    if missing == ["test"] and "loinc" in found:
        missing = []
    if missing and not found:  # perhaps there is no header, and this is a person's line: it is not shown
        raise InputError(
            f"the first line has {'one column' if len(names) == 1 else f'{len(names)} columns'} and none of the usual names; a header line "
            f"is needed, such as test,value,unit. Other names are told with --column value=NAME{_PARTED if len(names) == 1 else ''}"
        )
    if missing:
        raise InputError(
            f"no column was found for {' and '.join(missing)}; this file has: {_shown(names)}. "
            f"Name it, for example --column {missing[0]}=NAME"
        )
    return found


def known_columns(names: Sequence[str], asked: Mapping[str, str]) -> dict[str, int]:
    """Role -> column number, as far as there are columns for them.

    Raises:
        InputError: There are too many columns, two that may be the same, or not one that was asked for.
    """
    if len(names) > MOST_COLUMNS:
        raise InputError(f"the header has {len(names):,} columns; at most {MOST_COLUMNS:,} are read: keep those with results and persons")
    asked = {role if role in COLUMN_NAMES else _BY_NAME.get(squash(role), role): name for role, name in asked.items()}
    found: dict[str, int] = {}
    ranks: dict[str, int] = {}
    for number, name in enumerate(names):
        role = role_of(name)
        if role is None:
            continue
        rank = [squash(n) for n in (role, *COLUMN_NAMES[role])].index(squash(name))
        if role == "value" and role in found and role not in asked and NUMBER not in found:
            first_at = found[role]  # the text is what was printed; a number that was made of it only proves it
            helpers = [at for at in (first_at, number) if squash(names[at]) in _NUMBERS]
            if len(helpers) == 1:
                found[NUMBER], found[role] = helpers[0], number if helpers == [first_at] else first_at
                continue
        if role in found and role in _ONE_ONLY and role not in asked:
            first = names[found[role]][:30]
            raise InputError(
                f"two columns may be the {role}: {first!r} and {name[:30]!r}; name one, for example --column {role}={name[:30]}"
            )
        if role not in found or rank < ranks[role]:  # "test" wins over "name", wherever they stand
            found[role], ranks[role] = number, rank
    for role, name in asked.items():
        if role not in COLUMN_NAMES:
            raise InputError(f"there is no role {role!r}; accepted: {', '.join(ROLES)}")
        if name not in names:
            raise InputError(f"there is no column {name!r}; this file has: {_shown(names)}")
        found[role] = names.index(name)
        for other in [r for r, at in found.items() if at == found[role] and r != role]:
            del found[other]
    return found


_DATA = pattern(r'(?s)[\d.,/:\s-]*\d[\d.,/:\s-]*|.*[{}"<>].*')  # a number, a day, a part of JSON or XML


def _shown(names: Sequence[str]) -> str:
    """Column names for an error; none of a line that may be a person's."""
    return "no names that can be shown, as its first line looks like data" if any(map(_DATA.fullmatch, names)) else listed(names)


def listed(names: Sequence[str]) -> str:
    """Column names for a message: the first few, short and printable."""
    shown = ["".join(c for c in name if c.isprintable())[:30] for name in names[:12]]
    return ", ".join(shown) + (", ..." if len(names) > 12 else "")


def roles_in(names: Iterable[str]) -> int:
    """How many of some cells are usual names of columns; how much a line looks like a header."""
    return sum(1 for name in islice(names, 500) if len(name) <= 60 and squash(name) in _BY_NAME)


def role_of(name: str) -> str | None:
    """The role a column has by its usual names."""
    return _BY_NAME.get(squash(name))


def roles_of(names: Iterable[str]) -> set[str]:
    """The roles that column names have."""
    return {role for name in names if (role := _BY_NAME.get(squash(name)))}


def write_table(table: Table, added: Sequence[str], cells: Iterator[Sequence[str]]) -> str:
    """The table with columns added: every row and column in order, formulas made harmless.

    Args:
        table: As read.
        added: Names of the new columns.
        cells: For each row, the new cells.
    """
    rows: list[str] = []

    class Sink:
        """Takes one written row; with "\r\n" as its end the writer quotes a lone return too."""

        def write(self, row: str) -> None:
            rows.append(row[:-2] + "\n")

    writer = csv.writer(Sink(), delimiter=table.delimiter, lineterminator="\r\n")
    width = max([len(table.header), *(len(row) for row in table.rows)])
    writer.writerow([*map(harmless, table.header), *[""] * (width - len(table.header)), *added])
    for row, more in zip(table.rows, cells, strict=True):
        writer.writerow([*map(harmless, row), *[""] * (width - len(row)), *map(harmless, more)])
    return "".join(rows)


def harmless(cell: str) -> str:
    """A cell a spreadsheet will not run: text that starts like a formula gets an apostrophe; plain numbers stay.

    Example:
        >>> harmless("=1+1"), harmless("-5"), harmless("@x")
        ("'=1+1", '-5', "'@x")
    """
    if not cell or cell[0] not in "=+-@\t\r":
        return cell
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return "'" + cell
    return cell


__all__ = [
    "COLUMN_NAMES", "NUMBER", "ROLES", "Table", "decode", "find_columns", "harmless", "header_of", "known_columns", "listed", "read_table", "role_of", "roles_in", "roles_of", "write_table",
]  # fmt: skip
