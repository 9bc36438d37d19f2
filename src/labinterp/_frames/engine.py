"""Frames that stay in their engine, through narwhals: their distinct texts are read here, and joined back as small tables.

The plan is equality joins with small tables and CASE; no text is cleaned in the engine, and no Python runs in it. The
frame is read twice: once for its distinct texts when the plan is made, once when the plan runs. A row with a text that was
not there when the plan was made finds nothing to join with: its reason is `changed_since_planned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from labinterp._frames import local
from labinterp._frames.asked import Asked, asked
from labinterp._frames.carried import Rows, apart, carried, fetched
from labinterp._frames.code_answers import CodeAnswers
from labinterp._frames.numbers import written
from labinterp._frames.row_keys import AMBIGUOUS, DAYS, NAMES, NOTHING, ODD, RANGES, RowKeys
from labinterp._frames.text_codes import NONE, TextCodes, days_read, learned
from labinterp._frames.texts import LOCK, as_text
from labinterp._summary import ADDED
from labinterp.errors import InputError

_PRODUCT = 3_000  # so many combinations are all answered; of more, only those that occur


def answered(frame: Any, roles: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The frame with its answers, as a plan of its own engine.

    Args:
        frame: DuckDB relation, PySpark or Ibis frame. Frames of this machine and Dask are answered by the same plan, in polars.
        roles: Role -> column name.
        options: What is asked besides.

    Raises:
        InputError: A frame or a question that no engine answers, with what to do instead.
    """
    if options.get("near_limit"):
        raise InputError("near_limit needs the printed digits of every value; use lane='local', or leave near_limit out")
    here = _HERE.get(type(frame).__module__.split(".")[0])
    if here is not None:
        names = frame.collect_schema() if isinstance(frame, pl.LazyFrame) else getattr(frame, "column_names", None) or frame.columns
        return here(frame, ByPlan(*asked(names, roles, **options)))
    try:
        lazy = nw.from_native(frame).lazy()
    except TypeError:
        raise InputError(f"a frame of {type(frame).__module__}.{type(frame).__qualname__} is not read here") from None
    kind, schema = lazy.implementation, lazy.collect_schema()
    if not (kind.is_duckdb() or kind.is_ibis() or kind.is_pyspark() or kind.is_pyspark_connect()):
        raise InputError(
            f"frames of {kind.value} are not read here; give a DuckDB, PySpark or Ibis frame, or a polars, pandas or pyarrow one"
        )
    if getattr(frame, "isStreaming", False):
        raise InputError("a stream of Spark cannot be read beforehand; answer its batches: stream.writeStream.foreachBatch(...)")
    question = asked(schema.names(), roles, **options)
    taken = {name.casefold(): name for name in question.kept_columns(schema.names())}  # engines do not tell "LI_CODE" from "li_code"
    clash = [taken[name.casefold()] for name in question.added() if name.casefold() in taken]
    if clash:
        raise InputError(f"the frame already has the column {clash[0]!r}; rename it, or give another prefix (prefix='labinterp_')")
    return Plan(question, schema, lazy).answers().to_native()


def _polars(frame: Any, question: Asked) -> Any:
    return local.lazy(frame, question) if isinstance(frame, pl.LazyFrame) else local.eager(frame, question)


_HERE: dict[str, Callable[[Any, Asked], Any]] = {
    "polars": _polars,
    "pandas": local.pandas,
    "pyarrow": local.arrow,
    "dask": local.dask,
}


class ByPlan(Asked):
    """A question about a frame of this machine that is answered by the plan of the engines, batch by batch."""

    def reader(self) -> Any:
        """What answers a batch."""
        return self

    def schema(self) -> dict[str, Any]:
        """Names and types of the answer columns."""
        return {name: pl.Float64() if name.endswith("value") else pl.String() for name in ADDED}

    def answer(self, columns: Mapping[str, pl.Series], height: int) -> pl.DataFrame:
        """The answer columns of a batch, by their names without a prefix."""
        batch = pl.DataFrame([_readable(role, column) for role, column in columns.items()]).with_row_index("patient_id")
        question = Asked(
            *self._replace(columns={"patient_id": "patient_id", **{role: role for role in columns}}, prefix="", kept="results")
        )
        lazy = nw.from_native(batch.lazy())
        made: pl.DataFrame = Plan(question, lazy.collect_schema(), lazy).answers().to_native().collect().sort("patient_id")
        return made.select(pl.col(name).cast(dtype) for name, dtype in self.schema().items())


def _readable(role: str, column: pl.Series) -> pl.Series:
    """A column without types that only Python knows."""
    if column.dtype == pl.Object and role == "value":
        return pl.Series(role, [written(value) for value in column.to_list()], dtype=pl.String)
    return as_text(column).alias(role) if column.dtype in (pl.Object, pl.List) else column.alias(role)


