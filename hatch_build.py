"""Build hook: compile `reference_ranges/` into the one JSON table that a wheel answers from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalog(BuildHookInterface[Any]):
    """Writes `src/labinterp/catalog.json`, with a digest of what it was made from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are collected; a problem in the data stops the build."""
        root = Path(self.root)
        source = root / "reference_ranges"
        sys.path.insert(0, str(root / "src"))
        try:
            from labinterp._checks import checked_files
            from labinterp._compile import compile_table
            from labinterp._digest import digest

            table = compile_table(checked_files(source), digest(source))
        finally:
            sys.path.remove(str(root / "src"))
        text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=False)
        (root / "src" / "labinterp" / "catalog.json").write_text(text, "utf-8")
