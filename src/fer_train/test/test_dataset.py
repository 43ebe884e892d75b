"""Folders and tables as users have them: nothing is lost or learnt without a word."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_testing.training import write_picture
from fer_train import dataset, faces
from fer_train.faces import Crop, CropParameters
from fer_train.tables import DatasetError

GIVEN = CropParameters(Crop.GIVEN)
EXPECTED = [("a.jpg", "neutral"), ("b.jpg", "smile")]


def huge_png(path: Path, side: int = 40000) -> Path:
    """Write a small file whose header claims a huge picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(side + 1)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize(
    "data",
    [
        b"a.jpg,neutral\nb.jpg,smile\n",
        b"\xef\xbb\xbfa.jpg,neutral\nb.jpg,smile\n",
        "a.jpg\tneutral\r\nb.jpg\tsmile\r\n".encode("utf-16"),
        b"\n\na.jpg,neutral\n  \n,,\nb.jpg,smile\n\n",
        b"picture;label\na.jpg;neutral\nb.jpg;happy\n",
        b"sep=;\npicture;label\na.jpg;neutral\nb.jpg;smile\n",
        b"picture\tlabel\na.jpg\tneutral\nb.jpg\tsmile",
        b"a.jpg|neutral\nb.jpg|smile\n",
        b'"a.jpg","neutral"\n"b.jpg","smile"\n',
        b"'a.jpg','neutral'\n'b.jpg','smile'\n",
        b"a.jpg, Neutral\n b.jpg , HAPPY \n",
        b"a.jpg,neutral\rb.jpg,smile\r",
        b"label,path\nneutral,a.jpg\nsmile,b.jpg\n",
        b"image,age,emotion\na.jpg,30,neutral\nb.jpg,40,smile\n",
        b"a.jpg,neutral\nb.jpg,smile\na.jpg,neutral\n",
    ],
)
def test_tables_are_read_in_the_forms_that_programs_write(tmp_path: Path, data: bytes) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(data)
    assert [(each.path.name, each.label) for each in dataset.find(table)] == EXPECTED


def test_a_table_may_have_quoted_delimiters_and_windows_paths(tmp_path: Path) -> None:
    write_picture(tmp_path / "x" / "c.png")
    table = tmp_path / "list.csv"
    table.write_text('"a, one.jpg",neutral\nx\\c.png,smile\n')
    assert [each.path for each in dataset.find(table)] == [
        tmp_path / "a, one.jpg",
        tmp_path / "x" / "c.png",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.jpg,neutral\na.jpg,smile\n", r"line 2: 'a\.jpg' is 'smile' here and 'neutral' above"),
        ("a.jpg,undecided\n", "line 1: 'undecided' cannot be a label"),
        ("\n\na.gif,smile\nb.jpg,neutral\n", r"line 3: 'a\.gif' does not name a picture"),
        ("a.jpg,neutral\nb.jpg\n", "line 2: it needs 'picture,label'"),
        (f"a.jpg,{'x' * 41}\n", "cannot be a label"),
        ('a.jpg,"neutral\n', "cannot be read as CSV"),
        ("picture,label\n", "holds no labelled pictures"),
    ],
)
def test_tables_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    table = tmp_path / "list.csv"
    table.write_text(text)
    with pytest.raises(DatasetError, match=reason):
        dataset.find(table)


def test_what_systems_leave_behind_is_no_label_and_is_told(folder: Path) -> None:
    for name in (".ipynb_checkpoints", "__MACOSX"):
        write_picture(folder / name / "0.png")
        write_picture(folder / "happy" / name / "0.png")
    (folder / "happy" / "._0.png").write_bytes(b"\0\5\26\7")
    (folder / "happy" / "Thumbs.db").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "happy" / "moving.gif").write_bytes(b"GIF89a")
    os.mkfifo(folder / "happy" / "pipe.png")
    write_picture(folder / "loose.png")
    told: list[str] = []
    found = dataset.find(folder, told.append)
    assert [each.label for each in found] == ["neutral"] * 3 + ["smile"] * 3
    text = "\n".join(told)
    assert ".ipynb_checkpoints, __MACOSX left out" in text
    assert "1 pictures left out, because they are in no folder of a label" in text
    assert f"{folder / 'happy'}: .ipynb_checkpoints, __MACOSX left out" in text
    assert "3 files left out, which are not pictures (.gif: 1, .png: 1, hidden: 1)" in text
    assert len(told) == 4


