"""The documents: every relative link leads to a file and a heading, and the index names all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/*/*/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
_CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMES = re.compile(r"((?:`\w+`(?:, | and )?)+)\s+in\s+\[[^\]]+\]\(([^)#]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def links(page: Path) -> Iterator[str]:
    """Return the relative links of a page; what stands in code is no link."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    return (link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        # Where a page is shown on the web, a link through a symbolic link leads nowhere.
        straight = Path(os.path.normpath(target))
        whole = target.exists() and target.resolve() == straight
        if not whole or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_what_the_architecture_names_is_there() -> None:
    page = DOCS / "architecture.md"
    found = _NAMES.findall(page.read_text(encoding="utf-8"))
    assert len(found) > 10
    for names, link in found:
        source = (DOCS / link).read_text(encoding="utf-8")
        missing = [name for name in re.findall(r"\w+", names) if name not in source]
        assert not missing, f"{page}: {missing} in {link}"


def test_the_index_names_every_document() -> None:
    index = DOCS / "README.md"
    named = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}
    assert set(DOCS.glob("*.md")) - named == {index}


def test_the_readme_states_the_defaults_of_the_parameters() -> None:
    page = (DOCS / "parameters.md").read_text(encoding="utf-8")
    sections = re.split(r"^## (\w+).*$", page, flags=re.MULTILINE)[1:]
    defaults = {
        (node, *row)
        for node, text in zip(sections[::2], sections[1::2], strict=True)
        for row in re.findall(r"^\| (`[^`]+`) \| [^|]+ \| (`[^`]+`) \|", text, re.MULTILINE)
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### Parameters")[2].partition("\n## ")[0]
    stated = set(re.findall(r"^\| (\w+) \| (`[^`]+`) \| (`[^`]+`) \|", section, re.MULTILINE))
    assert stated
    assert stated <= defaults


def test_the_python_code_of_the_readme_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert programs
    # Those of nodes run until they are ended; test_examples.py runs them.
    examples = [path.read_text(encoding="utf-8") for path in ROOT.glob("examples/*.py")]
    nodes = [program for program in programs if any(text.endswith(program) for text in examples)]
    assert len(nodes) == 1
    for program in set(programs) - set(nodes):
        exec(compile(program, "README.md", "exec"), {})
