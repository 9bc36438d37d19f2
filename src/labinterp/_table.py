"""Tables as people export them: encoding, delimiter and columns are found, every row and column is kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from labinterp._lazy import pattern
from labinterp._names import squash
from labinterp.errors import InputError

# Usual names of columns, as they stand in exports of several languages; matched without case, spaces and punctuation.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "test": (
        "test", "test name", "analyte", "name", "lab test", "component", "component name", "parameter", "observation", "measurement", "exam",
        "label", "marker", "biomarker", "determination", "item", "test description", "lab name", "result name", "test code", "analyt",
        "untersuchung", "bezeichnung", "messgröße", "bepaling", "prueba", "determinación", "analyse", "examen", "esame", "analita", "code name",
        "source_name",
    ),
    "value": (
        "value", "result", "result value", "test result", "numeric result", "observation value", "lab value", "valuenum", "wert", "ergebnis",
        "messwert", "valeur", "résultat", "resultado", "valor", "risultato", "valore", "uitslag", "resultaat", "waarde", "reading", "value_text",
        "reported value",
    ),
    "unit": (
        "unit", "units", "unit of measure", "uom", "units of measure", "result unit", "result units", "valueuom", "einheit", "unité", "unite",
        "unités", "unidad", "unidades", "unità", "unita di misura", "eenheid", "ucum", "unit_text",
    ),
    "patient_id": (
        "patient id", "patient", "patientid", "pid", "subject", "subject id", "person id", "person", "mrn", "id patient", "seqn", "participant",
        "participant id", "case", "case id", "patienten id", "patientennummer", "patiënt", "paziente", "paciente", "id", "vignette",
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
        "fecha", "data prelievo", "afnamedatum", "timestamp", "datetime", "taken at",
    ),
    "loinc": ("loinc", "loinc code", "loinc_num", "loinc number", "loinc-code"),
    "specimen": ("specimen", "specimen type", "sample", "sample type", "fluid", "matrix", "material", "probenmaterial", "matériel", "muestra", "campione", "system"),
    "comparator": ("comparator", "operator", "value comparator", "prefix", "sign", "qualifier", "result qualifier"),
    "ref_low": ("ref low", "reference low", "low", "range low", "lower limit", "ref range lower", "normal low", "lln", "reflow", "reference range low", "ref min", "min ref"),
    "ref_high": ("ref high", "reference high", "high", "range high", "upper limit", "ref range upper", "normal high", "uln", "refhigh", "reference range high", "ref max", "max ref"),
    "ref_text": (
        "ref text", "reference range", "ref range", "reference interval", "reference", "normal range", "range", "referenzbereich", "normbereich",
        "valeurs de référence", "rango de referencia", "valores de referencia", "valori di riferimento", "referentiewaarden", "ref interval",
    ),
    "flag": ("flag", "abnormal flag", "lab flag", "abnormal", "interpretation", "flags", "status flag", "hl7 flag"),
    "context": ("context", "contexts", "conditions", "circumstances", "declared context"),
    "trimester": ("trimester", "pregnancy trimester"),
}  # fmt: skip
ROLES = tuple(COLUMN_NAMES)
_BY_NAME = {squash(name): role for role, names in COLUMN_NAMES.items() for name in (role, *names)}
# Two of these in one file are two answers: the caller says which. Of the others the commonest name is taken.
_ONE_ONLY = {"value", "unit", "sex", "age_years", "pregnant", "comparator"}
_LINE = pattern(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_DELIMITERS = ("\t", ";", ",", "|")


class Table(NamedTuple):
    """A long table as read: one result a row.

    Attributes:
        header: The column names as they stand.
        rows: The cells as they stand.
        columns: Role -> column number.
        delimiter: As found.
        encoding: As found.
    """

    header: list[str]
    rows: list[list[str]]
    columns: dict[str, int]
    delimiter: str
    encoding: str

    def cell(self, row: Sequence[str], role: str) -> str:
        """The text of a role in a row; empty where there is none."""
        at = self.columns.get(role, -1)
        return row[at].strip() if 0 <= at < len(row) else ""


def read_table(data: bytes, columns: Mapping[str, str] | None = None, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Read a delimited table.

    Args:
        data: The file.
        columns: Role -> column name where the usual names do not find it, as `--column value=RESULT` gives it.
        delimiter: Default: found in the header line.
        encoding: Default: UTF-8, UTF-16 by its mark, else Windows-1252.

    Returns:
        Table.

    Raises:
        InputError: No header, no column for test or value, or a column name that is not there.
    """
    lines, delimiter, found_encoding = read_cells(data, delimiter, encoding)
    header = lines[0]
    return Table(header, lines[1:], find_columns(header, columns or {}), delimiter, found_encoding)


