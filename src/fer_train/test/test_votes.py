"""What people said of pictures: read as they wrote it, and shared among the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_testing.training import write_picture
from fer_train import dataset
from fer_train.dataset import LabelledPicture
from fer_train.tables import DatasetError
from fer_train.votes import Votes

HEADER = "picture,neutral,happiness,sadness,unknown,note"
LINES = (
    "neutral/a.png,8,0,2,0,clear",
    "happiness/b.png,0,10,0,0,",
    "ambiguous/c.png,4,0,4,2,unclear",
    "ambiguous/d.png,0,0,0,10,nobody knows",
)
LABELS = ("neutral", "sad")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for line in LINES:
        write_picture(tmp_path / line.split(",")[0])
    write_picture(tmp_path / "sadness" / "e.png")
    (tmp_path / "votes.csv").write_text("\n".join((HEADER, *LINES)))
    return tmp_path


def read(folder: Path) -> tuple[Votes, list[LabelledPicture]]:
    votes = Votes.of(folder)
    assert votes is not None
    return votes, dataset.find(folder)


def test_shares_are_those_of_the_labels_that_are_learnt(folder: Path) -> None:
    votes, pictures = read(folder)
    shares = dict(zip([p.path.name for p in pictures], votes.shares(pictures, LABELS), strict=True))
    assert shares["a.png"].tolist() == pytest.approx([0.8, 0.2])
    assert shares["c.png"].tolist() == [0.5, 0.5]
    assert not shares["b.png"].any() and not shares["d.png"].any() and not shares["e.png"].any()
    everything = votes.shares(pictures, ("neutral", "smile", "sad", "unknown"))
    assert everything[[p.path.name == "c.png" for p in pictures]][0] == pytest.approx(
        [0.4, 0, 0.4, 0.2]
    )
    assert not votes.shares(pictures, ("wink",)).any()


def test_pictures_of_no_label_are_used_for_their_votes_alone(folder: Path) -> None:
    votes, pictures = read(folder)
    usable, silent = votes.usable(pictures, LABELS)
    assert [picture.path.name for picture in usable] == ["c.png", "a.png"]
    assert [picture.label for picture in usable] == ["ambiguous", "neutral"]
    # No line, and no vote for one of these labels. Of a label that is not learnt nothing is said.
    assert [path.name for path in silent] == ["d.png", "e.png"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("a.png,1,2", "the first line must name the columns"),
        ("", "the first line must name the columns"),
        ("picture,neutral,neutral\n", "each once"),
        ("picture,happy,smile\n", "two columns are smile"),
        ("picture,neutral\nneutral/a.png,1,2", "line 2: 3 cells, but 2 columns"),
        ("picture,neutral\nneutral/a.png,1\nneutral/a.png,2", "line 3: .* stands above too"),
        ("picture,neutral\nneutral/a.png,many", "a.png has 'many' votes: give numbers"),
        ("picture,neutral\nneutral/a.png,-1", "a.png has '-1' votes"),
        ("picture,neutral\nneutral/a.png,inf", "a.png has 'inf' votes"),
    ],
)
def test_tables_that_cannot_be_meant_are_refused(folder: Path, table: str, reason: str) -> None:
    (folder / "votes.csv").write_text(table)
    with pytest.raises(DatasetError, match=reason):
        votes, pictures = read(folder)
        votes.shares(pictures, LABELS)


def test_a_folder_without_the_table_has_no_votes(tmp_path: Path) -> None:
    assert Votes.of(tmp_path) is None
    assert Votes.of(write_picture(tmp_path / "list.png")) is None