class Plan:
    """The plan for one frame.

    Args:
        asked: The question.
        schema: Names and types of the columns.
        frame: The frame.
    """

    def __init__(self, asked: Asked, schema: Mapping[str, Any], frame: nw.LazyFrame[Any]) -> None:
        self._asked, self._names = asked, list(schema)
        own = "_li_"
        while any(name.casefold().startswith(own) for name in self._names):
            own += "_"
        with LOCK:
            self._known = learned(asked)
        self._keys = RowKeys(asked, schema, own, r"\z" if frame.implementation.is_pyspark() else "$", self._known.marks)
        self._col, self._name, self.frame = self._keys.col, self._keys.name, frame
        self._made: list[str] = []

    def answers(self) -> nw.LazyFrame[Any]:
        """The frame with its answers."""
        self._look_up()
        with LOCK:
            codes = TextCodes(self._known, self._keys, self._seen())
            self._join_codes(codes)
            self._join_answers(codes, CodeAnswers(self._known, codes, self._keys.exact))
        return self._written()

    # --- what is looked up ----------------------------------------------------------------------------------

    def _with(self, columns: Mapping[str, nw.Expr], keep: Iterable[str] | None = None) -> None:
        """Add columns; of those made before only some are kept, where they are named."""
        if not columns and keep is None:
            return
        new = {self._name(name): column for name, column in columns.items()}
        named = self._made if keep is None else {self._name(name) for name in keep}
        live = [name for name in self._made if name in named and name not in new]
        added = [column.alias(name) for name, column in new.items()]
        if self.frame.implementation.is_pyspark():  # to name a column to it takes several calls into its process
            dead = [name for name in self._made if name not in named and name not in new]
            self.frame = (self.frame.with_columns(*added) if added else self.frame).drop(*dead)
        else:
            made = self.frame.select(*map(nw.col, self._names), *map(nw.col, live), *added)
            self.frame = apart(made, self._name("apart"))
        self._made = [*live, *new]

    def _look_up(self) -> None:
        keys = self._keys
        *layers, last = keys.layers()
        for layer in layers:
            self._with(layer)
        looked_up = [*keys.texts(), "number", "op", "how", "odd", "age"]
        if not keys.dated:
            self._with(last, looked_up)
            return
        self._with(last, [*looked_up, "whole", "years", *(f"text_{role}" for role in DAYS)])
        self._read_days()
        self._with(keys.lived(), [*looked_up, "whole", "years"])
        self._with(keys.age(), looked_up)

    def _read_days(self) -> None:
        """Join what the texts of days say."""
        for role, rows in zip(DAYS, fetched(self.frame, [[self._name(f"text_{role}")] for role in DAYS]), strict=True):
            self._join(days_read(self._keys.own, role, sorted(text for (text,) in rows if text is not None)), f"text_{role}")

    def _seen(self) -> dict[str, Rows]:
        layout = self._keys.layout
        sets = [[self._name(name) for name in names] for names in layout.values()]
        # nearly every value is a plain number without a comparator, of which nothing is to be learned
        telling = ~self._col("odd").is_null() | (self._col("op") != 0) if "values" in layout else None
        only = {} if telling is None else {list(layout).index("values"): telling}
        return dict(zip(layout, fetched(self.frame, sets, only), strict=True))

    # --- joins: a row that finds nothing has no code, and no code after that --------------------------------------

    def _join(self, table: pl.DataFrame, *keys: str) -> None:
        """Join a small table on columns of the frame; its own first columns are the keys."""
        small = carried(self.frame, table)
        self.frame = self.frame.join(small, how="left", left_on=[self._name(key) for key in keys], right_on=table.columns[: len(keys)])
        self._made += table.columns[len(keys) :]

    def _join_codes(self, codes: TextCodes) -> None:
        """What the texts of each row mean."""
        keys, col = self._keys, self._col
        texts = [*keys.here(NAMES), *keys.facts, *keys.here(["comparator"]), *(keys.here(RANGES) if len(codes.ranges.things) > 1 else [])]
        lacking = codes.lacking(texts)
        self._with({f"at_{role}": col(role).fill_null(codes.nil) for role in lacking})

        def at(roles: Iterable[str]) -> list[str]:
            return [f"at_{role}" if role in lacking else role for role in roles]

        self._join(codes.names, *at(keys.here(NAMES)))
        if keys.layout.get("facts"):
            self._join(codes.facts, *at(keys.facts), *(["age"] if keys.aged else []))
        if len(codes.ranges.things) > 1:
            self._join(codes.printed, *at(keys.here(RANGES)))
        odd, layer = col("how") == ODD, {}
        if codes.values.height:
            self._join(codes.values, "odd")
            layer = {name: nw.when(odd).then(col(f"odd_{name}")).otherwise(col(name)) for name in ("number", "op", "how")}
            if len(codes.rests.things) > 1:
                layer["meant"] = col("kept") * len(codes.rests.things) + col("odd_rest").fill_null(0)
        elif keys.written:
            layer = {"op": nw.when(~odd).then(col("op"))}
        coded = ["pair", "kind", "range", "number", "op", "how", "odd_alone"]
        self._with(layer, [*coded, *at(keys.here(["comparator"]))])
        if len(codes.rests.things) > 1:
            self._join(codes.with_rests, "meant")
        if codes.comparators.width:
            self._join(codes.comparators, *at(["comparator"]), "op")
            disagree = (col("merged") == NONE) & (col("how") != AMBIGUOUS)
            op = nw.when(col("merged") == NONE).then(nw.lit(0)).otherwise(col("merged")).cast(nw.Int64)
            self._with({"how": nw.when(disagree).then(nw.lit(NOTHING)).otherwise(col("how")).cast(nw.Int64), "op": op}, coded)

    def _join_answers(self, codes: TextCodes, answers: CodeAnswers) -> None:
        """Where each number lies."""
        col = self._col
        case = answers.case_key(col("pair"), col("kind") if self._keys.layout.get("facts") else nw.lit(0))
        if answers.shared is not None:
            self._with({"at_case": case.cast(nw.Int64)})
            self._join(answers.shared, "at_case")
            case = col("case")
        if len(codes.ranges.things) > 1 or codes.alone:
            if answers.shared is None:
                self._with({"case": case.cast(nw.Int64)})
            self._join_occasions(codes, answers)
            case = col("case")
        edges = answers.edges()
        self._with({"at_row": answers.row_key(case, col("op")).cast(nw.Int64)}, ["number", "how", "value", "alone"])
        self._join(edges, "at_row")
        lines = [nw.col(name) for name in edges.columns if name.startswith(self._name("edge"))]
        passed: nw.Expr = nw.lit(len(lines))
        for number, line in reversed(list(enumerate(lines))):
            passed = nw.when(col("number") >= line).then(passed).otherwise(nw.lit(number))
        place = col("first") + passed
        if codes.alone:
            place = nw.when(col("value") == NONE).then(place).otherwise(nw.when(col("alone") == NONE).then(place).otherwise(col("alone")))
        refused = col("refused") + nw.when(col("how") == AMBIGUOUS).then(1).otherwise(0)
        line = nw.when(col("how") >= AMBIGUOUS).then(refused).otherwise(place).fill_null(answers.unseen).cast(nw.Int64)
        self._with({"at_words": line}, ["number"])
        self._join(answers.words(), "at_words")

    def _join_occasions(self, codes: TextCodes, answers: CodeAnswers) -> None:
        """Printed ranges, and values that are compared alone: asked where they occur."""
        col, ranges = self._col, len(codes.ranges.things)
        if ranges > 1:
            self._join(answers.asking(), "case")
            printed = nw.when(col("asks") == 1).then(col("range")).otherwise(nw.lit(0))
            self._with({"printed": printed.cast(nw.Int64), "at_moved": answers.range_key(col("case"), printed).cast(nw.Int64)})
            # asked of all combinations, or of those that occur
            asking = answers.asking()[:, 0].to_list()
            if len(asking) * ranges > _PRODUCT:
                found = [(case, number) for case, number in self._occurring("case", "printed") if number]
            else:
                found = [(case, number) for case in asking for number in range(1, ranges)]
            self._join(answers.moved(found), "at_moved")
            self._with({"case": nw.when(col("printed") == 0).then(col("case")).otherwise(col("moved"))})
        if codes.alone:
            self._with({"value": col("odd_alone").fill_null(NONE)})
            key = nw.when(col("value") != NONE).then(answers.alone_key(col("case"), col("op"), col("value")))
            self._with({"at_alone": key})
            cases = range(answers.codes)
            if len(cases) * len(codes.ops) * len(codes.alone) > _PRODUCT:
                singles = [one for one in self._occurring("case", "op", "value") if one[2] != NONE]
            else:
                singles = [(case, op, value) for case in cases for op in codes.ops for value in range(len(codes.alone))]
            self._join(answers.alone(singles), "at_alone")

    def _occurring(self, *columns: str) -> Rows:
        found = fetched(self.frame, [[self._name(name) for name in columns]])[0]
        return [row for row in found if None not in row]

    # --- columns --------------------------------------------------------------------------------------------------

    def _written(self) -> nw.LazyFrame[Any]:
        col, asked = self._col, self._asked
        numbers = {"value": col("number") * col("said_read"), "si_value": col("number") * col("said_factor")}
        columns = {name: numbers[name] if name in numbers else col(f"said_{name}") for name in ADDED}
        kept = [nw.col(name) for name in asked.kept_columns(self._names)]
        return self.frame.select(*kept, *(column.alias(f"{asked.prefix}{name}") for name, column in columns.items()))
