"""What a caller asks of draws: which columns make one, and how far from its first day a window reaches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from labinterp._draw_frames.panel_rows import ADDED
from labinterp._frames.asked import READ, Asked
from labinterp.errors import InputError

_WITHIN = re.compile(r"\s*(\d{1,5})\s*(d|days?|h|hours?|w|weeks?)\s*", re.IGNORECASE)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "w": timedelta(weeks=1)}


class Drawn(NamedTuple):
    """What is asked of a frame, checked.

    Attributes:
        asked: Roles, catalog, whose limits.
        by: The columns that come back.
        person: The one of them with the person's label, if any.
        by_day: Whether the day is among them.
        within: How far a window reaches.
        by_clock: Whether the time of day counts for that.
        row_id: The column that labels rows.
        research: Whether links with little evidence are asked for where a single mild value is all there is.
    """

    asked: Asked
    by: list[Any]
    person: Any
    by_day: bool
    within: timedelta | None
    by_clock: bool
    row_id: Any
    research: bool

    @property
    def needed(self) -> dict[str, Any]:
        """Role -> column that answers depend on."""
        return {role: self.asked.columns[role] for role in READ if role in self.asked.columns}

    @property
    def labels(self) -> list[Any]:
        """The columns that tell draws apart, but for the day."""
        return [name for name in self.by if not (self.by_day and name == self.asked.columns["collected_at"])]


def drawn_by(
    names: list[Any], found: Asked, by: Sequence[Any], within: str | timedelta | None, row_id: Any, research: bool = False
) -> Drawn:
    """Check what makes a draw against the columns of a frame.

    Args:
        names: The frame's column names.
        found: The roles of its columns.
        by: Role or column names.
        within: How far a window reaches.
        row_id: The column that labels rows, or None.
        research: Whether links with little evidence are asked for.

    Raises:
        InputError: A column that is not there or stands twice, or a time that cannot be read.
    """
    if isinstance(by, str):
        by = [by]
    chosen = []
    for name in by:
        column = found.columns.get(name, name)
        if column not in names:
            hint = f"; name it, such as {name}='COLUMN', or say what makes a draw, such as by=['patient_id']"
            raise InputError(f"there is no column {column!r} to part draws by{hint if name in ('patient_id', 'collected_at') else ''}")
        if names.count(column) > 1:
            raise InputError(f"the column {column!r} stands {names.count(column)} times in the frame; draws are parted by one column")
        if column not in chosen:
            chosen.append(column)
    if not chosen:
        raise InputError("by names at least one column, such as by=['patient_id', 'collected_at']")
    if row_id is not None and names.count(row_id) != 1:
        raise InputError(f"row_id is the name of one column of the frame, not {row_id!r}")
    clash = [name for name in chosen if name in [f"{found.prefix}{added}" for added in ADDED]]
    if clash:
        raise InputError(f"an answer column would be called {clash[0]!r}, too; give another prefix (prefix='labinterp_')")
    person, day = found.columns.get("patient_id"), found.columns.get("collected_at")
    reach, by_clock = _reach(within)
    if reach is not None and (day is None or day not in chosen):
        raise InputError("within needs the day of sampling among the columns of by")
    return Drawn(
        found, chosen, person if person in chosen else None, day in chosen and day is not None, reach, by_clock, row_id, bool(research)
    )


def _reach(within: str | timedelta | None) -> tuple[timedelta | None, bool]:
    """How far a window reaches, and whether the time of day counts."""
    if within is None:
        return None, False
    if isinstance(within, timedelta):
        reach, by_clock = within, within % timedelta(days=1) != timedelta()
    else:
        read = _WITHIN.fullmatch(within) if isinstance(within, str) else None
        if read is None:
            raise InputError(f"within is a time such as '7d' or '36h', or a timedelta, not {within!r}")
        reach, by_clock = int(read[1]) * _UNITS[read[2][0].lower()], read[2][0].lower() == "h"
    if reach < timedelta():
        raise InputError("within is a time after the first draw; it cannot be negative")
    return reach, by_clock
