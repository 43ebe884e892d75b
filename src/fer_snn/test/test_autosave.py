"""When what was learnt is saved, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer_common.core.errors import FerError
from fer_snn.core.parameters import TABLE
from fer_snn.core.recogniser import FaceInput, FeatureFrame, Recogniser, RecogniserParameters
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.weights import autosave, weights_file
from fer_snn.core.weights.autosave import AUTOSAVE, Autosave
from fer_testing.networks import small_model, synthetic
from fer_testing.ros import wait_for

FEATURES, _ = synthetic(1, seed=2)
PERIOD_S = 10.0


class LearningNetwork:
    """A network that learns, and its autosave, on a clock that the test holds."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / f"{AUTOSAVE}.npz"
        self.now_s = 100.0
        self.refused: list[FerError] = []
        monkeypatch.setattr(autosave, "time", SimpleNamespace(monotonic=lambda: self.now_s))
        parameters = RecogniserParameters(learning=Learning.UNSUPERVISED)
        self._recogniser = Recogniser(small_model(), parameters)
        self._stamp_ns = 10**9
        self._autosave = Autosave(
            self._recogniser, folder, "small", self.refused.append, self._fail
        )

    def learn(self) -> None:
        """Look at a face."""
        self._stamp_ns += 10**8
        self._recogniser.process(FeatureFrame(self._stamp_ns, [FaceInput(1, 100, FEATURES[0])]))

    def when_due(self, after_s: float) -> None:
        """Ask whether it is time, so much later."""
        self.now_s += after_s
        self._autosave.when_due(PERIOD_S)

    def is_saved(self) -> bool:
        """Whether the file holds all that was learnt."""
        if not self.file.is_file():
            return False
        saved = weights_file.load(self.file).stages[-1].weights
        return np.array_equal(saved, self._recogniser.network.model.stages[-1].weights)

    def close(self) -> None:
        """End without a save."""
        self._autosave.finish(wanted=False)

    @staticmethod
    def _fail(error: BaseException) -> None:
        raise error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture
def learner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LearningNetwork]:
    learner = LearningNetwork(folder, monkeypatch)
    yield learner
    learner.close()


def test_by_default_no_more_than_ten_seconds_are_lost() -> None:
    assert 0.0 < TABLE["autosave"].default <= 10.0  # type: ignore[operator]


def test_what_is_learnt_is_saved_once_in_every_period(learner: LearningNetwork) -> None:
    learner.learn()
    learner.when_due(0.0)
    wait_for(learner.is_saved, "the first save")
    for _ in range(3):
        learner.learn()
        learner.when_due(PERIOD_S)
        wait_for(learner.is_saved, "the save that is due")
    assert not learner.refused


def test_what_could_not_be_written_is_written_once_it_can_be(
    learner: LearningNetwork, folder: Path
) -> None:
    folder.touch()
    learner.learn()
    learner.when_due(0.0)
    wait_for(lambda: learner.refused, "the refusal")
    folder.unlink()
    # Nothing more is learnt meanwhile.
    learner.when_due(PERIOD_S)
    wait_for(learner.is_saved, "the save")
