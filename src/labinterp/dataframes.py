"""Frames of results, of any size: the same answers as `interpret`, one for each row, in the frame's own type.

Needs the extra "dataframes". polars, pandas, pyarrow and Dask frames are answered on this machine; DuckDB, PySpark and
Ibis frames (and through Ibis PostgreSQL, BigQuery, Snowflake) stay in their engine.

Example:
    >>> import polars as pl
    >>> frame = pl.DataFrame({"test": ["Ferritin", "25(OH)D"], "value": ["12", "<4"], "unit": ["ug/L", "ng/mL"], "sex": ["F", "F"]})
    >>> interpret_frame(frame.with_columns(age_years=34)).select("li_analyte", "li_code", "li_band").rows()
    [('ferritin', 'L', 'deficient'), ('vitamin_d', 'LU', 'deficient')]
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from labinterp.errors import InputError, MissingExtraError

try:
    import narwhals
    import numpy as np  # noqa: F401 - said here, so that what is missing is said once
    import polars as pl
except ImportError:
    raise MissingExtraError("dataframes") from None

from labinterp._draw_frames.panels import panel_frame
from labinterp._frames import local
from labinterp._frames.asked import asked

if TYPE_CHECKING:
    from datetime import date

    from labinterp._catalog import Catalog

Frame = TypeVar("Frame")
LOCAL, ENGINE = "local", "engine"


def interpret_frame(
    frame: Frame,
    *,
    test: str | None = "test",
    value: str | None = "value",
    unit: str | None = "unit",
    sex: str | None = "sex",
    age_years: str | None = "age_years",
    loinc: str | None = "loinc",
    specimen: str | None = "specimen",
    pregnant: str | None = "pregnant",
    birth_date: str | None = "birth_date",
    collected_at: str | None = "collected_at",
    patient_id: str | None = "patient_id",
    comparator: str | None = "comparator",
    ref_low: str | None = "ref_low",
    ref_high: str | None = "ref_high",
    ref_text: str | None = "ref_text",
    flag: str | None = "flag",
    context: str | None = "context",
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
    lane: str | None = None,
    prefix: str = "li_",
    columns: str = "all",
    near_limit: bool = False,
) -> Frame:
    """Answer every row of a long frame: one result a row.

    The answer of a row is what `interpret` says of that result alone, for the person the row describes. Results of the
    same draw do not look at each other here: a raised CRP in one row does not make a ferritin in another "inflamed", and a unit that the
    other rows contradict is not noticed. Say the first in the `context` column, or read whole draws with `panel_frame`.

    Args:
        frame: polars (eager or lazy), pandas, pyarrow, Dask, DuckDB, PySpark or Ibis, or a narwhals frame of one of them.
        test: Column with the test's name as printed.
        value: Column with the value as printed; texts and numbers are read. Texts keep what the laboratory wrote ("<4").
        unit: Column with the unit as printed.
        sex: Column with the sex.
        age_years: Column with the age at sampling, as a number of years or a text such as "6 months".
        loinc: Column with LOINC codes.
        specimen: Column with the specimen.
        pregnant: Column that says whether the person is pregnant, as booleans or words.
        birth_date: Column with the birth date; used with `collected_at` in rows without an age.
        collected_at: Column with the day of sampling.
        patient_id: Column with your own label of the person; only carried through.
        comparator: Column with "<", ">", ... where the source keeps it apart.
        ref_low: Column with the lower end of the laboratory's range.
        ref_high: Column with the upper end.
        ref_text: Column with the laboratory's range as text.
        flag: Column with the laboratory's flag; only carried through.
        context: Column with declared circumstances ("inflammation; ckd").
        authority: Whose limits, as for `interpret`.
        as_of: Day whose limits are used, as for `interpret`.
        catalog: Other data, as for `interpret`.
        decimal: Decimal mark of the source, "." or ",", where "1,060" reads two ways.
        lane: "local" or "engine"; default: engine for frames that live in one, else local.
        prefix: Before the names of the added columns.
        columns: "all" keeps every column of the frame; "results" keeps person, day and test.
        near_limit: Add `li_near_limit`: whether the value lies within half of its last printed digit of a line.

    Each keyword names a column; None means that there is none. A missing optional column is no error.

    Returns:
        The same type of frame with its rows in order and these columns added: li_analyte, li_comparator, li_value, li_unit (UCUM),
        li_si_value, li_si_unit, li_code, li_band, li_limits, li_reason. Where there is nothing to say there is a null.

    Raises:
        InputError: A column that is not there, or an argument that cannot be used.
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        MissingExtraError: The frame's engine needs a package that is not installed.

    Example:
        >>> import polars as pl
        >>> frame = pl.DataFrame({"test": ["B12", "B12"], "value": ["180", "n/a"], "unit": ["ng/L", "ng/L"], "age": [40, 40]})
        >>> interpret_frame(frame, age_years="age").select("li_band", "li_reason").rows()
        [('indeterminate', None), (None, 'unreadable_value')]

    Source:
        `li_limits` is the id of the limit set; `labinterp.Catalog.citations(id)` says where it is printed.
    """
    roles = {
        "test": test, "value": value, "unit": unit, "sex": sex, "age_years": age_years, "loinc": loinc, "specimen": specimen,
        "pregnant": pregnant, "birth_date": birth_date, "collected_at": collected_at, "patient_id": patient_id, "comparator": comparator,
        "ref_low": ref_low, "ref_high": ref_high, "ref_text": ref_text, "flag": flag, "context": context,
    }  # fmt: skip
    options: dict[str, Any] = {
        "authority": authority, "as_of": as_of, "catalog": catalog, "decimal": decimal, "prefix": prefix, "columns": columns,
        "near_limit": near_limit,
    }  # fmt: skip
    if lane not in (None, LOCAL, ENGINE):
        raise InputError(f"lane is 'local' or 'engine', not {lane!r}")
    native: Any = narwhals.to_native(frame, pass_through=True)
    if native is not frame:
        home = type(frame).__module__  # the caller's own version of narwhals' interface
        wrap = import_module(home).from_native if home.startswith("narwhals.stable.") else narwhals.from_native
        return cast("Frame", wrap(_answered(native, lane, roles, options)))
    return cast("Frame", _answered(native, lane, roles, options))


def _answered(frame: Any, lane: str | None, roles: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    kind = type(frame).__module__.split(".")[0]
    if lane is None:
        lane = LOCAL if kind in ("polars", "pandas", "pyarrow", "dask") else ENGINE
    if lane == ENGINE:
        from labinterp._frames import engine

        return engine.answered(frame, roles, options)
    if isinstance(frame, pl.LazyFrame):
        return local.lazy(frame, asked(frame.collect_schema(), roles, **options))
    if isinstance(frame, pl.DataFrame):
        return local.eager(frame, asked(frame.columns, roles, **options))
    if kind == "pyarrow" and hasattr(frame, "append_column"):
        return local.arrow(frame, asked(frame.column_names, roles, **options))
    if kind == "pandas" and hasattr(frame, "columns"):
        return local.pandas(frame, asked(frame.columns, roles, **options))
    if kind == "dask" and hasattr(frame, "map_partitions"):
        return local.dask(frame, asked(frame.columns, roles, **options))
    raise InputError(
        f"a frame of {type(frame).__module__}.{type(frame).__qualname__} is not read here; accepted: polars, pandas, pyarrow.Table, Dask"
        + (" (leave lane out for DuckDB, PySpark and Ibis)" if lane == LOCAL else "")
    )


__all__ = ["interpret_frame", "panel_frame"]
