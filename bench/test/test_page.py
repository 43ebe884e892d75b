from __future__ import annotations

from pathlib import Path

import pytest

from fer_bench import main, page
from fer_bench.results import Measurement, Peer, Results
from fer_common.core.errors import FerError

ROOT = Path(__file__).resolve().parents[2]
PEERS = {"Brian2": Peer(335.0, 41.2), "NumPy": Peer(111.0, 13.6)}
FIGURES = Results(
    {"cores": "2"},
    (
        Measurement("network", "1152 x 30", "us/step", 8.13, PEERS, curves={"STDP on": 30}),
        Measurement("network", "1152 x 30", "times", 41.2, figure="times faster", limit=30.0),
        Measurement("pipeline", "a | b", "ms", 16.0, figure="latency", limit=15.0),
        Measurement("pipeline", "a | b", "", 0.0, figure="frames lost"),
        Measurement("pipeline", "c", "ms", 12.0, figure="latency"),
    ),
    {"network": 0.04},
)


def test_the_page_has_every_figure() -> None:
    sections = page.sections(FIGURES)
    network = "| 1152 x 30 | 8.13 us/step | Brian2: 335 | 41.2 |\n|  |  | NumPy: 111 | 13.6 |"
    assert network in sections["network"]
    assert "| a \\| b: latency | 16 ms | at most 15 ms | **missed** |" in sections["targets"]
    wanted = "| 1152 x 30: times faster | 41.2 times | at least 30 times | reached |"
    assert wanted in sections["targets"]
    assert "| network | 4% |" in sections["noise"]
    assert set(sections) == {"machine", "noise", "targets", "network", "pipeline"}


def test_figures_of_the_same_thing_share_a_row() -> None:
    assert page.sections(FIGURES)["pipeline"].splitlines() == [
        "| what | latency, ms | frames lost |",
        "| --- | ---: | ---: |",
        "| a \\| b | 16 | 0 |",
        "| c | 12 |  |",
    ]


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    page.draw(FIGURES, tmp_path / "performance.svg")
    picture = (tmp_path / "performance.svg").read_text()
    assert "fer, STDP on" in picture and "Brian2, STDP on" in picture
    assert "STDP off" not in picture


def test_the_page_has_room_for_every_part() -> None:
    text = (ROOT / page.PAGE).read_text()
    for name in {"machine", "noise", "targets", *main.PARTS}:
        assert f"<!-- begin of the {name} -->" in text


def test_figures_take_the_place_of_those_before(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("a\n<!-- begin of the figures -->\nold\n<!-- end of the figures -->\nb\n")
    page.replace(path, "figures", "new")
    expected = "a\n<!-- begin of the figures -->\n\nnew\n\n<!-- end of the figures -->\nb\n"
    assert path.read_text() == expected
    with pytest.raises(FerError, match="begin of the others"):
        page.replace(path, "others", "new")
