"""Lessons that do not overwrite what was known, and that can be taken back."""

from __future__ import annotations

import dataclasses
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.recogniser import FaceInput, FeatureFrame, RecogniserParameters
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.teaching.learner import (
    LARGEST,
    REHEARSAL_PERIOD_S,
    Learner,
    NothingToUndoError,
    RequestError,
)
from fer_snn.core.teaching.rehearsal import LIKENESS, RehearsalMemory
from fer_snn.core.teaching.report import weight_changes
from fer_snn.core.untrained import Architecture, HiddenLayer
from fer_snn.core.weights import weights_file, weights_folder
from fer_testing.networks import LABELS, QUICK_RULE, SHAPE, small_model, synthetic, trained_model

FRAME_NS = 33_333_333
FEATURES, TRUTH = synthetic(8, seed=2)
SUPERVISED = RecogniserParameters(
    learning=Learning.SUPERVISED, supervised=dataclasses.replace(QUICK_RULE, eta_v=1e-2)
)


def one(value: float, label_row: int = 0) -> Float32s:
    features = np.full(SHAPE, 0.3, dtype=np.float32)
    features[:, label_row] = value
    return features


def wink(seed: int) -> Float32s:
    """Return a face of a label that the small network does not know: bright in two columns."""
    features = np.random.default_rng(seed).uniform(0.2, 0.5, SHAPE).astype(np.float32)
    features[:, :, :2] += 0.35
    return features


class Stream:
    """Frames with one face, one after the other."""

    def __init__(self, model: Model, folder: Path, rehearsals: int = 1) -> None:
        self.learner = Learner(model, SUPERVISED, folder, rehearsals, undo_depth=3)
        self._stamp_ns = 10**9

    @property
    def network(self) -> Model:
        return self.learner.recogniser.network.model

    def show(self, features: Float32s, frames: int = 2) -> str:
        """Show a face and return what is said of it at last."""
        for _ in range(frames):
            self._stamp_ns += FRAME_NS
            result = self.learner.process(
                FeatureFrame(self._stamp_ns, [FaceInput(1, 100, features)])
            )
        answer = result.faces[0].answer
        return self.network.labels[answer.best] if answer.decided else "undecided"

    def teach(self, label: str, faces: list[Float32s], rounds: int, new: bool = False) -> None:
        """Teach a label by some faces, each for a glance."""
        self.learner.teach(label, new, 0, rounds * len(faces) * 2 * FRAME_NS / 1e9)
        for _ in range(rounds):
            for face in faces:
                self.show(face)
        while self.learner.teaching:
            self.show(faces[-1], 1)

    def says(self, label: str, faces: list[Float32s]) -> float:
        """Return the share of faces of which the label is said, each seen afresh."""
        said = []
        for face in faces:
            self.learner.recogniser.reset_state()
            said.append(self.show(face, 1) == label)
        return float(np.mean(said))


def of(label: str) -> list[Float32s]:
    return [f for f, k in zip(FEATURES, TRUTH, strict=True) if LABELS[k] == label]


@pytest.fixture(scope="module")
def trained() -> Model:
    """A small network that tells its three labels apart."""
    return trained_model()


@pytest.fixture
def stream(trained: Model, tmp_path: Path) -> Stream:
    """A stream on which the faces of three labels have been seen."""
    stream = Stream(trained, tmp_path)
    for _ in range(4):
        for label in LABELS:
            stream.show(of(label)[0], 30)
    return stream


def test_a_new_label_is_learnt_and_the_old_ones_stay(stream: Stream, tmp_path: Path) -> None:
    stream.teach("wink", [wink(k) for k in range(8)], rounds=10, new=True)
    others = [wink(k) for k in range(100, 110)]
    assert stream.says("wink", others) >= 0.9
    for label in LABELS:
        assert stream.says(label, of(label)) >= 0.8
    stream.learner.save("four")
    again = Stream(weights_file.load(tmp_path / "four.npz"), tmp_path)
    assert again.network.labels == (*LABELS, "wink")
    assert again.says("wink", others) >= 0.9


