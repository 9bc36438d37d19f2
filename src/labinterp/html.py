"""Reports as one page of HTML for a browser, a phone or a printer. Needs the extra "html".

The page holds everything it needs: no script, no font and no picture comes from elsewhere, and a content security policy in
the page forbids them. Everything that came from a file is escaped.

Example:
    >>> from labinterp import interpret
    >>> from labinterp.html import page
    >>> text = page([interpret({"vitamin D": "18 ng/mL"})], language="de")
    >>> text.splitlines()[1], "Nicht beurteilt" in text
    ('<html lang="de">', False)
"""

from __future__ import annotations

from labinterp.errors import MissingExtraError

try:
    import jinja2  # noqa: F401 - said here, so that what is missing is said once
except ImportError:
    raise MissingExtraError("html") from None

from labinterp._pages.messages import languages
from labinterp._pages.page import page

__all__ = ["languages", "page"]
