"""Clips: faces that change, out of videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_train import clips
from fer_train.jobs import Jobs
from fer_train.tables import DatasetError


def write(path: Path, pictures: list[np.ndarray]) -> None:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()


def pictures_of(video: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(video)), []
    while True:
        there, picture = capture.read()
        if not there:
            return found
        found.append(picture)


@pytest.fixture(scope="module")
def head() -> list[np.ndarray]:
    return pictures_of(clips.find(clips.default_folder())[0])


def test_every_head_that_comes_with_fer_is_found_in_every_frame() -> None:
    videos = clips.find(clips.default_folder())
    read = clips.load(videos[:3])
    assert len(videos) == 48
    assert read.crops.shape == (72, 48, 48)
    np.testing.assert_array_equal(read.clip, np.repeat([0, 1, 2], 24))


def test_frames_without_a_face_are_left_out_whoever_looks(
    tmp_path: Path, head: list[np.ndarray]
) -> None:
    nobody = np.full_like(head[0], 90)
    write(tmp_path / "b.avi", [head[0], nobody, head[9]])
    write(tmp_path / "a.AVI", [nobody, *head[:4]])
    (tmp_path / "notes.txt").write_text("no video")
    videos = clips.find(tmp_path)
    assert [video.name for video in videos] == ["a.AVI", "b.avi"]
    seen: list[tuple[int, int]] = []
    alone = clips.load(videos, progress=lambda *done: seen.append(done))
    assert seen == [(1, 2), (2, 2)]
    np.testing.assert_array_equal(alone.clip, [0, 0, 0, 0, 1, 1])
    with Jobs(2) as jobs:
        shared = clips.load(videos, jobs)
    np.testing.assert_array_equal(shared.crops, alone.crops)


def test_of_a_long_clip_frames_are_taken_from_all_of_it(
    tmp_path: Path, head: list[np.ndarray]
) -> None:
    write(tmp_path / "long.avi", head[:1] * (3 * clips.MAX_FRAMES))
    read = clips.load(clips.find(tmp_path))
    assert len(read.crops) == clips.MAX_FRAMES


def test_what_is_no_clip_is_told(tmp_path: Path, head: list[np.ndarray]) -> None:
    with pytest.raises(DatasetError, match="is not a folder"):
        clips.find(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no videos"):
        clips.find(tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(DatasetError, match=r"broken\.mp4 shows a face in 0 frames"):
        clips.load(clips.find(tmp_path))
    (tmp_path / "broken.mp4").unlink()
    write(tmp_path / "short.avi", head[:1])
    with pytest.raises(DatasetError, match=r"short\.avi shows a face in 1 frames"):
        clips.load(clips.find(tmp_path))
