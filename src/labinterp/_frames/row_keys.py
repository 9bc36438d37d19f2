"""What of a row is looked up, as expressions that every engine runs: texts as they stand, plain numbers, ages as small numbers.

No text is cleaned here. A value that is written as a plain number is cast by the engine; every other text is a key that is
read once, in Python, by the functions that read a single result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

import narwhals.stable.v2 as nw

from labinterp._frames.ages import _ISO as ISO_DAY
from labinterp._frames.asked import Asked
from labinterp._frames.classes import People, first_years
from labinterp._frames.numbers import DIGITS, OPS
from labinterp._inputs import Age, age_from_years
from labinterp._quantity import MAY_BE_NUMBER, PLAIN_TEXT, TWO_WAYS

NAMES = ("test", "loinc", "specimen", "unit")
FACTS = ("sex", "pregnant", "context")
RANGES = ("ref_low", "ref_high", "ref_text")
DAYS = ("birth_date", "collected_at")
PLAIN, ODD, AMBIGUOUS, NOTHING = 0, 1, 2, 3  # how a value is written: as a number, read in Python, in two ways, as no number
_MUTE = (nw.Binary, nw.Struct, nw.Array, nw.Object)  # types of columns in which nothing can be read
OLDEST = 130
# Keys of ages: completed years as they are; then which stretch of exact ages; then months and days between marks.
NO_AGE, EXACT, LIVED, MONTHS = -1, 1_000, 10_000, 1_000
_SIMPLE = r"^(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?$"


class Marks:
    """The ages at which the class of an age may change: exact years, completed months and completed days.

    Args:
        people: The classes.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self.years, self._exact = first_years(people)
        near = {floor(bound) + by for bound in people.bounds for by in (-1, 0, 1, 2)}
        self.days = [mark for mark in sorted(near) if mark > 0 and self._of(0, mark - 1) != self._of(0, mark)]
        near = {round(bound / 30.4375) + by for bound in people.bounds for by in (-2, -1, 0, 1, 2)}
        self.months = [mark for mark in sorted(near) if mark > 0 and self._of(mark - 1, 0) != self._of(mark, 0)]

    def age_class(self, key: int) -> int:
        """The class of an age by its key in a row."""
        if key < 0:
            return self._people.age(None)
        if key < EXACT:
            return self._people.age(age_from_years(key))
        if key < LIVED:
            return self._exact[key - EXACT]
        months, days = divmod(key - LIVED, MONTHS)
        return self._of([0, *self.months][months], [0, *self.days][days])

    def _of(self, months: int, days: int) -> int:
        years = months // 12
        return self._people.age(Age((years, years + 1), (months, months + 1), (days, days + 1)))