def test_a_lesson_that_ends_another_says_so(stream: Stream) -> None:
    assert "ends" not in stream.learner.teach("smile", False, 0, 2.0)
    said = stream.learner.teach("surprised", False, 0, 2.0)
    assert said.endswith("this ends the lesson 'smile'")


def test_narrower_bounds_clip_the_weights_at_once_and_can_be_undone(stream: Stream) -> None:
    network = stream.learner.recogniser.network
    before = network.model.stages[-1].weights.copy()
    limit = float(before.max()) / 2
    parameters = stream.learner.parameters
    narrow = dataclasses.replace(
        parameters.network,
        stdp=dataclasses.replace(parameters.network.stdp, w_max=limit),
        s_target=1e4,
    )
    stream.learner.parameters = dataclasses.replace(
        parameters, network=narrow, learning=Learning.UNSUPERVISED
    )
    for _ in range(5):
        assert network.model.stages[-1].weights.max() <= np.float32(limit)
        stream.show(of("smile")[0], 1)
    stream.learner.parameters = parameters
    assert stream.learner.undo_reasons[0] == "bounds of the weights"
    stream.learner.undo(1)
    np.testing.assert_array_equal(network.model.stages[-1].weights, before)


def test_without_rehearsal_old_labels_are_forgotten(stream: Stream) -> None:
    stream.learner.rehearsals = 0
    stream.teach("wink", of("neutral"), rounds=20, new=True)
    assert stream.says("neutral", of("neutral")) <= 0.2


def test_the_same_stream_and_requests_give_the_same_weights(tmp_path: Path) -> None:
    results = []
    for _ in range(2):
        stream = Stream(small_model(), tmp_path)
        stream.teach("smile", of("smile"), 3)
        stream.teach("wink", [wink(1)], 3, new=True)
        results.append(weights_file.to_bytes(stream.network))
    assert results[0] == results[1]


def test_lessons_are_counted_and_reported(stream: Stream, trained: Model) -> None:
    assert not stream.learner.report().lessons
    stream.teach("wink", [wink(1)], 5, new=True)
    report = stream.learner.report()
    assert report.lessons["wink"] in (5, 6)
    assert sum(report.rehearsed.values()) == report.lessons["wink"]
    assert math.isnan(report.fields["wink"]) and report.fields["smile"] > 0
    assert [moved.size for moved in report.projections] == [
        stage.weights.size for stage in trained.stages
    ]


def test_a_clock_that_is_set_back_ends_a_lesson(trained: Model) -> None:
    learner = Learner(trained, SUPERVISED)
    learner.teach("smile", False, LARGEST, 1.0)
    face = [FaceInput(1, 100, of("smile")[0])]
    learner.process(FeatureFrame(10**12, face))
    assert learner.teaching
    learner.process(FeatureFrame(10**12 - 10**9, face))
    assert not learner.teaching


def test_lessons_can_be_taken_back_bit_for_bit(stream: Stream) -> None:
    weights = [weights_file.to_bytes(stream.network)]
    lessons = stream.learner.lessons.copy()
    for label in ("wink", "wink", "yawn"):
        stream.teach(label, [wink(3)], 4, new=True)
        weights.append(weights_file.to_bytes(stream.network))
    assert stream.learner.undo_reasons == ("lesson 'yawn'", "lesson 'wink'", "lesson 'wink'")
    assert "yawn" in stream.learner.undo(1)
    assert weights_file.to_bytes(stream.network) == weights[2]
    stream.learner.undo(2)
    assert weights_file.to_bytes(stream.network) == weights[0]
    assert stream.learner.lessons == lessons
    with pytest.raises(NothingToUndoError, match="nothing was taught"):
        stream.learner.undo(1)


def test_loads_and_resets_can_be_taken_back_too(stream: Stream, trained: Model) -> None:
    taught = weights_file.to_bytes(stream.network)
    stream.learner.save("mine")
    stream.learner.reset_weights()
    assert weights_file.to_bytes(stream.network) == weights_file.to_bytes(trained)
    assert not stream.learner.report().lessons
    stream.learner.undo(1)
    assert weights_file.to_bytes(stream.network) == taught
    stream.learner.load("mine")
    with pytest.raises(weights_folder.WeightsNameError):
        stream.learner.load("../mine")
    assert stream.learner.undo_reasons[0] == "load 'mine'"


