"""Make nhanes_2001.csv and nhanes_2001_2002.csv.gz: real people of NHANES 2001-2002.

    python docs/examples/make_nhanes_2001.py ../shared/data/nhanes-2001-2002

The first holds a choice of people, one result a row; the second everybody with a result of these tests, one person a row, with
the examination weight. The directory holds L06_B.XPT (laboratory results, SAS transport file of CDC) and demo_b_age_sex.csv (SEQN, sex, age,
pregnancy and weight, cut from DEMO_B.XPT). Standard library only. The same input gives the same file, byte for byte.
"""

import argparse
import csv
import gzip
import io
import math
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

# Column of L06_B -> test name and unit, as CDC labels the column.
TESTS = {
    "LBXB12": ("Vitamin B12, serum", "pg/mL"),
    "LBXFOL": ("Folate, serum", "ng/mL"),
    "LBDHCY": ("Homocysteine", "umol/L"),
    "LBXMMA": ("Methylmalonic acid", "umol/L"),
    "LBXFER": ("Ferritin", "ng/mL"),
}
SEX = {"1": "male", "2": "female"}  # RIAGENDR
PREGNANT = {"1": "yes", "2": "no"}  # RIDEXPRG; 3 (cannot be ascertained) and missing stay empty
HEADER = ("patient_id", "test", "value", "unit", "sex", "age", "pregnant")

Row = dict[str, float | None]
Person = dict[str, str]


# --- SAS transport files, version 5 -------------------------------------------------------------------------
# Records of 80 bytes; a NAMESTR of 140 bytes describes each variable; observations follow one another without a
# gap to the end of the file, which is filled up with spaces. https://support.sas.com: "Record Layout of a SAS
# Version 5 or 6 Data Set in SAS Transport (XPORT) Format".

RECORD, NAMESTR = 80, 140
MISSING = b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read_xpt(path: Path) -> Iterator[Row]:
    """The observations of a transport file with one member and numeric variables; a missing number is None."""
    raw = path.read_bytes()
    names = _header(raw, b"NAMESTR", 0)
    count = int(raw[names - RECORD + 54 : names - RECORD + 58])
    variables = []
    for number in range(count):
        block = raw[names + number * NAMESTR : names + (number + 1) * NAMESTR]
        kind, length = struct.unpack(">h2xh", block[:6])
        if kind != 1:
            raise ValueError(f"{path.name}: variable {number + 1} is not a number")
        variables.append((block[8:16].decode("ascii").strip(), length, struct.unpack(">l", block[84:88])[0]))
    start = _header(raw, b"OBS", names)
    width = sum(length for _, length, _ in variables)
    for at in range(start, len(raw) - width + 1, width):
        record = raw[at : at + width]
        if record.strip(b" "):  # what is left is the filling of the last record
            yield {name: ibm_float(record[position : position + length]) for name, length, position in variables}


def _header(raw: bytes, name: bytes, after: int) -> int:
    """Where the record behind a header record starts."""
    at = raw.find(b"HEADER RECORD*******" + name.ljust(8) + b"HEADER RECORD!!!!!!!", after)
    if at < 0 or at % RECORD:
        raise ValueError(f"not a SAS transport file of version 5: no {name.decode()} header")
    return at + RECORD


def ibm_float(raw: bytes) -> float | None:
    """A number as IBM mainframes write it: a sign bit, 7 bits of exponent to base 16, a fraction. None where it is missing.

    A missing value has its letter in the first byte and no fraction; any other number without a fraction is exactly zero.
    """
    fraction = int.from_bytes(raw[1:], "big")
    if fraction == 0:
        return None if raw[0] in MISSING else 0.0
    value = math.ldexp(fraction, 4 * ((raw[0] & 0x7F) - 64) - 8 * (len(raw) - 1))
    return -value if raw[0] & 0x80 else value


