from __future__ import annotations

from pathlib import Path

from fer_bench import plots, report
from fer_bench.measure import Peer
from fer_bench.results import Hotspot, Measurement, Results, Target

PEERS = {"Brian2": Peer(335.0, 41.2), "NumPy": Peer(111.0, 13.6)}
FIGURES = Results(
    {"cores": "2"},
    (Measurement("network", "1152 x 30", "us/step", 8.13, PEERS, "outputs, STDP on", 30),),
    (Target("latency", 16.0, 15.0, "ms"), Target("speed", 41.2, 30.0, "times", at_least=True)),
    {"snn": (Hotspot("fer_snn/network.py, advance", "a | b", 0.25),)},
)


def test_the_page_has_every_figure() -> None:
    page = report.page(FIGURES)
    assert "| 1152 x 30 | 8.13 us/step | Brian2: 335 | 41.2 |\n|  |  | NumPy: 111 | 13.6 |" in page
    assert "| latency | 16 ms | at most 15 ms | **missed** |" in page
    assert "| speed | 41.2 times | at least 30 times | reached |" in page
    assert "| 25% | fer_snn/network.py, advance | `a \\| b` |" in page
    assert "## The whole graph" not in page


def test_what_was_measured_is_drawn(tmp_path: Path) -> None:
    plots.draw(FIGURES, tmp_path)
    picture = (tmp_path / plots.FILE_NAME).read_text()
    assert "fer, STDP on" in picture and "Brian2, STDP on" in picture
    assert "STDP off" not in picture
