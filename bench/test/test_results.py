from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_bench import results
from fer_bench.results import Measurement, Peer, Results
from fer_common.core.errors import FerError


def with_ratio(ratio: float, name: str = "a step", part: str = "network") -> Results:
    peers = {"Brian2": Peer(10 * ratio, ratio)}
    return Results({"cores": "2"}, (Measurement(part, name, "us", 10.0, peers),))


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    written = Results(
        {"cores": "2"},
        (
            *with_ratio(2.5).measurements,
            Measurement("pipeline", "a", "ms", 12.0, {}, "latency", {"rate": 30.0}, 15.0),
        ),
        {"network": 0.25},
    )
    results.save(written, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == written


def test_numbers_are_written_with_four_digits(tmp_path: Path) -> None:
    results.save(with_ratio(2.123456), tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text())["measurements"][0]["peers"] == {
        "Brian2": {"value": 21.23, "ratio": 2.123}
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"measurements": [{"name": 3}]}'])
def test_a_file_without_results_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(FerError, match="holds no results"):
        results.load(tmp_path / "results.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FerError, match="cannot be read"):
        results.load(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("now", "slower"), [(20.0, False), (10.0, False), (6.6, False), (6.4, True)]
)
def test_a_ratio_may_fall_by_the_tolerance(now: float, slower: bool) -> None:
    found = results.regressions(with_ratio(10.0), with_ratio(now), tolerance=0.35)
    assert [(before, after) for _, before, after in found] == ([(10.0, now)] if slower else [])


def test_what_slowed_down_is_named() -> None:
    [(what, _, _)] = results.regressions(with_ratio(10.0), with_ratio(1.0))
    assert what == "network: a step, against Brian2"


def test_nothing_in_common_is_no_success() -> None:
    with pytest.raises(FerError, match="none of these"):
        results.regressions(with_ratio(10.0), with_ratio(10.0, name="another"))


def test_newer_parts_take_the_place_of_older_ones() -> None:
    old = Results(
        {"cores": "2"},
        (*with_ratio(1.0).measurements, *with_ratio(2.0, part="micro").measurements),
        {"network": 0.5, "micro": 0.2},
    )
    new = Results({"cores": "4"}, with_ratio(3.0).measurements, {"network": 0.1})
    merged = old.replaced(new)
    assert merged.machine == {"cores": "4"}
    assert [(m.part, m.peers["Brian2"].ratio) for m in merged.measurements] == [
        ("micro", 2.0),
        ("network", 3.0),
    ]
    assert merged.noise == {"network": 0.1, "micro": 0.2}


@pytest.mark.parametrize(
    ("value", "unit", "met"),
    [(3.0, "ms", True), (3.1, "ms", False), (3.1, "Hz", True), (2.9, "Hz", False)],
)
def test_limits(value: float, unit: str, met: bool) -> None:
    assert Measurement("", "", unit, value, limit=3.0).met is met
    assert Measurement("", "", unit, value).met
