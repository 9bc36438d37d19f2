"""An extension for griffe: the docstrings say `Example:`; read as `Examples:` the section is shown as code."""

from __future__ import annotations

import re
from typing import Any

import griffe


class ExamplesAreCode(griffe.Extension):
    """Turn the heading before a docstring is taken apart."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Each object with a docstring, as it is found."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^(\s*)Example:[ \t]*$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)
