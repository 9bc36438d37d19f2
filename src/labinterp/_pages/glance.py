"""What a notebook shows of a report, a finding, a refusal, an analyte or a catalog: small, escaped, in light and dark.

Without the extra "html" nothing is shown here, and the notebook prints the plain form.
"""

from __future__ import annotations

from typing import Any

from labinterp._analyte import Analyte
from labinterp._catalog import Catalog
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import MissingExtraError

MOST = 40  # rows; a notebook is for looking, a page for reading


def glance(item: Report | Finding | NotAssessed | Analyte | Catalog) -> str | None:
    """A piece of HTML, or None where the extra "html" is not installed.

    Args:
        item: What is to be shown.

    Example:
        >>> from labinterp import assess
        >>> "some at risk of inadequacy" in glance(assess({"vitamin D": "18 ng/mL"}))
        True
    """
    try:
        from labinterp._pages.page import catalog_of, fragment
    except MissingExtraError:
        return None
    names: dict[str, Any] = {"most": MOST, "report": None, "rows": [], "derived": [], "analytes": [], "catalog": None}
    if isinstance(item, Report):
        catalog = catalog_of([item])
        names |= {"report": item, "rows": list(item.rows()), "derived": list(item.derived)}
    elif isinstance(item, Finding):
        catalog = item.basis.catalog
        names["derived" if item.derived_from else "rows"] = [item]
    elif isinstance(item, NotAssessed):
        catalog = Catalog.default()
        names["rows"] = [item]
    elif isinstance(item, Analyte):
        catalog = Catalog.default()
        names["analytes"] = [item]
    else:
        catalog = item
        names |= {"catalog": item, "analytes": list(item.analytes.values())}
    return fragment("glance.html", catalog, names)
