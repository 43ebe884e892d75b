"""`fer export` and `fer import`: tables, Neo and NIR."""

from __future__ import annotations

import csv
import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from fer.bags.reading import opened
from fer.cli import main
from fer_common.core.stamps import NANOSECONDS, to_ns
from fer_snn import load_weights, save_weights
from fer_testing.networks import small_model
from fer_testing.played_bags import FRAMES, write_bag
from fer_train import export, recording

NEURONS, LABELS = 6, ("neutral", "smile", "surprised")


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp("bags") / "bag", StoragePlugin.MCAP)


def by_the_rule(bag: Path) -> list[tuple[int, int]]:
    """Return time and neuron of each spike, from the messages and what Spikes.msg says."""
    found = []
    with opened(bag) as recorded:
        for message in recorded.messages(["/fer/spikes"]):
            spikes = recorded.decode(message.topic, message.data)
            dt_ns = round(spikes.dt * NANOSECONDS)
            for train in spikes.trains:
                for neuron, step in zip(train.neuron, train.step, strict=True):
                    before = (spikes.steps - 1 - int(step)) * dt_ns
                    found.append((to_ns(spikes.header.stamp) - before, int(neuron)))
    return sorted(found)


def test_csv_tables_have_times_to_the_nanosecond(bag: Path, tmp_path: Path) -> None:
    assert main(["export", str(bag), "--csv", "-o", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "spikes.csv",
        "potentials.csv",
        "expressions.csv",
    }
    rows = list(csv.DictReader(io.StringIO((tmp_path / "spikes.csv").read_text())))
    assert sorted((int(r["time_ns"]), int(r["neuron"])) for r in rows) == by_the_rule(bag)
    assert {(r["face"], r["layer"]) for r in rows} == {("1", "expression")}
    answers = list(csv.DictReader(io.StringIO((tmp_path / "expressions.csv").read_text())))
    assert [r["label"] for r in answers] == [*LABELS] * (FRAMES // 3)
    scores = [[float(r[f"score.{label}"]) for label in LABELS] for r in answers]
    assert [LABELS[np.argmax(row)] for row in scores] == [r["label"] for r in answers]


def test_an_archive_has_what_the_messages_have(bag: Path, tmp_path: Path) -> None:
    path = tmp_path / "bag.npz"
    assert main(["export", str(bag), "--npz", "-o", str(path)]) == 0
    arrays = np.load(path)
    pairs = zip(arrays["spikes.time_ns"], arrays["spikes.neuron"], strict=True)
    assert sorted(pairs) == by_the_rule(bag)
    with opened(bag) as recorded:
        message = next(iter(recorded.messages(["/fer/potentials"])))
        first = recorded.decode(message.topic, message.data)
    values = first.traces[0].potential
    np.testing.assert_array_equal(arrays["potentials.potential_v"][: len(values)], values)


def test_spikes_go_to_neo_and_back_without_loss(bag: Path, tmp_path: Path) -> None:
    pytest.importorskip("nixio")
    from neo.io import NixIO

    path = tmp_path / "bag.nix"
    assert main(["export", str(bag), "--neo", "-o", str(path)]) == 0
    with NixIO(str(path), "ro") as file:
        block = file.read_block()
    (segment,) = block.segments
    assert len(segment.spiketrains) == NEURONS
    back = sorted(
        (round(float(time.rescale("s")) * NANOSECONDS) + block.annotations["origin_ns"], k)
        for train in segment.spiketrains
        for time, k in ((t, int(train.annotations["neuron"])) for t in train.times)
    )
    assert back == by_the_rule(bag)
    assert [str(label) for label in segment.events[0].labels[:2]] == ["neutral", "smile"]
    signals = segment.analogsignals
    assert all(str(s.units.dimensionality) == "V" and s.shape[1] == NEURONS for s in signals)
    with opened(bag) as recorded:
        held = recording.read(recorded)
    samples = np.concatenate([np.asarray(signal) for signal in signals])
    expected = np.concatenate([f.potential_v for f in held.potentials["expression", 1]])
    np.testing.assert_array_equal(samples, expected)


def test_potentials_are_joined_while_time_goes_on() -> None:
    pytest.importorskip("neo")
    from fer_viz.core.history import PotentialFrame

    def frame(end_ms: float, steps: int) -> PotentialFrame:
        values = np.zeros((steps, 2), np.float32)
        return PotentialFrame(round(end_ms * 1e6), 1e-3, values, values[0], -0.07, -0.075)

    frames = [frame(33.3, 33), frame(66.6, 33), frame(100.0, 34), frame(400.0, 33)]
    held = recording.Recording(potentials={("expression", 1): frames})
    (segment,) = export.neo_block(held).segments
    assert [len(signal) for signal in segment.analogsignals] == [100, 33]


@pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="pyarrow is not installed")
def test_parquet_tables_are_those_of_the_archive(bag: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    assert main(["export", str(bag), "--parquet", "-o", str(tmp_path)]) == 0
    spikes = parquet.read_table(tmp_path / "spikes.parquet").to_pydict()
    assert sorted(zip(spikes["time_ns"], spikes["neuron"], strict=True)) == by_the_rule(bag)


def test_a_missing_library_is_named(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert main(["export", str(bag), "--parquet", "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "this needs the Python package pyarrow" in said and "pip install pyarrow==" in said
    assert not (tmp_path / "out").exists()


def test_weights_go_to_nir_and_back(tmp_path: Path) -> None:
    pytest.importorskip("nir")
    known, graph, back = (str(tmp_path / name) for name in ("a.npz", "a.nir", "b.npz"))
    save_weights(small_model(), known)
    assert main(["export", known, "--nir", "-o", graph]) == 0
    assert main(["import", graph, "--like", known, "-o", back]) == 0
    assert load_weights(back).sizes == load_weights(known).sizes
