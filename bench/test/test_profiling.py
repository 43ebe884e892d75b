from __future__ import annotations

from pathlib import Path

from fer_bench.profiling import hotspots


def test_stacks_are_counted_by_their_innermost_line(tmp_path: Path) -> None:
    source = tmp_path / "fer_snn" / "network.py"
    source.parent.mkdir()
    source.write_text("first = 1\n    second = f(3)\n")
    stacks = [
        f"<module> (main.py:3);run ({source}:2) 30",
        f"<module> (main.py:4);run ({source}:2) 15",
        f"<module> (main.py:3);other ({source}:1) 5",
        "<module> (main.py:3);Condition.wait (threading.py:300) 500",
        "",
    ]
    first, second = hotspots(stacks)
    assert (first.place, first.text, first.share) == (
        "fer_snn/network.py, run",
        "second = f(3)",
        0.9,
    )
    assert (second.text, second.share) == ("first = 1", 0.1)


def test_only_the_hottest_are_told_and_an_idle_node_has_none() -> None:
    assert len(hotspots([f"f (a.py:{line}) {line}" for line in range(1, 20)], most=3)) == 3
    assert hotspots([]) == ()
