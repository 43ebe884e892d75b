"""A stream of frames: state per face, time by the stamps, lessons, and the same results again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fer_common.core.errors import ParameterError
from fer_snn.core.clock import Continuity
from fer_snn.core.model import Model
from fer_snn.core.network import NO_RECORDING, RecordedLayers
from fer_snn.core.neurons.encoding import mirrored, orientations_in
from fer_snn.core.readout import ReadoutParameters
from fer_snn.core.recogniser import (
    MAX_TRACKS,
    FaceInput,
    FeatureFrame,
    FrameResult,
    Recogniser,
    RecogniserParameters,
)
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.teaching.learner import LARGEST, Learner, RequestError
from fer_snn.core.weights import weights_file
from fer_testing.networks import EIGHT, small_model, synthetic

FRAME_NS = 33_333_333
FEATURES, _ = synthetic(8, seed=2)


def face(identity: int, picture: int = 0, area: int = 100) -> FaceInput:
    return FaceInput(identity, area, FEATURES[picture])


def spikes(result: FrameResult, identity: int) -> list[int]:
    return next(f.activity.counts[1].tolist() for f in result.faces if f.id == identity)


def show(
    recogniser: Recogniser | Learner,
    stamp_ns: int,
    *faces: FaceInput,
    recording: RecordedLayers = NO_RECORDING,
) -> FrameResult:
    return recogniser.process(FeatureFrame(stamp_ns, faces, recording))


def stream(
    recogniser: Recogniser | Learner,
    n_frames: int,
    begin_ns: int = 0,
    recording: RecordedLayers = NO_RECORDING,
) -> list[FrameResult]:
    return [
        show(recogniser, begin_ns + k * FRAME_NS, face(1, k % 24), recording=recording)
        for k in range(n_frames)
    ]


def test_a_face_does_not_feel_the_others(model: Model) -> None:
    alone, together = (Recogniser(model, RecogniserParameters()) for _ in range(2))
    for k in range(5):
        one = show(alone, k * FRAME_NS, face(2, k))
        both = show(together, k * FRAME_NS, face(1, 10 + k), face(2, k), face(3, 3))
        assert spikes(one, 2) == spikes(both, 2)
        assert [f.id for f in both.faces] == [1, 2, 3]


def test_same_stream_gives_the_same_spikes_weights_and_answers(model: Model) -> None:
    outcomes = []
    for _ in range(2):
        learner = Learner(model, RecogniserParameters(learning=Learning.SUPERVISED))
        learner.teach("smile", False, LARGEST, 0.5)
        results = stream(learner, 20, recording=RecordedLayers(("expression",)))
        rasters = [f.activity.layers["expression"].raster for r in results for f in r.faces]
        answers = [f.answer.confidence for r in results for f in r.faces]
        weights = weights_file.to_bytes(learner.recogniser.network.model)
        outcomes.append((np.concatenate(rasters).tobytes(), answers, weights))
    assert outcomes[0] == outcomes[1]


def test_jump_back_resets_the_state_and_keeps_the_weights(model: Model) -> None:
    recogniser = Recogniser(model, RecogniserParameters())
    first = stream(recogniser, 4, begin_ns=10**9)
    version = recogniser.network.version
    again = stream(recogniser, 4, begin_ns=10**9)
    assert again[0].timing.continuity is Continuity.BACK and again[0].timing.gap
    assert [spikes(r, 1) for r in first] == [spikes(r, 1) for r in again]
    assert recogniser.network.version == version


def test_only_the_largest_faces_are_looked_at(model: Model) -> None:
    recogniser = Recogniser(model, RecogniserParameters(max_faces=2))
    result = show(recogniser, 0, face(1, 0, 50), face(2, 1, 200), face(3, 2, 100))
    assert [f.id for f in result.faces] == [2, 3]


def test_faces_that_come_and_go_leave_nothing_behind(model: Model) -> None:
    recogniser = Recogniser(model, RecogniserParameters(forget_after=0.1))
    for k in range(100):
        show(recogniser, k * FRAME_NS, face(k + 1))
    assert not recogniser.sees(90)
    assert recogniser.sees(100)


def test_a_clock_that_stands_still_does_not_fill_the_memory(model: Model) -> None:
    recogniser = Recogniser(model, RecogniserParameters())
    for k in range(3 * MAX_TRACKS):
        show(recogniser, 10**9, face(k + 1), face(10_000))
    kept = [k for k in range(1, 10_001) if recogniser.sees(k)]
    assert len(kept) == MAX_TRACKS
    assert kept[-2:] == [3 * MAX_TRACKS, 10_000]


def test_parameters_change_between_frames_without_a_reset(model: Model) -> None:
    plain, changed = (Recogniser(model, RecogniserParameters()) for _ in range(2))
    for recogniser in (plain, changed):
        stream(recogniser, 3)
    parameters = changed.parameters
    slower = dataclasses.replace(parameters.network.lif, tau_m=0.03)
    network = dataclasses.replace(parameters.network, lif=slower)
    changed.parameters = dataclasses.replace(parameters, network=network)
    a, b = (show(r, 3 * FRAME_NS, face(1)) for r in (plain, changed))
    assert b.timing.continuity is Continuity.NEXT
    assert spikes(a, 1) != spikes(b, 1)


def test_potentials_and_spikes_are_recorded_only_where_asked(model: Model) -> None:
    recogniser = Recogniser(model, RecogniserParameters())
    silent = show(recogniser, 0, face(1))
    recording = RecordedLayers(("hidden",), ("expression",))
    heard = show(recogniser, FRAME_NS, face(1), recording=recording)
    assert all(len(layer.raster) == 0 for layer in silent.faces[0].activity.layers.values())
    layers = heard.faces[0].activity.layers
    assert layers["hidden"].raster.shape == (heard.timing.steps, 32)
    assert layers["expression"].potential.shape == (heard.timing.steps, 6)
    neuron, step = layers["hidden"].events()
    assert len(neuron) == layers["hidden"].counts.sum()
    assert (np.diff(step) >= 0).all()


def test_lessons_end_with_their_time_and_only_the_taught_face_counts(model: Model) -> None:
    learner = Learner(model, RecogniserParameters(learning=Learning.SUPERVISED))
    show(learner, 0, face(1), face(2))
    assert "face 2" in learner.teach("happy", False, 2, 0.1)
    versions = []
    for k in range(1, 9):
        show(learner, k * FRAME_NS, face(1), face(2, 1))
        versions.append(learner.recogniser.network.version)
    assert versions[3] > 1
    assert versions[-1] == versions[-3] == versions[-4]


def test_bad_lessons_are_refused(model: Model) -> None:
    learner = Learner(model)
    with pytest.raises(RequestError, match="learning"):
        learner.teach("smile", False, LARGEST, 1.0)
    learner.parameters = RecogniserParameters(learning=Learning.SUPERVISED)
    for label, new, identity, duration in (
        ("wink", False, LARGEST, 1.0),
        ("", True, LARGEST, 1.0),
        ("smile", False, 7, 1.0),
        ("smile", False, LARGEST, float("nan")),
        ("smile", False, LARGEST, 61.0),
    ):
        with pytest.raises(RequestError):
            learner.teach(label, new, identity, duration)
    assert learner.recogniser.network.model.labels == model.labels


def test_new_label_can_be_taught(model: Model) -> None:
    learner = Learner(model, RecogniserParameters(learning=Learning.SUPERVISED))
    stream(learner, 2)
    learner.teach("wink", True, LARGEST, 1.0)
    result = stream(learner, 3, begin_ns=10**9)[-1]
    assert len(result.faces[0].answer.scores) == 4


def test_weights_are_saved_and_loaded_by_name(model: Model, tmp_path) -> None:  # type: ignore[no-untyped-def]
    learner = Learner(model, folder=tmp_path)
    network = learner.recogniser.network
    learner.save("mine")
    network.add_outer_product(1, np.ones(32, np.int32), np.full(6, 0.01, np.float32))
    changed = network.model.stages[1].weights.copy()
    learner.load("mine")
    assert not (network.model.stages[1].weights == changed).all()
    other = dataclasses.replace(model, labels=("a", "b", "c"))
    weights_file.save(other, tmp_path / "other.npz")
    for name in ("other", "none", "../mine", "/etc/passwd", "", "a/b", ".hidden"):
        with pytest.raises(Exception, match=r"labels|cannot be read|cannot be a name"):
            learner.load(name)
    with pytest.raises(Exception, match="cannot be replaced"):
        learner.save("default")


def test_spike_times_respect_the_refractory_period_whatever_the_stamps(model: Model) -> None:
    """Steps lie before the stamp: times grow over jitter, skipped frames, glances and gaps."""
    recogniser = Recogniser(model, RecogniserParameters())
    neuron = recogniser.parameters.network.lif
    dt_ns = round(recogniser.parameters.network.dt * 1e9)
    rng = np.random.default_rng(0)
    intervals_ns = rng.choice([FRAME_NS, 2 * FRAME_NS, 5 * FRAME_NS, 400_000_000], 80)
    stamps_ns = 10**18 + np.cumsum(intervals_ns + rng.integers(-4_000_000, 4_000_000, 80))
    recording = RecordedLayers(spikes=("feature", "hidden", "expression"))
    fired: dict[tuple[str, int], list[int]] = {}
    for k, stamp_ns in enumerate(stamps_ns.tolist()):
        result = show(recogniser, stamp_ns, face(1, k % 24), recording=recording)
        for name, layer in result.faces[0].activity.layers.items():
            for index, step in np.column_stack(layer.events()).tolist():
                time_ns = stamp_ns - (result.timing.steps - 1 - step) * dt_ns
                fired.setdefault((name, index), []).append(time_ns)
    intervals = np.concatenate([np.diff(times) for times in fired.values()])
    assert len(intervals) > 10_000
    assert intervals.min() >= round(neuron.t_ref * 1e9)


@pytest.mark.parametrize("mirror", [True, False])
def test_every_second_glance_is_at_the_mirrored_face(model: Model, mirror: bool) -> None:
    recogniser = Recogniser(model, RecogniserParameters(mirror=mirror))
    network, channels = recogniser.network, model.feature_shape[0]
    views = [FEATURES[0], mirrored(FEATURES[0], orientations_in(model.feature_spec, channels))]
    assert (views[0] != views[1]).any()
    steps = 60
    frames_ns = [k * steps * 10**6 for k in range(6)]
    # The first frame after a gap has as many steps as its distance to the next is long.
    seen = [show(recogniser, stamp_ns, face(1)) for stamp_ns in frames_ns]
    for glance, result in enumerate(seen[1:], start=1):
        view = views[glance % 2] if mirror else views[0]
        expected = network.present(view, result.timing.steps).counts
        for got, wanted in zip(result.faces[0].activity.counts, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_a_face_of_unknown_features_is_not_mirrored() -> None:
    model = dataclasses.replace(small_model(), feature_spec="unknown")
    plain, mirroring = (Recogniser(model, RecogniserParameters(mirror=m)) for m in (False, True))
    for one, other in zip(stream(plain, 8), stream(mirroring, 8), strict=True):
        assert spikes(one, 1) == spikes(other, 1)


def test_other_labels_are_not_said_and_keep_their_place() -> None:
    model = small_model(labels=EIGHT)
    recogniser = Recogniser(model, RecogniserParameters())
    free = stream(recogniser, 4)[-1].faces[0].answer
    chosen = ("sad", "angry", "contempt")
    recogniser.parameters = dataclasses.replace(
        recogniser.parameters, readout=ReadoutParameters(labels=chosen)
    )
    bound = show(recogniser, 4 * FRAME_NS, face(1, 3)).faces[0].answer
    indices = [EIGHT.index(label) for label in chosen]
    assert len(free.scores) == len(bound.scores) == 8
    assert free.scores.all()
    assert np.flatnonzero(bound.scores).tolist() == indices
    assert bound.best in indices
    assert bound.scores.sum() == pytest.approx(1)


def test_a_model_that_does_not_know_the_labels_to_say_is_refused(tmp_path: Path) -> None:
    wanted = RecogniserParameters(
        learning=Learning.SUPERVISED, readout=ReadoutParameters(labels=("smile", "wink"))
    )
    with pytest.raises(ParameterError, match="wink"):
        Recogniser(small_model(), wanted)
    weights_file.save(small_model(), tmp_path / "three.npz")
    learner = Learner(small_model(), RecogniserParameters(learning=Learning.SUPERVISED), tmp_path)
    learner.teach("wink", True, LARGEST, 0.1)
    learner.parameters = wanted
    assert "leaves 'neutral' out" in learner.teach("neutral", False, LARGEST, 0.1)
    undo = learner.undo_reasons
    for request in (lambda: learner.undo(2), learner.reset_weights, lambda: learner.load("three")):
        with pytest.raises(ParameterError, match="wink"):
            request()
        assert learner.undo_reasons == undo
        assert learner.recogniser.network.model.labels[-1] == "wink"
