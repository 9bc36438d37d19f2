"""One value, one panel, one import: side by side in one run, because times on a shared machine mean nothing alone.

Run: `python -m benchmarks.scalar`. Medians of interleaved rounds; fresh processes for imports.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle

import labinterp as li
from labinterp._book import book_for
from labinterp._border import PanelModel, to_inputs

RESULTS = [
    ("25(OH)D", "18", "ng/mL"),
    ("Vitamin B12", "210", "pg/mL"),
    ("MMA", "0.52", "umol/L"),
    ("Homocysteine", "19", "umol/L"),
    ("Ferritin", "22", "ug/L"),
    ("Magnesium", "1.6", "mg/dL"),
]
PERSON = li.Patient(sex="female", age_years=71)
DOCUMENT = json.dumps(
    {"patient": {"sex": "female", "age_years": 71}, "results": [{"test": t, "value": v, "unit": u} for t, v, u in RESULTS]}
)
# the same six tests of sixty people: other ages, both sexes, other numbers; what a service sees that does not ask one thing twice
CROWD = [
    json.dumps(
        {
            "patient": {"id": f"p{n}", "sex": "female" if n % 2 else "male", "age_years": 30 + n},
            "results": [
                {"test": t, "value": f"{float(v) * (1 + (n * step) % 31 / 100):.{len(v.partition('.')[2])}f}", "unit": u}
                for step, (t, v, u) in enumerate(RESULTS, 1)
            ],
        }
    )
    for n in range(60)
]
# what pint is asked: the same six values, to the SI unit, with the analyte's molar mass in its chemistry context
PINT = [
    (18.0, "ng/mL", "nmol/L", "400.647 g/mol"),
    (210.0, "pg/mL", "pmol/L", "1355.388 g/mol"),
    (0.52, "umol/L", "nmol/L", "118.088 g/mol"),
    (19.0, "umol/L", "mg/L", "135.181 g/mol"),
    (22.0, "ug/L", "pmol/L", "445000 g/mol"),
    (1.6, "mg/dL", "mmol/L", "24.305 g/mol"),
]


def interleaved(cases: dict[str, Callable[[], object]], rounds: int = 75, seconds: float = 0.01) -> dict[str, float]:
    """Median time of one call of each case, in microseconds; the cases take turns."""
    counts = {}
    for name, case in cases.items():
        case()
        start = time.perf_counter()
        case()
        counts[name] = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            gc.disable()  # as timeit does: what one case leaves behind is not charged to the next
            start = time.perf_counter()
            for _ in range(counts[name]):
                case()
            times[name].append((time.perf_counter() - start) / counts[name] * 1e6)
            gc.enable()
    return {name: statistics.median(taken) for name, taken in times.items()}


def processes(cases: dict[str, str], rounds: int = 15) -> dict[str, float]:
    """Median time of a fresh process for each piece of code, in milliseconds; the cases take turns."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, code in cases.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


def panel(document: str = DOCUMENT) -> str:
    """JSON in, JSON out: the whole published form, with every citation."""
    patient, results = to_inputs(PanelModel.model_validate_json(document))
    return li.interpret(results, patient).to_json()


def unmet() -> str:
    """The same where these bands were not met together before: patterns and effects are worked out, not remembered."""
    catalog = li.Catalog.default()
    book_for(catalog, PERSON, None, catalog.as_of).wholes.clear()
    return panel()


def with_pint() -> Callable[[], object]:
    """The six conversions alone, as a careful user of pint would write them."""
    import pint

    registry = pint.UnitRegistry()
    masses = [registry.Quantity(mass) for *_, mass in PINT]

    def convert() -> object:
        return [
            registry.Quantity(value, unit).to(target, "chemistry", mw=mass)
            for (value, unit, target, _), mass in zip(PINT, masses, strict=True)
        ]

    return convert


def main() -> None:
    """Print the figures."""
    patient = PERSON
    one = li.LabResult("25(OH)D", "18", "ng/mL")
    odd = li.LabResult("25(OH)D", "<18,5", "ng/mL")
    numbers = cycle([li.LabResult("25(OH)D", f"{n / 10}", "ng/mL") for n in range(100, 400, 3)])
    people, others = cycle(CROWD), cycle(CROWD)
    validate = PanelModel.model_validate_json
    for document in CROWD * 2:
        panel(document)
    took = interleaved(
        {
            "one value": lambda: li.assess(one, patient),
            "one value, 100 in turn": lambda: li.assess(next(numbers), patient),
            "one odd value (<18,5)": lambda: li.assess(odd, patient),
            "panel, JSON to JSON": panel,
            "pydantic validation alone": lambda: validate(DOCUMENT),
            "panel, 60 people in turn": lambda: panel(next(people)),
            "pydantic alone, in turn": lambda: validate(next(others)),
            "pint, six conversions": with_pint(),
        }
    )
    took |= interleaved({"panel, unmet combination": unmet}, rounds=15)  # apart from the others: it empties what they remember
    for name, micro in took.items():
        print(f"{name:<28} {micro:10.2f} us")
    own = took["panel, JSON to JSON"]
    print(f"{'panel / pydantic alone':<28} {own / took['pydantic validation alone']:10.2f}   (aim 2.5)")
    print(f"{'the same, 60 in turn':<28} {took['panel, 60 people in turn'] / took['pydantic alone, in turn']:10.2f}")
    print(f"{'pint / panel':<28} {took['pint, six conversions'] / own:10.2f}   (aim 50)")
    first = "import labinterp as li; li.assess({'25(OH)D': '18 ng/mL'}, li.Patient(sex='female', age_years=71))"
    started = processes({"bare Python": "pass", "import labinterp": "import labinterp", "first answer": first})
    for name, milli in started.items():
        print(f"{name:<28} {milli:10.2f} ms")
    bare = started["bare Python"]
    print(f"{'import adds':<28} {started['import labinterp'] - bare:10.2f} ms (aim 25)")
    print(f"{'first answer / bare Python':<28} {started['first answer'] / bare:10.2f}   (aim 4, from an installed wheel)")


if __name__ == "__main__":
    main()
