"""Hooks of the documentation build: pages made from the catalog and the docstrings, and documents that stand outside `docs/`.

The build reads the installed package; it needs no network. `mkdocs build --strict` calls it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

from analyte_pages import analyte_page, analytes_page, front_matter  # noqa: E402 - the folder is put on the path first

from labinterp import Catalog  # noqa: E402

# Documents of the repository -> where they stand in the site.
OUTSIDE = {
    "README.md": "readme.md",
    "CHANGELOG.md": "catalog/PROGRAM.md",
    "reference_ranges/README.md": "catalog/README.md",
    "reference_ranges/CHANGELOG.md": "catalog/CHANGELOG.md",
    "benchmarks/README.md": "catalog/BENCHMARKS.md",
    "tests/data/PROVENANCE.md": "catalog/TEST_DATA.md",
}
# Public modules, in the order of the reference: page -> title, what stands on it.
REFERENCE = {
    "interpret": (
        "Interpret, assess, convert",
        ["labinterp.interpret", "labinterp.assess", "labinterp.convert", "labinterp.authorities"],
    ),
    "inputs": ("What goes in", ["labinterp.Patient", "labinterp.LabResult", "labinterp.Quantity"]),
    "report": (
        "What comes out",
        [
            "labinterp.Report", "labinterp.Finding", "labinterp.NotAssessed", "labinterp.PatternMatch", "labinterp.Effect",
            "labinterp.Advice", "labinterp.Alert",
        ],
    ),
    "catalog": ("The catalog", ["labinterp.Catalog", "labinterp.Analyte"]),
    "errors": ("Errors", ["labinterp.errors"]),
}  # fmt: skip
MODULES = ("readers", "dataframes", "fhir", "hl7v2", "omop", "plots", "html", "service", "testing")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """Fill in the parts of the navigation that the code and the catalog decide."""
    analytes = Catalog.default().analytes
    for entry in config.nav:
        if entry.get("Analytes") == "analytes/":
            entry["Analytes"] = ["analytes/index.md", *({a.name: f"analytes/{a.id}.md"} for a in analytes.values())]
        if entry.get("Reference") == "reference/":
            entry["Reference"] = [*({title: f"reference/{page}.md"} for page, (title, _) in reference().items())]
    return config


def reference() -> dict[str, tuple[str, list[str]]]:
    """The pages of the reference; of the edges those that this version has."""
    here = {path.stem for path in (ROOT / "src" / "labinterp").glob("*.py")}
    return {**REFERENCE, **{name: (f"labinterp.{name}", [f"labinterp.{name}"]) for name in MODULES if name in here}}


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages and the documents that stand outside the folder."""
    catalog = Catalog.default()
    pages = {"analytes/index.md": analytes_page(catalog)}
    pages |= {f"analytes/{id}.md": analyte_page(catalog, id) for id in catalog.analytes}
    for page, (title, names) in reference().items():
        pages[f"reference/{page}.md"] = (
            front_matter(f"Reference: {title}, with arguments, errors and examples")
            + f"\n# {title}\n\n"
            + "\n\n".join(f"::: {name}" for name in names)
            + "\n"
        )
    pages |= {place: (ROOT / source).read_text("utf-8") for source, place in OUTSIDE.items()}
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_post_page(output: str, **_: Any) -> str:
    """Give the theme's search a name, which a screen reader says when it opens."""
    return output.replace('data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"')


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to where their documents stand in the site; a link to a file of the code becomes its name."""
    place = page.file.src_uri
    home = next((source for source, site in OUTSIDE.items() if site == place), None)
    origin = home or f"docs/{place}"

    def moved(found: re.Match[str]) -> str:
        text, target = found[1], found[2]
        path, mark, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return found[0]
        aim = normpath(join(dirname(origin), path))
        if aim in OUTSIDE:
            site = OUTSIDE[aim]
        elif aim == "reference_ranges/analytes":
            site = "analytes/index.md"
        elif aim.startswith("docs/") and aim.endswith((".md", ".ipynb")):
            site = aim.removeprefix("docs/")
        elif aim.startswith("docs/") or origin.startswith("docs/analytes/"):
            return (
                found[0] if (ROOT / aim).is_file() and not aim.startswith("docs/examples/our") and aim.endswith((".svg", ".png")) else text
            )
        else:
            return text if text.startswith("`") else f"{text} (`{aim}`)"
        return f"[{text}]({relpath(site, dirname(place) or '.')}{mark}{anchor})"

    def shown(found: re.Match[str]) -> str:
        aim = normpath(join(dirname(origin), found[2]))
        return f"![{found[1]}]({relpath(aim.removeprefix('docs/'), dirname(place) or '.')})"

    parts = _FENCE.split(markdown)
    return "".join(part if number % 2 else _PICTURE.sub(shown, _LINK.sub(moved, part)) for number, part in enumerate(parts))
