"""Files of any size, row by row, in memory that does not grow: read, answered, counted and written as they stream by.

Needs the extra "dataframes". The answer of a row is what `interpret_frame` says; nothing is decided here.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, cast

from labinterp._table import NUMBER
from labinterp.errors import InputError, LabInterpError, MissingExtraError

try:
    import narwhals  # noqa: F401 - said here, so that what is missing is said once
    import numpy as np  # noqa: F401
    import polars as pl
except ImportError:
    raise MissingExtraError("dataframes") from None

from labinterp._frames.asked import READ, RESULTS, Asked, asked
from labinterp._frames.asked import ROLES as ASKED_ROLES
from labinterp._streams.blocks import BLANK, STATE, TORN
from labinterp._streams.paired import Paired
from labinterp._streams.pieces import Given
from labinterp._streams.plain import NotPlainError
from labinterp._streams.progress import Progress
from labinterp._streams.scans import How, Scan, scan
from labinterp._streams.stated import Stated
from labinterp._streams.tally import Tally, lines
from labinterp._streams.watch import StoppedError, Watch
from labinterp._streams.ways import PARQUET, Way
from labinterp._streams.written import appearing, appearing_folder, sink_csv
from labinterp._summary import ADDED

_ANSWERS = "labinterp: answers"
_PATIENCE = 5.0  # seconds that a run is given to end; one that waits for a pipe may not


class Wish(NamedTuple):
    """What is to come out.

    Attributes:
        way: Where to, in which form.
        kept: "all" columns of the caller, or "results".
        how: How files are read.
        stated: Facts for rows that do not state them.
        options: For `asked`: authority, as_of, catalog, decimal.
    """

    way: Way
    kept: str
    how: How
    stated: Stated
    options: Mapping[str, Any]


def streamed(
    given: Sequence[Given],
    way: Way,
    kept: str,
    reading: Mapping[str, Any],
    stated: Mapping[str, Any],
    options: Mapping[str, Any],
) -> tuple[dict[str, Any], list[str]]:
    """Run as the command line asks for it.

    Args:
        given: Files.
        way: Where to, in which form.
        kept: "all" or "results".
        reading: The fields of `How`.
        stated: sex, age and pregnant, for rows that do not state them.
        options: For `asked`: authority, as_of, catalog, decimal.

    Returns:
        tuple: what came of the rows, as data and as lines for the terminal.
    """
    wish = Wish(way, kept, How(**reading), Stated(options["catalog"], **stated), options)
    try:
        tally = run(given, wish, Progress(), plainly=True)
    except NotPlainError:  # nothing of it was kept
        tally = run(given, wish, Progress())
    document = tally.document()
    return document, lines(document)


def run(given: Sequence[Given], wish: Wish, progress: Progress, plainly: bool = False) -> Tally:
    """Answer all rows and write them.

    Args:
        given: Files.
        wish: What is to come out.
        progress: Shows how far it is.
        plainly: Whether polars may read plain files of text itself.

    Returns:
        Tally: what came of the rows.

    Raises:
        InputError: A file that cannot be read or written. No output is left.
        NotPlainError: A file that was taken for a plain one is none. No output is left.
        KeyboardInterrupt: As it came; no output is left.
    """
    kinds = {one.kind == PARQUET for one in given}
    if len(kinds) > 1:
        raise InputError("some of these files are Parquet and some are text; run them one kind at a time, such as 'FOLDER/*.csv'")
    watch, tally, plainly = Watch(), Tally(), plainly and wish.kept != RESULTS and wish.way.out is not None
    with ExitStack() as stack:
        if not wish.way.folder:
            jobs = [_job(given, wish.way.out, wish, watch, tally, stack, plainly)]
        else:
            folder = stack.enter_context(appearing_folder(wish.way.out or Path()))
            jobs = [
                _job([one], folder / name, wish, watch, tally, stack, plainly) for one, name in zip(given, _names(given, wish), strict=True)
            ]
        try:
            _supervised(lambda: [job() for job in jobs], watch, lambda: progress.show(watch.done, watch.total, tally.rows), progress.close)
        except InputError:
            if plainly and isinstance(watch.failure, pl.exceptions.PolarsError):
                raise NotPlainError from None
            raise
        if plainly and tally.rows != watch.rows:
            raise NotPlainError
        if tally.rows != watch.rows:
            raise InputError(
                f"{watch.rows} rows were read and {tally.rows} answered; nothing was kept. This is a fault of labinterp: please report it"
            )
    return tally


def _names(given: Sequence[Given], wish: Wish) -> list[str]:
    names = [f"{one.stem}.{wish.way.form}{wish.way.packed}" for one in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"two of the files would both become {twice!r} in the folder; run them one by one")
    return names


def _job(
    given: Sequence[Given], out: Path | None, wish: Wish, watch: Watch, tally: Tally, stack: ExitStack, plainly: bool
) -> Callable[[], None]:
    """What is to be done for one output; all that can be said beforehand is said now."""
    found = scan(given, wish.how, watch, plainly)
    question = _asked(found, wish)
    kept = list(dict.fromkeys([*question.kept_columns(found.names), *([wish.how.source_column] if wish.how.source_column else [])]))
    frame = _answered(found, question, kept, wish.stated, tally, watch)
    printed = dict(zip(found.names, found.header, strict=True))
    header = [*(printed[name] for name in kept), *question.added()]
    way, delimiter = wish.way, wish.way.delimiter or found.delimiter
    place = out if out is None or way.folder else stack.enter_context(appearing(out))

    def work() -> None:
        before = tally.rows
        if way.form == PARQUET:
            frame.sink_parquet(str(place))
            written = int(pl.scan_parquet(str(place), glob=False).select(pl.len()).collect().item())
            if written != tally.rows - before:
                raise InputError(f"{tally.rows - before} rows were answered and {written} written; nothing was kept. Please report this")
        elif place is None:
            sink_csv(frame, header, sys.stdout.buffer, delimiter, way.packed, watch.busy)
        else:
            with place.open("wb") as file:
                sink_csv(frame, header, file, delimiter, way.packed, watch.busy)

    return work


def _asked(found: Scan, wish: Wish) -> Asked:
    clash = [name for name in found.names if name.strip() in {f"li_{one}" for one in ADDED}]
    if clash and wish.kept != RESULTS:
        raise InputError(f"the file already has the column {clash[0]!r}; rename it, or use --columns results")
    roles = {role: name for role, name in found.roles.items() if role in ASKED_ROLES}
    names = [name for name in found.names if name not in clash]
    return asked(names, roles, columns=wish.kept, **wish.options)


def _answered(found: Scan, question: Asked, kept: list[str], stated: Stated, tally: Tally, watch: Watch) -> pl.LazyFrame:
    """A plan that answers and counts each batch as it streams by."""
    reader = question.reader()
    types = {f"{question.prefix}{name}": dtype for name, dtype in reader.schema().items()}
    columns = {role: found.roles[role] for role in (*READ, "trimester", NUMBER) if role in found.roles}
    text, names = STATE in found.frame.collect_schema(), list(types)
    paired = Paired(question.decimal)

    def answer(batch: pl.Series, **_: object) -> pl.Series:
        with watch.busy():
            try:
                watch.check()
                parts = batch.struct.unnest()
                fields = {role: parts[role] for role in columns}
                state = parts[STATE] if text else None
                answers = _of_batch(reader, stated, paired.of(fields), state, len(batch))
                tally.add(answers, fields, None if state is None or not state.max() else state == BLANK)
                if not text:
                    watch.done = tally.rows
                answers.columns = names
                return answers.to_struct()
            except BaseException as error:
                watch.failed(error)
                raise

    fields = [pl.col(name).alias(role) for role, name in columns.items()] + ([pl.col(STATE)] if text else [])
    answers = pl.struct(fields).map_batches(answer, return_dtype=pl.Struct(types), is_elementwise=True).alias(_ANSWERS)
    return found.frame.select(*kept, answers).unnest(_ANSWERS)


def _of_batch(reader: Any, stated: Stated, fields: dict[str, pl.Series], state: pl.Series | None, height: int) -> pl.DataFrame:
    columns = stated.filled(fields, height)
    if "specimen" in columns and columns["specimen"].dtype == pl.String:
        columns["specimen"] = columns["specimen"].str.strip_chars()  # a blank cell names no specimen
    if state is None or not state.max():
        return cast("pl.DataFrame", reader.answer(columns, height))
    # a row with more cells than the header has no value that could be trusted, a blank line no answer at all
    columns["value"] = columns["value"].set(state == TORN, None)
    blank = state == BLANK
    return cast("pl.DataFrame", reader.answer(columns, height)).with_columns(pl.when(~blank).then(pl.all()))


# --- in another thread --------------------------------------------------------------------------------------


def _supervised(work: Callable[[], object], watch: Watch, show: Callable[[], None], close: Callable[[], None]) -> None:
    """Run in another thread, so that this one can draw, and stop the run at any time."""
    over = threading.Event()

    def job() -> None:
        try:
            work()
        except BaseException as error:  # it is raised again in the thread that waits
            watch.failed(error)
        finally:
            over.set()

    main = threading.current_thread() is threading.main_thread()
    # Ctrl-C is taken over, too: polars would raise it in any of its threads, and break down there
    before = {number: signal.signal(number, _ended) for number in (signal.SIGINT, signal.SIGTERM, *_hangup())} if main else {}
    thread = threading.Thread(target=job, name="labinterp", daemon=True)
    whole = False
    try:
        thread.start()
        while not over.wait(0.1):
            show()
        whole = watch.failure is None
    finally:
        watch.stop()
        thread.join(_PATIENCE)
        if not whole:
            watch.ended(_PATIENCE)
        for number, handler in before.items():
            signal.signal(number, handler)
        close()
    if watch.failure is not None:
        raise _plain(watch.failure)


def _hangup() -> list[int]:
    return [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


def _ended(number: int, _: object) -> None:
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _plain(error: BaseException) -> BaseException:
    """An error of an engine in the words of this program; what an engine says may hold a patient's text."""
    if isinstance(error, (LabInterpError, StoppedError, MemoryError)) or not isinstance(error, (OSError, pl.exceptions.PolarsError)):
        return error
    number = re.search(r"\(os error (\d+)\)", str(error))
    if number or isinstance(error, OSError):
        said = os.strerror(int(number[1])) if number else getattr(error, "strerror", None) or "the disk or pipe does not take it"
        return InputError(f"the output cannot be written: {said}")
    return InputError(
        f"the run broke off ({type(error).__name__}); no output was left. Is the input whole? Get it again, or try one file alone"
    )
