"""Public sets of faces become the folders that trainings read."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_common.core.errors import FerError
from fer_train import dataset, public_data
from fer_train.cli import data as command
from fer_train.public_data import FERPLUS_LABELS, FERPLUS_OTHERS, SETS, lay_out, majority
from fer_train.votes import Votes

BY_NAME = {each.name: each for each in SETS}
VOTED = (*FERPLUS_LABELS, *FERPLUS_OTHERS)
#: Usage, emotion in FER2013, votes in FER+, and the folder that they lead to.
FACES = (
    ("Training", 3, {"happiness": 9, "neutral": 1}, "train/happiness"),
    ("Training", 6, {"neutral": 4, "sadness": 4, "unknown": 1}, "train/ambiguous"),
    ("Training", 0, {"NF": 10}, None),
    ("PublicTest", 5, {"surprise": 2, "fear": 1, "anger": 1, "sadness": 1}, "validation/surprise"),
    ("PrivateTest", 1, {"disgust": 6, "anger": 4}, "test/disgust"),
)


def picture_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (48, 48), np.uint8)


def write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def fer2013(tmp_path: Path) -> Path:
    rows = [
        (emotion, " ".join(map(str, picture_of(number).ravel())), usage)
        for number, (usage, emotion, _, _) in enumerate(FACES)
    ]
    return write(tmp_path / "fer2013.csv", ("emotion", "pixels", "Usage"), list(rows))


@pytest.fixture
def ferplus(tmp_path: Path) -> Path:
    rows = [
        (usage, f"fer{number:07d}.png", *(votes.get(name, 0) for name in VOTED))
        for number, (usage, _, votes, _) in enumerate(FACES)
    ]
    return write(tmp_path / "fer2013new.csv", ("Usage", "Image name", *VOTED), list(rows))


def test_ferplus_is_laid_out_as_trainings_read_it(
    fer2013: Path, ferplus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ferplus"
    counts = lay_out(BY_NAME["ferplus"], (fer2013, ferplus), folder)
    assert sum(counts.values()) == 4
    for number, (_, _, votes, place) in enumerate(FACES):
        if place is None:
            assert not list(folder.rglob(f"fer{number:07d}.png"))
            continue
        path = folder / place / f"fer{number:07d}.png"
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), picture_of(number))
        read = Votes.of(folder / place.split("/")[0])
        assert read is not None
        assert read.cells[path] == tuple(str(votes.get(name, 0)) for name in VOTED)
    labels = [picture.label for picture in dataset.find(folder / "train")]
    assert sorted(labels) == ["ambiguous", "smile"]


def test_fer2013_by_the_command(
    fer2013: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    monkeypatch.chdir(tmp_path)
    given = parser.parse_args(["fer2013", str(fer2013)])
    assert command.run(given) == 0
    assert "fer2013/train: anger 1, happiness 1, neutral 1" in capsys.readouterr().out
    assert (tmp_path / "fer2013/validation/surprise/fer0000003.png").is_file()
    with pytest.raises(FerError, match="fer2013 exists"):
        command.run(given)
    with pytest.raises(FerError, match=r"ferplus needs fer2013\.csv and fer2013new\.csv"):
        command.run(parser.parse_args(["ferplus", str(fer2013)]))


def test_lfw_takes_the_rows_that_the_shipped_network_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_data, "_LFW_SELECTION", "test.txt")
    monkeypatch.setattr(public_data.resources, "files", lambda _: tmp_path)
    (tmp_path / "selections").mkdir()
    (tmp_path / "selections/test.txt").write_text("oA==")  # bits 1010 0000
    repository = tmp_path / "facial_expressions"
    for folder in ("data", "images"):
        (repository / folder).mkdir(parents=True)
    rows: list[tuple[object, ...]] = [("a.jpg", "HAPPINESS"), ("b.jpg", "fear"), ("c.jpg", "Fear")]
    write(repository / "data/legend.csv", ("image", "emotion"), rows)
    for name in "abc":
        (repository / f"images/{name}.jpg").write_bytes(name.encode())
    lay_out(BY_NAME["lfw-expr"], (repository,), tmp_path / "lfw")
    written = {
        str(path.relative_to(tmp_path / "lfw")) for path in (tmp_path / "lfw").rglob("*.jpg")
    }
    assert written == {"train/happiness/a.jpg", "train/fear/c.jpg"}
    (repository / "images/c.jpg").unlink()
    with pytest.raises(FerError, match=r"c\.jpg cannot be read"):
        lay_out(BY_NAME["lfw-expr"], (repository,), tmp_path / "again")
    write(repository / "data/legend.csv", ("image", "emotion"), rows[:2])
    with pytest.raises(FerError, match="2 rows: another version"):
        lay_out(BY_NAME["lfw-expr"], (repository,), tmp_path / "again")
    assert not list(tmp_path.glob("*again*"))


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ({"fear": 6, "anger": 4}, "fear"),
        ({"fear": 5, "anger": 5}, "ambiguous"),
        ({"fear": 2, "anger": 1, "neutral": 1}, "fear"),
        ({"unknown": 6, "neutral": 4}, "unknown"),
        ({"fear": 1, "anger": 1}, "ambiguous"),
        ({}, "ambiguous"),
    ],
)
def test_the_majority_is_that_of_ferplus(votes: dict[str, int], label: str) -> None:
    assert majority(votes) == label


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("pixels", "pixel", "has no column 'pixels'"),
        ("Training", "Train", "Usage 'Train'"),
        ("3,", "7,", "emotion '7'"),
        (" ", " 256 ", "other pixels than 48 x 48"),
        (" ", " x ", "other pixels than 48 x 48"),
    ],
)
def test_other_tables_are_refused_and_nothing_is_left(
    fer2013: Path, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    fer2013.write_text(fer2013.read_text().replace(old, new, 1))
    with pytest.raises(FerError, match=reason):
        lay_out(BY_NAME["fer2013"], (fer2013,), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fer2013.csv"]


def test_tables_that_do_not_fit_are_refused(fer2013: Path, ferplus: Path, tmp_path: Path) -> None:
    ferplus.write_text("\n".join(ferplus.read_text().splitlines()[:-1]))
    with pytest.raises(FerError, match="do not fit together"):
        lay_out(BY_NAME["ferplus"], (fer2013, ferplus), tmp_path / "out")


def test_every_set_says_where_it_comes_from_and_its_licence() -> None:
    text = command.description()
    for each in SETS:
        assert each.origin in text and each.licence in text and f"fer data {each.name} " in text
