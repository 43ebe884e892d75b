"""Label files beside their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_common.core.errors import ConfigurationError
from fer_snn.core.label_files import label_file, read_labels


def test_labels_lie_beside_a_clip_and_beside_a_folder(tmp_path: Path) -> None:
    labels = tmp_path / "clip_labels.csv"
    labels.write_text("frame,label\n0,smile\n")
    (tmp_path / "clip").mkdir()
    assert label_file(tmp_path / "clip.mp4") == labels
    assert label_file(tmp_path / "clip") == labels
    assert label_file(tmp_path / "other.mp4") is None


def test_frames_in_transition_have_no_label(tmp_path: Path) -> None:
    path = tmp_path / "a_labels.csv"
    path.write_text(
        "frame,identity,label,w_smile\n0,0,neutral,0\n1,0,transition,.5\n2,0,happy,1\n3,0,,1\n"
    )
    assert read_labels(path) == {0: "neutral", 2: "smile"}


@pytest.mark.parametrize(
    "text", ["", "frame\n0\n", "label\nsmile\n", "frame,label\nzero,smile\n", "frame,label\n\x00"]
)
def test_what_is_no_label_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a_labels.csv"
    path.write_text(text)
    if not text:
        assert read_labels(path) == {}
        return
    with pytest.raises(ConfigurationError, match=r"a_labels\.csv"):
        read_labels(path)


def test_a_missing_label_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_labels(tmp_path / "a_labels.csv")
