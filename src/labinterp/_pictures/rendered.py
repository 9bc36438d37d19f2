"""Figures as SVG and PNG that carry their alt text and are the same at every run."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import matplotlib as mpl

from labinterp._pictures.said import alt_text
from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SOFTWARE = "labinterp"
_HEAD = re.compile(r"<svg [^>]*>")
_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML has no way to write


def svg(figure: Figure) -> str:
    """The figure as SVG: text stays text, and a screen reader finds title and description."""
    said = _XML.sub("", alt_text(figure))
    head = _first(said)
    out = io.BytesIO()
    # matplotlib reads these two settings nowhere else; they are put back at once
    with _quietly(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": _SOFTWARE}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": _SOFTWARE})
    text = out.getvalue().decode("utf-8")
    text = text[text.index("<svg ") :]
    mark = sha256(said.encode()).hexdigest()[:12]  # several pictures may stand in one page
    named = f'<title id="title-{mark}">{escape(head)}</title>\n <desc id="desc-{mark}">{escape(said)}</desc>'
    start = _HEAD.search(text)
    if start is None:  # pragma: no cover - matplotlib writes no SVG without its element
        raise InputError("the picture cannot be written as SVG")
    opened = start[0][:-1] + " " + f'role="img" aria-labelledby="title-{mark} desc-{mark}">'
    body = "\n".join(line.rstrip() for line in text[start.end() :].splitlines())
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opened}\n {named}{body}\n'


def png(figure: Figure, dpi: float) -> bytes:
    """The figure as PNG, with its alt text as its description."""
    if not 10 <= dpi <= 1200:
        raise InputError("dpi lies between 10 and 1200")
    said, out = alt_text(figure), io.BytesIO()
    with _quietly():
        figure.savefig(out, format="png", dpi=dpi, metadata={"Title": _first(said), "Description": said, "Software": _SOFTWARE})
    return out.getvalue()


def _first(text: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=\.) ", text, maxsplit=1)[0]


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the warning for each letter that a font lacks: it would print a person's text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
