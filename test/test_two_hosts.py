"""The graph on two hosts, joined by a link that loses packets and is cut: in namespaces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fer_bench.link.hosts import refusal

BENCH = Path(__file__).resolve().parents[1] / "bench"

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What arrived under each condition, by its name."""
    if reason := refusal():
        pytest.skip(reason)
    output = tmp_path_factory.mktemp("link") / "figures.json"
    command = [sys.executable, "-m", "fer_bench.link", "--short", "--output", str(output)]
    result = subprocess.run(
        command, cwd=BENCH, capture_output=True, text=True, timeout=140, check=False
    )
    assert result.returncode == 0, result.stderr
    return {each["condition"]: each for each in json.loads(output.read_text())["features"]}


def test_answers_come_over_a_clean_link_without_pictures(figures: dict[str, Any]) -> None:
    clean = figures["clean"]
    assert clean["rate_hz"] > 10
    # One raw picture a second would be more.
    assert clean["sent_bps"] < 900_000


def test_loss_makes_answers_fewer_and_not_old(figures: dict[str, Any]) -> None:
    assert figures["5 % loss"]["rate_hz"] > 5
    assert figures["5 % loss"]["max_ms"] < 1000


def test_answers_are_back_soon_after_a_cut(figures: dict[str, Any]) -> None:
    assert figures["cut"]["recovery_s"] < 3.0
    assert figures["cut"]["max_ms"] < 1000
