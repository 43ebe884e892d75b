"""The confidence on each kind of picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_common.core.errors import FerError
from fer_snn import load_weights
from fer_snn.core.recogniser import RecogniserParameters
from fer_snn.core.weights.weights_folder import default_path
from fer_testing.heads import Head, Stage
from fer_train import confidence
from fer_train.confidence import Kind
from fer_train.metrics import ReliabilityBin
from fer_train.progress import no_progress

FRAMES = 12
LABELS = "frame,label\n" + "".join(f"{k},neutral\n" for k in range(FRAMES - 2))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with a folder of stills, a video, and the labels of its first frames."""
    stage = Stage(320, 240)
    writer = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (320, 240)
    )
    for k in range(FRAMES):
        writer.write(stage.picture([Head(0, 160, 120, 130, k)]))
    writer.release()
    (tmp_path / "clip_labels.csv").write_text(LABELS)
    for label, moment in (("neutral", 3), ("smile", 40), ("bored", 3)):
        (tmp_path / "stills" / label).mkdir(parents=True)
        picture = stage.picture([Head(0, 160, 120, 130, moment)])
        cv2.imwrite(str(tmp_path / "stills" / label / "0.png"), picture)
    return tmp_path


def test_stills_and_frames_are_counted(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = pictures / "plot.png"
    sources = (f"stills={pictures / 'stills'}", f"video={pictures / 'clip.mp4'}")
    confidence.main([*sources, "--plot", str(plot)])
    table = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if "|" in line]
    # Labels that the network does not know, and frames without a label, do not count.
    assert [row[:2] for row in table[2:]] == [["| stills", "2"], ["| video", str(FRAMES - 2)]]
    assert cv2.imread(str(plot)) is not None


def test_stills_are_looked_at_mirrored_as_the_parameter_says(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    model = load_weights(default_path())

    def evaluate(*args: object, mirror: bool) -> tuple[SimpleNamespace, None]:
        asked.append(mirror)
        return SimpleNamespace(n=2, undecided_rate=0.0, ece=0.0, reliability=()), None

    monkeypatch.setattr(confidence.evaluation, "evaluate", evaluate)
    for mirror in (True, False):
        parameters = RecogniserParameters(mirror=mirror)
        confidence.of_stills(model, parameters, pictures / "stills", no_progress)
    assert asked == [True, False]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "columns frame and label"),
        ("picture,label\na,neutral\n", "a column 'frame'"),
        ("frame,label\nx,neutral\n", "a column 'frame'"),
    ],
)
def test_a_video_without_labels_is_refused(pictures: Path, text: str | None, why: str) -> None:
    labels = pictures / "clip_labels.csv"
    labels.unlink()
    if text is not None:
        labels.write_text(text)
    with pytest.raises(FerError, match=why):
        confidence.main([f"video={pictures / 'clip.mp4'}"])


def test_a_video_that_shows_nothing_known_is_refused(pictures: Path) -> None:
    (pictures / "clip_labels.csv").write_text("frame,label\n0,bored\n")
    with pytest.raises(FerError, match="no face with a label"):
        confidence.main([f"video={pictures / 'clip.mp4'}"])


def test_the_row_of_a_kind_weighs_bins_by_their_answers() -> None:
    bins = (ReliabilityBin(30, 0.5, 0.4, (0, 1)), ReliabilityBin(10, 0.9, 1.0, (0, 1)))
    cells = Kind(50, 0.2, 0.1, bins).as_row()
    assert cells == "50 | 20.0% | 0.550 | 0.600 | 0.100 |"
    assert Kind(1, 1.0, np.nan, ()).as_row().startswith("1 | 100.0% | 0.000")