def plain(value: float) -> str:
    """The shortest decimal that is this number, without an exponent: CDC's own digits, none invented."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- who is in the extract ----------------------------------------------------------------------------------


def everyone(folder: Path) -> dict[int, tuple[Person, Row]]:
    """Every participant with a laboratory row, by SEQN in rising order."""
    with (folder / "demo_b_age_sex.csv").open(encoding="ascii", newline="") as file:
        people = {int(person["SEQN"]): person for person in csv.DictReader(file)}
    rows = {int(row["SEQN"] or 0): row for row in read_xpt(folder / "L06_B.XPT")}
    return {seqn: (people[seqn], rows[seqn]) for seqn in sorted(rows)}


def below(column: str, line: float) -> Callable[[Person, Row], bool]:
    return lambda _, row: (row[column] or math.inf) < line


def above(column: str, line: float) -> Callable[[Person, Row], bool]:
    return lambda _, row: (row[column] or 0) > line


def exactly(column: str, line: float) -> Callable[[Person, Row], bool]:
    return lambda _, row: row[column] == line


def aged(low: int, high: int) -> Callable[[Person, Row], bool]:
    return lambda person, _: low <= int(person["RIDAGEYR"]) <= high


# The first so many participants, in order of SEQN, of whom this is true. A person may be in several groups.
GROUPS: tuple[tuple[int, Callable[[Person, Row], bool]], ...] = (
    (8, aged(1, 2)),  # ferritin only: the other tests start at 3 years
    (15, aged(3, 11)),
    (12, aged(12, 17)),
    (20, aged(85, 85)),  # CDC codes every age from 85 as 85
    (30, lambda person, _: person["RIDEXPRG"] == "1"),
    (5, lambda person, _: person["RIDEXPRG"] == "3"),
    (20, below("LBXB12", 180)),
    (15, lambda _, row: 180 <= (row["LBXB12"] or 0) <= 350 and (row["LBXMMA"] or 0) > 0.4),
    (10, lambda person, row: (row["LBXMMA"] or 0) > 0.4 and (row["LBXB12"] or 0) > 350 and int(person["RIDAGEYR"]) >= 18),
    (15, above("LBDHCY", 15)),
    (5, above("LBDHCY", 30)),
    (10, below("LBXFOL", 4)),
    (15, below("LBXFER", 15)),
    (10, above("LBXFER", 200)),
    (3, exactly("LBXB12", 180)),
    (3, exactly("LBXB12", 350)),
    (3, exactly("LBXFER", 15)),
    (3, exactly("LBXMMA", 0.4)),
    (1, above("LBXB12", 200_000)),  # 240,599 pg/mL is CDC's own figure
)
EVERY = 50  # and one in so many of the participants who have all five results


def choose(people: dict[int, tuple[Person, Row]]) -> list[int]:
    chosen = set()
    for count, belongs in GROUPS:
        fitting = [seqn for seqn, (person, row) in people.items() if any(row[c] is not None for c in TESTS) and belongs(person, row)]
        chosen |= set(fitting[:count])
    complete = [seqn for seqn, (_, row) in people.items() if all(row[column] is not None for column in TESTS)]
    return sorted(chosen | set(complete[::EVERY]))


def rows_of(seqn: int, person: Person, row: Row) -> Iterator[tuple[str, ...]]:
    """One row for each result; a result CDC does not give has no row."""
    facts = (SEX[person["RIAGENDR"]], person["RIDAGEYR"], PREGNANT.get(person["RIDEXPRG"], ""))
    for column, (test, unit) in TESTS.items():
        value = row[column]
        if value is not None:
            yield (str(seqn), test, plain(value), unit, *facts)


def whole(people: dict[int, tuple[Person, Row]]) -> bytes:
    """Everybody with a result, one person a row, packed; the same people give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("seqn", "sex", "age", "pregnant", "weight", *(test for test, _ in TESTS.values())))
    for seqn, (person, row) in people.items():
        values = ["" if row[column] is None else plain(row[column] or 0.0) for column in TESTS]
        if any(values):
            facts = (SEX[person["RIAGENDR"]], person["RIDAGEYR"], PREGNANT.get(person["RIDEXPRG"], ""), person["WTMEC2YR"])
            writer.writerow((seqn, *facts, *values))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(text.getvalue().encode("ascii"))
    return packed.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="holds L06_B.XPT and demo_b_age_sex.csv")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("nhanes_2001.csv"))
    options = parser.parse_args()
    people = everyone(options.directory)
    chosen = choose(people)
    rows = [line for seqn in chosen for line in rows_of(seqn, *people[seqn])]
    with options.output.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
    everybody = options.output.with_name("nhanes_2001_2002.csv.gz")
    everybody.write_bytes(whole(people))
    print(f"{options.output}: {len(rows)} results of {len(chosen)} people")


if __name__ == "__main__":
    main()
