"""Settings of Sphinx for the pages about the Python interface: `make docs` writes build/docs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sphinx.ext import apidoc

SOURCES = Path(__file__).parents[2] / "src"
#: Packages with pages, and what is left out of them: nodes, windows and commands have documents.
PACKAGES = {
    "fer_common": ("ros",),
    "fer_camera": ("ros",),
    "fer_features": ("ros",),
    "fer_snn": ("ros",),
    "fer_viz": ("ros", "dashboard", "web"),
    "fer_train": ("cli",),
}

project = "fer"
author = "The fer developers"
release = str(ElementTree.parse(SOURCES / "fer/package.xml").findtext("version"))
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    # Draws equations as pictures, so that the pages need no network.
    "matplotlib.sphinxext.mathmpl",
]
#: `fer_snn` offers names of its modules once more.
suppress_warnings = ["ref.python"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "260px"}
exclude_patterns = ["modules/modules.rst"]
default_role = "code"
highlight_language = "none"
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
#: Only exports need it, so a plain installation has none.
autodoc_mock_imports = ["nir"]
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
mathmpl_fontset = "cm"
mathmpl_fontsize = 12.0
mathmpl_srcset = ["2x"]

_ENTRY = re.compile(r"(\*{0,2}\w[\w, *]*?) : (.*)")
_UNDERLINE = re.compile(r"-{3,}")
#: Sections of entries "name : description" on one line, which are our short form.
_ENTRIES = ("Parameters", "Attributes", "Raises")


def readable(
    app: Any, what: str, name: str, subject: object, options: object, lines: list[str]
) -> None:
    """Write a docstring as napoleon and reStructuredText want it.

    Entries "name : description" get their description on a line of its own, "Returns" is prose,
    and indented blocks (formulas, tables) are shown as they are.
    """
    result: list[str] = []
    section, literal = "", False
    for index, line in enumerate(lines):
        after = lines[index + 1] if index + 1 < len(lines) else ""
        if line and _UNDERLINE.fullmatch(after):
            section = line
        entry = _ENTRY.fullmatch(line) if section in _ENTRIES else None
        indented = line.startswith("    ")
        literal = literal and (indented or not line)
        if section == "Returns" and (line == section or _UNDERLINE.fullmatch(line)):
            result += ["**Returns**", ""] if line == section else []
        elif entry:
            result += [entry[1], f"    {_escaped(entry[2])}"]
        elif indented and not literal and section not in _ENTRIES and not (result or [""])[-1]:
            literal = True
            result += ["::", "", line]
        else:
            result.append(line if literal else _escaped(line))
    lines[:] = result


def _escaped(line: str) -> str:
    """Return a line whose bars, which stand for absolute values, mean no substitution."""
    parts = line.split("`")
    parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def write_modules(app: Any) -> None:
    """Write a page for every module, and leave none of a module that has gone."""
    modules = Path(app.srcdir) / "modules"
    shutil.rmtree(modules, ignore_errors=True)
    for package, left_out in PACKAGES.items():
        folder = SOURCES / package / package
        apidoc.main(
            ["--force", "-q", "--separate", "--no-toc", "--module-first", "--maxdepth", "2"]
            + ["--output-dir", str(modules), str(folder)]
            + [str(folder / name) for name in left_out]
        )


def setup(app: Any) -> None:
    """Connect the functions above."""
    app.connect("builder-inited", write_modules)
    # Before napoleon.
    app.connect("autodoc-process-docstring", readable, priority=400)
