"""A digest of the data files and of the modules that compile them: equal digests, equal tables."""

from __future__ import annotations

import hashlib
from pathlib import Path

FORMAT = 2  # of the compiled table; a table of another format is compiled anew
_BUILDERS = ("_compile", "_derived", "_files", "_names", "_rules", "_schema_analyte", "_schema_links", "_schema_parts", "_units")


def digest(root: Path) -> str:
    """The digest of a directory of data files.

    Args:
        root: Such as `reference_ranges/`.

    Returns:
        str: hexadecimal SHA-256.
    """
    state = hashlib.sha256(f"format {FORMAT}".encode())
    paths = sorted(p for p in root.rglob("*") if p.suffix == ".toml" or p.name == "VERSION")
    for path in [*paths, *(Path(__file__).with_name(f"{name}.py") for name in _BUILDERS)]:
        state.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()
