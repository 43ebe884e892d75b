"""A new expression, taught from the command line on a live source, outlives a restart."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_camera.core.sources import demo_path
from fer_features.core.pipeline import FeaturePipeline
from fer_interfaces.msg import ExpressionArray
from fer_testing.ros import Graph, end, wait_for
from fer_testing.whole_graph import start_fer

#: Where the right eye stands among the landmarks, and the left.
RIGHT, LEFT = 0, 1
FRAMES = 20

pytestmark = pytest.mark.timeout(180)


def wink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of a face with its left eye painted shut."""
    face = FeaturePipeline().process_still(picture)[0]
    right, left = face.landmarks_px[[RIGHT, LEFT]]
    apart = float(np.linalg.norm(right - left))
    centre = (int(left[0]), int(left[1]))
    skin = picture[int(left[1] + 0.35 * apart), int(left[0])].astype(float)
    lid, lashes = (int(0.26 * apart), int(0.17 * apart)), (int(0.2 * apart), int(0.06 * apart))
    painted = cv2.ellipse(picture.copy(), centre, lid, 0, 0, 360, skin.tolist(), -1)
    painted = cv2.ellipse(painted, centre, lashes, 0, 20, 160, (0.4 * skin).tolist(), 2)
    return np.asarray(painted, dtype=np.uint8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of pictures of somebody who winks."""
    folder = tmp_path / "winks"
    folder.mkdir()
    capture = cv2.VideoCapture(str(demo_path()))
    for k in range(FRAMES):
        picture = np.asarray(capture.read()[1], dtype=np.uint8)
        cv2.imwrite(str(folder / f"{k:03}.png"), wink(picture))
    capture.release()
    return folder


@pytest.fixture
def graph_of_its_own(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Graph]:
    """A graph whose weights folder is the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    yield graph


def test_a_new_label_is_taught_saved_and_recognised(
    graph_of_its_own: Graph, source: Path, tmp_path: Path, done: Callable[..., str]
) -> None:
    answers = graph_of_its_own.collect(ExpressionArray, "/fer/expressions")

    def said(number: int) -> Counter[str]:
        answers.clear()
        wait_for(lambda: len(answers) >= number, "answers")
        return Counter(face.label for message in answers for face in message.expressions)

    up = start_fer("up", "--source", source, "--no-viz")
    wait_for(lambda: answers, "the live graph", 60.0)
    assert "wink" not in said(20)
    assert "give --new" in done("teach", "wink", code=2)
    assert "faces learnt" in done("teach", "wink", "--new", "--duration", 2)
    # A lesson of one frame, which is shorter than this presentation, teaches nothing.
    done("param", "set", "snn", "presentation", 1.0)
    assert "no face was learnt" in done("teach", "wink", "--duration", 0.001, code=2)
    done("param", "set", "snn", "presentation", 0.06)
    assert "lesson 'wink'" in done("weights", "report")
    assert "taught.npz" in done("weights", "save", "taught")
    assert "taught" in done("weights", "list")
    assert "cannot be a name of weights" in done("weights", "save", "../elsewhere", code=2)
    # The saved weights can be loaded into the network that has lost the label again.
    assert "undone" in done("weights", "undo")
    assert "wink" in done("weights", "load", "taught")
    assert end(up, signal.SIGINT)[0] == 0

    path = tmp_path / ".local/share/fer/weights/taught.npz"
    assert "wink" in done("weights", "show", path)
    answers.clear()
    up = start_fer("up", "--source", source, "--no-viz", "--weights", "taught")
    wait_for(lambda: answers, "the graph again", 60.0)
    counted = said(30)
    assert counted["wink"] >= 0.8 * sum(counted.values()), counted
    assert end(up, signal.SIGINT)[0] == 0


def test_weights_without_a_graph_are_refused(ros_domain: int, done: Callable[..., str]) -> None:
    assert "start it with `fer up`" in done("weights", "undo", code=2)