class RowKeys:
    """The columns that are looked up, for one question about one frame.

    Args:
        asked: The question.
        schema: The frame's column types.
        own: Begins the names of all columns made here; no column of the frame begins like it.
        end: How the engine's regular expressions write the end of a text.
        marks: Which ages limits tell apart.
    """

    def __init__(self, asked: Asked, schema: Mapping[str, Any], own: str, end: str, marks: Marks) -> None:
        self._asked, self.own, self._end = asked, own, end
        self._types = {role: schema[name] for role, name in asked.columns.items()}
        self._marks = marks

    # --- which roles there are ---------------------------------------------------------------------------------

    def here(self, roles: Sequence[str]) -> list[str]:
        """Those of some roles that have a column."""
        return [role for role in roles if role in self._types]

    @property
    def years(self) -> bool:
        """Whether ages come as numbers."""
        return "age_years" in self._types and self._types["age_years"].is_numeric()

    @property
    def counted(self) -> bool:
        """Whether ages come as whole numbers."""
        return self.years and bool(self._types["age_years"].is_integer())

    @property
    def dated(self) -> bool:
        """Whether birth dates and days of sampling are there."""
        return len(self.here(DAYS)) == 2

    @property
    def written(self) -> bool:
        """Whether values come as texts."""
        return _text_type(self._types["value"]) or bool(self._types["value"].is_decimal())

    @property
    def layout(self) -> dict[str, list[str]]:
        """The columns whose distinct rows are read in Python, by what they tell."""
        parts: dict[str, list[str]] = {"names": self.here(NAMES), "facts": self.facts, "comparators": self.here(["comparator"])}
        parts["ranges"] = self.here(RANGES)
        made = self.texts()
        for part, roles in parts.items():
            parts[part] = [*roles, *(f"raw_{role}" for role in roles if f"raw_{role}" in made)]
        parts["facts"] += ["age"] if self.aged else []
        parts["values"] = ["op", "odd"] if self.written else []
        return {part: names for part, names in parts.items() if names}

    @property
    def facts(self) -> list[str]:
        """The texts of a row that tell of its person."""
        return [*self.here(FACTS), *([] if self.years else self.here(["age_years"]))]

    @property
    def aged(self) -> bool:
        """Whether there is a key of an age."""
        return self.years or self.dated

    @property
    def exact(self) -> bool:
        """Whether values are floats: their last digits may lie on one side of a line which the float equals."""
        return bool(self._types["value"] == nw.Float64)

    @property
    def decimal(self) -> str | None:
        """The decimal mark of the values; of texts that an engine wrote it is known."""
        return "." if self._types["value"].is_decimal() else self._asked.decimal

    def name(self, part: str) -> str:
        """The name of a column made here."""
        return self.own + part

    def col(self, part: str) -> nw.Expr:
        """A column made here."""
        return nw.col(self.own + part)

    # --- columns -------------------------------------------------------------------------------------------------

    def texts(self) -> dict[str, nw.Expr]:
        """The texts that are looked up, as they stand; where a column holds no texts, also its values ("raw_...")."""
        made = {}
        for role in self.here((*NAMES, *FACTS, *RANGES, "comparator", "age_years")):
            if role == "age_years" and self.years:
                continue
            column, dtype = nw.col(self._asked.columns[role]), self._types[role]
            if dtype == nw.String:
                made[role] = column
                continue
            if dtype in _MUTE:
                made[role] = nw.lit(None).cast(nw.String)
                continue
            if dtype == nw.Float32:  # 0.7 is meant by the float nearest to 0.7
                column = column.cast(nw.String).cast(nw.Float64)
            made[role] = column.cast(nw.String)
            if not _text_type(dtype) and dtype not in (nw.Unknown, nw.Boolean):
                made[f"raw_{role}"] = column
        return made

    def layers(self) -> list[dict[str, nw.Expr]]:
        """What is computed for each row before anything is known of the texts; each layer rests on those before it."""
        made: list[dict[str, nw.Expr]] = [self.texts(), {}, {}]
        parts = [self._value(), self._years()]
        if self.dated:
            parts.append([{}, self.days()])
        elif self.years:
            parts.append([{}, {}, self.age()])
        for part in parts:
            for layer, columns in zip(made, part, strict=False):
                layer.update(columns)
        return made

    def _value(self) -> list[dict[str, nw.Expr]]:
        """How each value is written, its number and comparator where it is plain, and its text where it is odd."""
        column, dtype, col = nw.col(self._asked.columns["value"]), self._types["value"], self.col
        if not self.written:
            finite = nw.when(col("number").is_null()).then(NOTHING).otherwise(PLAIN).cast(nw.Int64)
            return [{"number": _float(column, dtype), "op": nw.lit(0).cast(nw.Int64)}, {"how": finite}]
        decimal, starts = self.decimal, col("v").str.starts_with
        texts = column if dtype == nw.String else column.cast(nw.String)
        plain = col("v").str.contains(self._pattern(PLAIN_TEXT[decimal])) & (col("v").str.len_chars() <= DIGITS)
        # nearly every value is of this form, which is found sooner than all that are plain
        simple = col("v").str.contains(self._pattern(_SIMPLE.replace(".", "," if decimal == "," else ".")))
        # letters outside ASCII are not the same to all engines: such texts are read in Python
        may = col("v").str.contains("[0-9]") & (col("v").str.contains(MAY_BE_NUMBER) | col("v").str.contains("[^ -~]"))
        how: nw.Expr = nw.when(may).then(ODD).otherwise(NOTHING)
        if decimal is None:
            how = nw.when(col("v").str.contains(self._pattern(TWO_WAYS))).then(AMBIGUOUS).otherwise(how)
        marked = (col("how") == PLAIN) & (starts("<") | starts(">") | starts(" "))
        bare = nw.when(marked).then(col("v").str.replace_all("[<>= ]", "")).otherwise(nw.when(col("how") == PLAIN).then(col("v")))
        op: nw.Expr = nw.lit(0)
        for text in (">", ">=", "<", "<="):  # the longer one is asked first
            op = nw.when(starts(text)).then(OPS.index(text)).otherwise(op)
        return [
            {"v": texts.fill_null("")},
            {"how": nw.when(simple).then(PLAIN).otherwise(nw.when(plain).then(PLAIN).otherwise(how)).cast(nw.Int64)},
            {
                "number": bare.str.replace_all(",", ".", literal=True).cast(nw.Float64),
                "op": nw.when(marked).then(op).otherwise(0).cast(nw.Int64),
                "odd": nw.when(col("how") == ODD).then(col("v")),
            },
        ]

    def _pattern(self, pattern: str) -> str:
        return pattern.removesuffix("$") + self._end

    def days(self) -> dict[str, nw.Expr]:
        """The texts of the days of birth and of sampling, in rows whose age is not given as a number."""
        return {f"text_{role}": self._day(role) for role in DAYS}

    def _day(self, role: str) -> nw.Expr:
        column, dtype = nw.col(self._asked.columns[role]), self._types[role]
        if dtype == nw.Datetime:  # the day as the engine shows it
            column = column.dt.date()
        elif dtype.is_float():  # 20240131.0
            whole = column.is_finite() & (column.round() == column) & (column > 0) & (column < 1e9)
            column = nw.when(whole).then(column).cast(nw.Int64)
        text = nw.lit(None).cast(nw.String) if dtype in _MUTE else column if dtype == nw.String else column.cast(nw.String)
        if dtype == nw.String:  # of a time, the day is enough
            text = nw.when(text.str.contains(self._pattern(ISO_DAY))).then(text.str.slice(0, 10)).otherwise(text)
        if not self.years:
            return text
        return nw.when((self.col("whole") if self.counted else _possible(self.col("years"))).is_null()).then(text)

    def lived(self) -> dict[str, nw.Expr]:
        """Completed months and completed days, from the days that were read: months since the year 0, day of the month, day of all days."""
        born, at = ({of: self.col(f"{role}_{of}") for of in ("month", "day", "number")} for role in DAYS)
        before = nw.when(at["day"] < born["day"]).then(1).otherwise(0)
        return {"months": at["month"] - born["month"] - before, "lived": at["number"] - born["number"]}

    def _years(self) -> list[dict[str, nw.Expr]]:
        if not self.years:
            return []
        column, dtype = nw.col(self._asked.columns["age_years"]), self._types["age_years"]
        if self.counted:
            return [{"whole": _possible(column).cast(nw.Int64)}]
        years = self.col("years")
        whole = _possible(years).cast(nw.Int64)  # engines cut fractions off, or round: only what is whole stays the same
        return [{"years": _float(column, dtype)}, {"whole": nw.when(whole.cast(nw.Float64) == years).then(whole)}]

    def age(self) -> dict[str, nw.Expr]:
        """The key of each row's age, where numbers or dates tell it."""
        key: nw.Expr = nw.lit(NO_AGE)
        if self.dated:
            months, lived = self.col("months"), self.col("lived")
            stretch = nw.lit(LIVED) + _passed(months, self._marks.months) * MONTHS + _passed(lived, self._marks.days)
            key = nw.when((lived >= 0) & (lived <= OLDEST * 366)).then(stretch).otherwise(key)
            if "age_years" in self.facts:  # what is certainly an age makes the dates irrelevant, and keeps the keys few
                given = self.col("age_years").fill_null("").str.contains(self._pattern("^[0-9]{1,2}$"))
                key = nw.when(given).then(NO_AGE).otherwise(key)
        if self.years:
            whole = self.col("whole")
            if not self.counted:
                exact = nw.lit(EXACT - 1) + _passed(self.col("years"), self._marks.years)
                key = nw.when(~_possible(self.col("years")).is_null()).then(exact).otherwise(key)
            key = nw.when(~whole.is_null()).then(whole).otherwise(key)
        return {"age": key.cast(nw.Int64)}


def _float(column: nw.Expr, dtype: Any) -> nw.Expr:
    """A column of numbers as floats; nothing where there is no finite number. 0.7 is meant by the short float nearest to 0.7."""
    if dtype in (nw.Float32, nw.Float64):
        finite = nw.when(column.is_finite()).then(column)
        return finite.cast(nw.String).cast(nw.Float64) if dtype == nw.Float32 else finite
    return column.cast(nw.Float64) if dtype.is_numeric() else nw.lit(None).cast(nw.Float64)


def _possible(years: nw.Expr) -> nw.Expr:
    """Numbers that are ages; of others nothing."""
    return nw.when((years >= 0) & (years <= OLDEST)).then(years)


def _passed(number: nw.Expr, marks: Sequence[float]) -> nw.Expr:
    """How many marks a number has passed."""
    count: nw.Expr = nw.lit(len(marks))
    for passed, mark in reversed(list(enumerate(marks))):
        count = nw.when(number >= mark).then(count).otherwise(passed)
    return count


def _text_type(dtype: Any) -> bool:
    return dtype in (nw.String, nw.Categorical, nw.Enum)