@pytest.mark.parametrize("name", ["$RECYCLE.BIN", "System Volume Information", "lost+found"])
def test_folders_of_a_file_system_are_no_labels(folder: Path, name: str) -> None:
    write_picture(folder / name / "0.png")
    told: list[str] = []
    assert {each.label for each in dataset.find(folder, told.append)} == {"neutral", "smile"}
    assert f"{name} left out" in told[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("undecided", "cannot be a label"), ("Undecided", "cannot be a label"), ("x" * 41, "label")],
)
def test_folders_that_cannot_be_labels_are_refused(folder: Path, name: str, reason: str) -> None:
    write_picture(folder / name / "0.png")
    with pytest.raises(DatasetError, match=reason):
        dataset.find(folder)


def test_parts_of_a_data_set_are_not_learnt_as_labels(folder: Path) -> None:
    (folder.parent / "all").mkdir()
    folder.rename(folder.parent / "all" / "train")
    write_picture(folder.parent / "all" / "Test" / "happy" / "0.png")
    with pytest.raises(DatasetError, match="parts of a data set and not labels"):
        dataset.find(folder.parent / "all")


def test_pictures_that_cannot_be_read_are_named_and_left_out(folder: Path) -> None:
    happy = folder / "happy"
    bad = [happy / f"bad{k}.png" for k in range(4)]
    bad[0].write_bytes(b"")
    bad[1].write_text("text")
    bad[2].mkdir()
    bad[2].rmdir()
    bad[2].symlink_to(folder / "nowhere.png")
    huge_png(bad[3])
    photo = write_picture(happy / "whole.jpg", 5).read_bytes()
    cut = happy / "cut.jpg"
    cut.write_bytes(photo[: len(photo) // 2])
    # The thumbnail of a camera has an end of its own.
    (happy / "behind.jpg").write_bytes(photo + b"more")
    read = faces.load(dataset.find(folder), GIVEN)
    assert sorted(read.unreadable) == sorted([*bad, cut])
    assert read.labels.count("smile") == 5


@pytest.mark.parametrize("make", ["unreadable", "blank"])
def test_a_label_of_which_nothing_can_be_used_is_refused(folder: Path, make: str) -> None:
    for path in (folder / "happy").iterdir():
        if make == "blank":
            cv2.imwrite(str(path), np.full((48, 48), 128, np.uint8))
        else:
            path.write_bytes(b"\0\5\26\7")
    with pytest.raises(DatasetError, match=f"none of the 3 pictures of 'smile' .* is {make}"):
        faces.load(dataset.find(folder), GIVEN)


def test_flat_pictures_are_named(folder: Path) -> None:
    flat = folder / "happy" / "flat.png"
    cv2.imwrite(str(flat), np.full((48, 48, 3), 90, np.uint8))
    assert faces.load(dataset.find(folder), GIVEN).blank == (flat,)


def test_a_folder_that_cannot_be_listed_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(DatasetError, match=r"happy cannot be read \(Permission denied"):
        dataset.find(folder)


@pytest.mark.parametrize(
    ("size", "kind"), [((1, 1), "png"), ((1, 500), "png"), ((500, 1), "jpg"), ((3, 3), "bmp")]
)
def test_tiny_and_long_pictures_do_no_harm(folder: Path, size: tuple[int, int], kind: str) -> None:
    grey = np.random.default_rng(0).integers(0, 255, size, np.uint8)
    cv2.imwrite(str(folder / "happy" / f"odd.{kind}"), grey)
    read = faces.load(dataset.find(folder), CropParameters(variants=2))
    assert np.isfinite(faces.features_of(read.crops[:, 0])).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).integers(0, 2**16, (48, 48), np.uint16),
        np.random.default_rng(0).integers(0, 255, (48, 48, 4), np.uint8),
    ],
    ids=["16 bits", "transparent"],
)
def test_other_pixel_formats_are_read(folder: Path, pixels: np.ndarray) -> None:
    cv2.imwrite(str(folder / "happy" / "odd.png"), pixels)
    assert not faces.load(dataset.find(folder), GIVEN).unreadable
