"""What the documents link to exists."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)(?:#([^)\s]+))?\)|\]\(#([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    broken = []
    for name, far, near in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        anchor = far or near
        target = Path(os.path.normpath(page.parent / name)) if name else page
        if not target.exists() or target.resolve() != target:
            broken.append(name)
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            broken.append(f"{name}#{anchor}")
    assert broken == [], "missing, or below a symbolic link, which a web page does not follow"
