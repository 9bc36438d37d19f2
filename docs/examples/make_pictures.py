"""The pictures of docs/pictures.md.

python docs/examples/make_pictures.py [FOLDER]
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

import labinterp as li
from labinterp import plots, readers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent


def pictures() -> dict[str, Figure]:
    """Each picture by the name of its file; the people are invented."""
    (panel,) = readers.read_file(HERE / "panel.csv").panels
    report = li.interpret(panel.results, panel.patient, rows=panel.rows)
    vitamin_d = report.finding("vitamin_d")
    assert vitamin_d is not None
    boy = li.Patient(sex="male", birth_date=date(2012, 6, 15))
    drawn = [("105", "g/L", 2015), ("11.4", "g/dL", 2017), ("<110", "g/L", 2021), ("118", "g/L", 2024)]
    haemoglobin = [li.LabResult("Hb", value, unit, collected_at=date(year, 9, 12)) for value, unit, year in drawn]
    return {
        "panel.svg": plots.panel(report),
        "value.svg": plots.value(vitamin_d, authorities=["nam", "ros-2018", "ags-2014", "mayo"]),
        "trend.svg": plots.trend(haemoglobin, "hemoglobin", patient=boy),
        "story.svg": plots.story(report),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE / "pictures"
    with mpl.rc_context({**mpl.rcParamsDefault, "font.family": "DejaVu Sans", "backend": mpl.rcParams["backend"]}):
        for name, figure in pictures().items():
            plots.save(figure, folder / name)
