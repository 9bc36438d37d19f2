"""Reports -> one page of HTML that holds everything it needs: no script, no font, no picture from elsewhere.

Needs the extra "html".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._pages.messages import Messages
from labinterp._pages.people import most_urgent_first, people, tally
from labinterp._pages.shown import Shown
from labinterp._pages.strip import strip
from labinterp._report import Report
from labinterp.errors import InputError, MissingExtraError

try:
    import jinja2
except ImportError:
    raise MissingExtraError("html") from None

if TYPE_CHECKING:
    from datetime import date


MOST = 2000  # reports; some 40 MB, and browsers grow slow beyond that


@cache
def templates() -> jinja2.Environment:
    """The templates of the package. Everything is escaped, and a name that is not there is an error, not an empty text."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("labinterp._pages"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip


def page(
    reports: Iterable[Report], catalog: Catalog | None = None, *, language: str = "en", days: Sequence[date | None] | None = None
) -> str:
    """One page for one person, or with a list of everybody in front for many.

    Args:
        reports: One or more, up to 2,000.
        catalog: What they were made with; default: the catalog of the first finding, else the one that ships.
        language: Of the page, as `languages()` lists them. Sentences of the catalog that have no translation are English, and marked so.
        days: When the sample of each report was taken.

    Returns:
        str: a whole HTML document.

    Raises:
        InputError: No report, or too many; no words in this language; another number of days than of reports.

    Example:
        >>> from labinterp import interpret
        >>> page([interpret({"vitamin D": "18 ng/mL"})]).splitlines()[0]
        '<!DOCTYPE html>'
    """
    listed = list(reports)
    if not listed:
        raise InputError("a page needs at least one report")
    if len(listed) > MOST:
        raise InputError(f"a page shows at most {MOST} sets of results, and these are {len(listed)}; give a part of them")
    if days is not None and len(days) != len(listed):
        raise InputError("days are as many as there are reports; None where one is not known")
    catalog = catalog or catalog_of(listed)
    messages = Messages(language)
    everybody = people(listed, days or ())
    return templates().get_template("page.html").render(
        shown=Shown(catalog, messages), t=messages.message, plain=messages.plain, n=messages.count, counted=messages.counted,
        said=messages.said, english=messages.english, language=language, catalog=catalog, version=__version__, strip=strip,
        people=everybody, ordered=most_urgent_first(everybody), total=tally(listed), told_days=days is not None, as_of=limits_day(listed, catalog),
        disclaimer=listed[0].disclaimer, standing=listed[0].standing,
    )  # fmt: skip


def catalog_of(reports: Iterable[Report]) -> Catalog:
    """The catalog that answered; the one that ships where no finding tells."""
    return next((f.basis.catalog for report in reports for f in (*report.findings, *report.derived)), Catalog.default())


def limits_day(reports: Iterable[Report], catalog: Catalog) -> str:
    """The day whose limits answered; where findings differ, all days that were used."""
    found = {f.basis.as_of for report in reports for f in (*report.findings, *report.derived)}
    return ", ".join(sorted(found)) or catalog.as_of


def fragment(template: str, catalog: Catalog, names: Mapping[str, Any]) -> str:
    """A piece of HTML for a notebook.

    Args:
        template: Its file's name.
        catalog: For names.
        names: What it shows.
    """
    messages = Messages()
    return (
        templates()
        .get_template(template)
        .render(shown=Shown(catalog, messages), t=messages.message, n=messages.count, said=messages.said, **names)
    )