def read_cells(data: bytes, delimiter: str | None = None, encoding: str | None = None) -> tuple[list[list[str]], str, str]:
    """The lines of a delimited table, the header first, the delimiter and the encoding; as for `read_table`, whatever the columns are."""
    text, found_encoding = decode(data, encoding)
    if b"\0" in data[:4096] and found_encoding != "utf-16":
        raise InputError("this is a binary file; accepted: CSV, TSV and JSON text")
    if delimiter is None:
        delimiter = _delimiter(text)
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise InputError("the delimiter is one character, such as ; or , (a tab: $'\\t')")
    if '"' in text:
        text = _quotes_closed(text, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num}: this is not a table that can be read ({error}); accepted: CSV and TSV with a header line"
        ) from None
    while lines and not any(cell.strip() for cell in lines[0]):
        lines.pop(0)
    if not lines:
        raise InputError("the file is empty; accepted: CSV, TSV or JSON with one result a row")
    return lines, delimiter, found_encoding


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Text and the encoding that was found.

    Raises:
        InputError: The bytes are not text in the encoding that was asked for.
    """
    if encoding is None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
        else:
            try:
                return data.decode("utf-8-sig"), "utf-8"
            except UnicodeDecodeError:
                encoding = "cp1252"
    try:
        return data.decode(encoding, "replace" if encoding == "cp1252" else "strict"), encoding
    except (UnicodeDecodeError, LookupError):
        raise InputError(f"the file is not {encoding} text; give --encoding") from None


def _quotes_closed(text: str, delimiter: str) -> str:
    """The text with quotes that are never closed turned into plain marks: one of them would swallow the rows below it.

    A line with an odd number of quotes opens a cell of several lines only if a later line closes it before a whole
    row has come by.
    """
    lines, kept, at = _LINE.findall(text), [], 0  # a line separator of Unicode ends no row
    width = lines[0].count(delimiter) if lines else 0
    while at < len(lines):
        end, joined = at + 1, lines[at]
        while _left_open(joined, delimiter) and end < len(lines) and end - at <= 100:
            following = lines[end]
            if width and following.count(delimiter) >= width and following.count('"') % 2 == 0:
                break
            joined, end = joined + following, end + 1
        if _left_open(joined, delimiter):
            joined, end = lines[at].replace('"', "''"), at + 1
        kept.append(joined)
        at = end
    return "".join(kept)


def _left_open(text: str, delimiter: str) -> bool:
    """Whether a quoted cell is still open at the end. A quote inside a cell that has none at its start (5" tall) opens nothing."""
    if '"' not in text:
        return False
    quoted, start, at = False, True, 0
    while at < len(text):
        mark = text[at]
        if quoted and mark == '"':
            if text[at + 1 : at + 2] == '"':
                at += 1
            else:
                quoted = False
        elif not quoted:
            quoted = start and mark == '"'
            start = mark == delimiter or mark in "\r\n"
        at += 1
    return quoted


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda mark: (first.count(mark), -_DELIMITERS.index(mark)))


def find_columns(header: Iterable[str], asked: Mapping[str, str]) -> dict[str, int]:
    """Role -> column number, by the usual names and by what the caller says.

    Raises:
        InputError: A role or column that is not there, or no column for test or value.
    """
    names = [name.strip() for name in header]
    asked = {role if role in COLUMN_NAMES else _BY_NAME.get(squash(role), role): name for role, name in asked.items()}
    found: dict[str, int] = {}
    ranks: dict[str, int] = {}
    for number, name in enumerate(names):
        role = _BY_NAME.get(squash(name))
        if role is None:
            continue
        rank = [squash(n) for n in (role, *COLUMN_NAMES[role])].index(squash(name))
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
            raise InputError(f"there is no column {name!r}; this file has: {_listed(names)}")
        found[role] = names.index(name)
        for other in [r for r, at in found.items() if at == found[role] and r != role]:
            del found[other]
    missing = [role for role in ("test", "value") if role not in found]
    if missing == ["test"] and "loinc" in found:
        missing = []
    if missing and not found:  # perhaps there is no header, and this is a person's line: it is not shown
        raise InputError(
            f"the first line has {len(names)} columns and none of the usual names; a header line is needed, or --column value=NAME"
        )
    if missing:
        raise InputError(
            f"no column was found for {' and '.join(missing)}; this file has: {_listed(names)}. "
            f"Name it, for example --column {missing[0]}=NAME"
        )
    return found


def _listed(names: list[str]) -> str:
    """Column names for a message: the first few, short and printable."""
    shown = ["".join(c for c in name if c.isprintable())[:30] for name in names[:12]]
    return ", ".join(shown) + (", ..." if len(names) > 12 else "")


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
