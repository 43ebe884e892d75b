"""Text that is made anew takes the place of what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_bench.markers import replace
from fer_common.core.errors import FerError


def test_figures_take_the_place_of_those_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- begin of the figures -->\nold\n<!-- end of the figures -->\nb\n")
    replace(page, "figures", "new")
    expected = "a\n<!-- begin of the figures -->\n\nnew\n\n<!-- end of the figures -->\nb\n"
    assert page.read_text() == expected
    with pytest.raises(FerError, match="begin of the others"):
        replace(page, "others", "new")