@pytest.mark.parametrize("label", ["", " ", "undecided", "a\nb", "x" * 41])
def test_impossible_names_of_labels_are_refused(stream: Stream, label: str) -> None:
    stream.show(wink(0))
    reasons = stream.learner.undo_reasons
    with pytest.raises(RequestError, match="cannot be a label"):
        stream.learner.teach(label, True, 0, 1.0)
    assert stream.network.labels == LABELS
    assert stream.learner.undo_reasons == reasons


def test_loading_copies_weights_for_the_stage_and_for_the_network_only(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    architecture = Architecture(hidden=(HiddenLayer(6, 6, 4096),))
    large = Network(small_model(architecture)).model
    weights_file.save(large, path)
    tracemalloc.start()
    model = weights_file.load(path)
    size = sum(stage.padded_weights.nbytes for stage in model.stages)
    assert tracemalloc.get_traced_memory()[0] < 1.1 * size
    learner = Learner(model)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 2.1 * size
    learner.recogniser.network.normalise()
    assert learner.report().projections[0].changed > 0


def test_the_last_changes_are_kept() -> None:
    learner = Learner(small_model(), undo_depth=2)
    theta = learner.recogniser.network.model.stages[-1].theta[0]
    for k in range(4):
        learner.remember(f"change {k}")
        learner.recogniser.network.shift_thresholds(-1, np.ones(6, np.float32))
    assert learner.undo_reasons == ("change 3", "change 2")
    with pytest.raises(NothingToUndoError, match="give 1 to 2"):
        learner.undo(3)
    assert learner.undo(2) == "undone: change 3, change 2"
    assert learner.recogniser.network.model.stages[-1].theta[0] == theta + np.float32(2)
    learner.remember("again")
    learner.undo_depth = 0
    learner.remember("not kept")
    assert learner.undo_reasons == ()


def test_memory_keeps_the_last_of_each_label_and_offers_all_in_turn() -> None:
    memory = RehearsalMemory(per_label=2)
    for k in range(3):
        memory.keep("a", one(k + 1.0, 0))
        memory.keep("b", one(k + 1.0, 3))
    assert memory.labels() == ("a", "a", "b", "b")
    offered = [memory.next_besides("c") for _ in range(4)]
    assert [label for label, _ in filter(None, offered)] == ["a", "b", "a", "b"]
    assert sorted(float(f[0, 0, 0]) for label, f in filter(None, offered) if label == "a") == [2, 3]
    only = memory.next_besides("a")
    assert only is not None and only[0] == "b"
    assert RehearsalMemory().next_besides("a") is None


def test_what_a_teacher_names_otherwise_is_forgotten() -> None:
    memory = RehearsalMemory()
    like, unlike, taught = one(1.0), one(1.0, 3), one(1.0) * np.float32(1 + LIKENESS / 2)
    memory.keep("neutral", like)
    memory.keep("neutral", unlike)
    memory.keep("wink", like)
    memory.forget_like(taught, "wink")
    assert memory.labels() == ("neutral", "wink")


def test_faces_of_a_stream_are_kept_now_and_then_only(stream: Stream) -> None:
    learner = Learner(stream.network, SUPERVISED)
    frames = 60
    for k in range(frames):
        learner.process(FeatureFrame(k * FRAME_NS, [FaceInput(1, 100, of("smile")[k % 8])]))
    assert 0 < len(learner._memory) <= frames / 30 / REHEARSAL_PERIOD_S + 1


def test_projections_that_moved() -> None:
    before = small_model()
    stage = before.stages[0]
    weights = stage.weights.copy()
    weights[0, 0] += np.float32(stage.weights.sum() / 4)
    moved_stage = dataclasses.replace(stage, weights=weights)
    now = dataclasses.replace(before, stages=(moved_stage, *before.stages[1:]))
    first, second = weight_changes(before, now.with_label("new"))
    assert (first.changed, first.size) == (1, stage.weights.size)
    assert first.change == pytest.approx(0.25, rel=1e-4)
    assert (second.changed, second.change) == (0, 0.0)
