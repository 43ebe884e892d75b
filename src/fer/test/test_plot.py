"""`fer plot` on a weights file and on a bag that was written for the test."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from fer.bags.reading import opened
from fer.cli import main
from fer_snn.core.weights import weights_folder as models
from fer_testing.played_bags import FRAMES, write_bag
from fer_train import figures, recording


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp("bags") / "bag", StoragePlugin.MCAP)


def check(folder: Path, *names: str) -> None:
    """Every figure is there in both formats, and not empty."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in names for kind in ("png", "svg")
    )
    for name in names:
        picture = cv2.imread(str(folder / f"{name}.png"))
        assert picture.shape[1] > 600 and np.ptp(picture) > 100
        ElementTree.parse(folder / f"{name}.svg")


def test_a_weights_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "figures"
    assert main(["plot", str(models.default_path()), "-o", str(folder)]) == 0
    check(folder, "weights")
    assert capsys.readouterr().out.splitlines() == [
        str(folder / "weights.png"),
        str(folder / "weights.svg"),
    ]
    text = (folder / "weights.svg").read_text()
    assert all(word in text for word in ("neutral", "smile", "surprised", "22.5°"))


def test_a_bag_with_the_truth(bag: Path, tmp_path: Path) -> None:
    labels = tmp_path / "clip_labels.csv"
    # Frames 0 to 8 are said as they are, then one is not, and two are on the way.
    shown = ["neutral", "smile", "surprised"] * 3 + ["smile", "transition", "transition"]
    rows = "".join(f"{frame},{label}\n" for frame, label in enumerate(shown))
    labels.write_text("frame,label\n" + rows)
    folder = tmp_path / "figures"
    assert main(["plot", str(bag), "-o", str(folder), "--labels", str(labels)]) == 0
    check(folder, "weights", "raster", "potentials", "confusion")
    text = (folder / "confusion.svg").read_text()
    assert f"balanced accuracy {(1 + 0.75 + 1) / 3:.3f}, 10 frames" in text
    assert "6 expression neurons" in (folder / "raster.svg").read_text()
    assert "membrane potential / mV" in (folder / "potentials.svg").read_text()


def test_bags_of_the_other_storage_are_read_too(tmp_path: Path) -> None:
    with opened(write_bag(tmp_path / "bag", StoragePlugin.SQLITE3)) as recorded_bag:
        recorded = recording.read(recorded_bag)
    assert len(recorded.results) == len(recorded.frame_index) == FRAMES
    assert recorded.faces == [1]
    traces, spikes = recorded.window(1, 0.0, 2.0)
    assert traces is not None and traces.potential_v.shape[1] == 6
    assert spikes is not None and spikes.size == 6


def test_the_same_figure_is_the_same_bytes(bag: Path, tmp_path: Path) -> None:
    with opened(bag) as recorded:
        _, spikes = recording.read(recorded).window(1, 0.0, 2.0)
    assert spikes is not None
    for name in ("a", "b"):
        figures.save(figures.raster(spikes, None, 2.0), tmp_path / name, "raster")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nonexistent"], "does not exist"),
        (["{bag}", "--face", "9"], "no face 9 (it has 1)"),
        (["{bag}", "--namespace", "other"], "no topics of fer in namespace /other"),
        (["{bag}", "--start", "1000"], "choose another --start"),
        ([__file__], "neither MCAP nor SQLite"),
    ],
)
def test_what_cannot_work_is_one_line(
    arguments: list[str], words: str, bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(bag=bag) for argument in arguments]
    assert main(["plot", *given, "-o", str(tmp_path / "figures")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and words in line
