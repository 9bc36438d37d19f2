"""The browser that pages are looked at with: where it is, how it is started, and what is missing for it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AXE = ROOT / "tests" / "vendor" / "axe.min.js"
CHROMIUM = (
    os.environ.get("LABINTERP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
MISSING = [what for what, there in (("playwright", importlib.util.find_spec("playwright")), ("chromium", CHROMIUM)) if not there]
WIDTHS, SCHEMES = (390, 1280), ("light", "dark")
