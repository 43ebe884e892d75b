"""Pictures in folders and tables, and what is not one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_features.core.alignment import CropGeometry
from fer_features.core.gabor import features_from_crops
from fer_snn.core.neurons.encoding import mirrored
from fer_testing.training import write_picture
from fer_train import augment, dataset, faces
from fer_train.faces import Crop, CropParameters
from fer_train.jobs import Jobs
from fer_train.tables import DatasetError


def test_folders_are_labels_under_their_usual_name(folder: Path) -> None:
    found = dataset.find(folder)
    assert [p.label for p in found] == ["neutral"] * 3 + ["smile"] * 3
    assert found[0].path.name == "0.png"


def test_tables_name_pictures_beside_them(folder: Path) -> None:
    table = folder / "list.csv"
    table.write_text("picture,label\nhappy/0.png,Surprise\nneutral/1.png,neutral\n")
    assert [(p.path.name, p.label) for p in dataset.find(table)] == [
        ("1.png", "neutral"),
        ("0.png", "surprised"),
    ]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "holds no labelled pictures"),
        (lambda p: (p / "happy").mkdir(parents=True), "holds no pictures"),
        (lambda p: p.write_text("picture,label\na.png\n"), "line 2"),
        (lambda p: p.write_text("picture,label\na.txt,happy\n"), "does not name a picture"),
        (lambda p: p.write_bytes(b"\xff\xfe\x00"), "cannot be read as CSV"),
    ],
)
def test_sources_without_pictures_are_refused(tmp_path: Path, make, reason: str) -> None:  # type: ignore[no-untyped-def]
    source = tmp_path / "source"
    make(source)
    with pytest.raises(DatasetError, match=reason):
        dataset.find(source)


def test_pictures_without_a_face_are_taken_whole_and_files_of_text_left_out(folder: Path) -> None:
    (folder / "happy" / "text.jpg").write_text("no picture")
    for path in folder.rglob("*.png"):
        cv2.imwrite(str(path), np.tile(np.arange(48, dtype=np.uint8), (48, 1)))
    read = faces.load(dataset.find(folder), CropParameters(Crop.AUTO))
    assert read.crops.shape == (6, 1, 48, 48)
    assert len(read.whole) == 6
    assert [path.name for path in read.unreadable] == ["text.jpg"]


def test_result_does_not_depend_on_the_number_of_processes(folder: Path) -> None:
    pictures, cutting = dataset.find(folder), CropParameters(Crop.GIVEN, variants=2, seed=3)
    alone = faces.load(pictures, cutting)
    with Jobs(2) as jobs:
        together = faces.load(pictures, cutting, jobs)
    np.testing.assert_array_equal(alone.crops, together.crops)
    assert (alone.crops[:, 1] != alone.crops[:, 2]).any()
    features = faces.features_of(alone.crops[:, 0])
    assert features.shape == (6, 24, 12, 12)


def test_nothing_readable_is_refused(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="none of the 1 pictures of 'a' can be used"):
        faces.load(dataset.find(tmp_path), CropParameters(Crop.GIVEN))


def test_mirrored_features_are_those_of_the_mirrored_face(tmp_path: Path) -> None:
    crop = cv2.imread(str(write_picture(tmp_path / "a.png", 5)), cv2.IMREAD_GRAYSCALE)
    direct = features_from_crops(np.stack([crop, crop[:, ::-1]]))
    assert mirrored(direct[0], 8) == pytest.approx(direct[1], abs=1e-3)


def test_variants_are_drawn_from_the_generator_alone(tmp_path: Path) -> None:
    image = cv2.imread(str(write_picture(tmp_path / "a.png", 6, side=120)), cv2.IMREAD_GRAYSCALE)
    eyes = np.array([[42.0, 45.0], [78.0, 45.0]])
    drawn = [
        augment.variant(image, eyes, CropGeometry(), augment.Variation(), np.random.default_rng(s))
        for s in (1, 1, 2)
    ]
    assert all(crop is not None and crop.shape == (48, 48) for crop in drawn)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_a_harsh_picture_clips_and_keeps_the_order_of_grey_values() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (20, 1))
    only_harsh = augment.Variation(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
    eyes = np.array([[100.0, 8.0], [156.0, 8.0]])
    drawn = [
        augment.variant(ramp, eyes, CropGeometry(), only_harsh, np.random.default_rng(seed))
        for seed in range(20)
    ]
    rows = np.array([crop[24] for crop in drawn if crop is not None], dtype=int)
    assert (np.diff(rows, axis=1) >= 0).all()
    assert (rows == 0).any() and (rows == 255).any()


def test_unknown_labels_are_named() -> None:
    assert dataset.indices(["b", "a"], ["a", "b"]).tolist() == [1, 0]
    with pytest.raises(DatasetError, match="angry"):
        dataset.indices(["angry"], ["smile"])
