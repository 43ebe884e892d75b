"""Messages become plain data, and those whose fields do not go together are refused."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import RegionOfInterest

from fer_common.core.errors import MessageError
from fer_interfaces.msg import (
    Expression,
    ExpressionArray,
    FaceFeatures,
    FaceFeaturesArray,
    MembraneTrace,
    Potentials,
    Projection,
    Spikes,
    SpikeTrain,
    Weights,
)
from fer_viz.core import messages
from fer_viz.core.scene import UNNAMED


def expression(**changes: object) -> Expression:
    fields: dict[str, object] = {
        "face_id": 7,
        "roi": RegionOfInterest(x_offset=1, y_offset=2, width=3, height=4),
        "label": "smile",
        "confidence": 0.75,
        "labels": ["neutral", "smile"],
        "scores": [0.25, 0.75],
        "rates_hz": [10.0, 30.0],
    }
    return Expression(**{**fields, **changes})


def test_answers() -> None:
    message = ExpressionArray(expressions=[expression()], skipped=2)
    message.header.stamp.sec, message.header.stamp.nanosec = 3, 5
    results = messages.results(message)
    (face,) = results.faces
    assert (results.stamp_ns, results.skipped) == (3_000_000_005, 2)
    assert (face.id, face.box_px, face.label, face.label_index) == (7, (1, 2, 3, 4), "smile", 1)
    assert face.scores == (0.25, 0.75)
    assert face.rates_hz == (10.0, 30.0)


def test_undecided_has_no_index() -> None:
    message = ExpressionArray(expressions=[expression(label=Expression.UNDECIDED)])
    (face,) = messages.results(message).faces
    assert (face.label, face.label_index) == ("undecided", -1)


def test_scores_for_other_labels_are_refused() -> None:
    message = ExpressionArray(expressions=[expression(scores=[1.0])])
    with pytest.raises(MessageError, match="face 7 has 2 labels, 1 scores and 2 rates"):
        messages.results(message)


def test_sightings() -> None:
    seen = FaceFeatures(id=4, landmarks_px=[1.0, 2.0, 3.0, 4.0])
    (face,) = messages.detections(FaceFeaturesArray(faces=[seen])).faces
    assert face.landmarks_px.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(MessageError, match="pairs"):
        messages.detections(FaceFeaturesArray(faces=[FaceFeatures(id=4, landmarks_px=[1.0])]))


def test_potentials_of_the_layer() -> None:
    trace = MembraneTrace(
        face_id=1, layer="expression", size=2, potential=[1, 2, 3, 4, 5, 6], threshold=[7, 8]
    )
    other = MembraneTrace(face_id=1, layer="feature", size=9)
    message = Potentials(dt=0.001, steps=3, v_rest=-0.07, v_reset=-0.075, traces=[trace, other])
    frames = messages.potentials(message, "expression")
    assert list(frames) == [1]
    assert frames[1].potential_v.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert (frames[1].start_ns, frames[1].end_ns) == (-3_000_000, 0)
    trace.potential = array.array("f", [1, 2, 3])
    with pytest.raises(MessageError, match="3 steps of 2 neurons"):
        messages.potentials(message, "expression")


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": float("nan")},
        {"scores": [0.5, float("inf")]},
        {"rates_hz": [float("nan"), 0]},
    ],
)
def test_answers_that_are_no_numbers_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MessageError, match="must be finite"):
        messages.results(ExpressionArray(expressions=[expression(**changes)]))


@pytest.mark.parametrize(
    ("size", "changes", "reason"),
    [
        (0, {}, "no neuron"),
        (1, {"v_rest": float("nan")}, "must be finite"),
        (1, {"dt": float("inf")}, "a step of inf s"),
        (1, {"dt": 0.0}, "a step of 0 s"),
    ],
)
def test_potentials_that_cannot_be_drawn_are_refused(
    size: int, changes: dict[str, float], reason: str
) -> None:
    values = [0.0] * size
    trace = MembraneTrace(layer="expression", size=size, potential=values, threshold=values)
    fields: dict[str, object] = {"dt": 0.001, "steps": 1, "traces": [trace], **changes}
    with pytest.raises(MessageError, match=reason):
        messages.potentials(Potentials(**fields), "expression")


@pytest.mark.parametrize(("neuron", "step"), [([0], [1, 2]), ([3], [0]), ([0], [33])])
def test_spikes_outside_are_refused(neuron: list[int], step: list[int]) -> None:
    train = SpikeTrain(face_id=1, layer="expression", size=3, neuron=neuron, step=step)
    with pytest.raises(MessageError, match="33 steps of 3 neurons"):
        messages.spikes(Spikes(dt=0.001, steps=33, trains=[train]), "expression")


def test_spikes_of_a_layer_that_cannot_be_drawn_are_refused() -> None:
    train = SpikeTrain(face_id=1, layer="expression", size=2**32 - 1)
    with pytest.raises(MessageError, match="4294967295 neurons: at most 100000"):
        messages.spikes(Spikes(dt=0.001, steps=33, trains=[train]), "expression")


def test_spikes() -> None:
    train = SpikeTrain(face_id=1, layer="expression", size=3, neuron=[2, 0], step=[5, 32])
    frame = messages.spikes(Spikes(dt=0.001, steps=33, trains=[train]), "expression")[1]
    assert (frame.neuron.tolist(), frame.step.tolist(), frame.size) == ([2, 0], [5, 32], 3)


def weights(**changes: object) -> Weights:
    projection = Projection(
        size=2,
        channels=2,
        rows=1,
        cols=2,
        channel_names=["ON 4px 0deg", "OFF 4px 0deg"],
        weights=[1, 2, 10, 20, 3, 4, 30, 40],
    )
    fields: dict[str, object] = {
        "version": 5,
        "labels": ["a", "b"],
        "neuron_label": [0, 1, Weights.UNNAMED],
        "receptive_fields": projection,
    }
    return Weights(**{**fields, **changes})


def test_off_channels_count_against_on_channels() -> None:
    fields = messages.receptive_fields(weights())
    np.testing.assert_array_equal(fields.maps[0], [[[-9, -18]], [[-27, -36]]])
    assert fields.neuron_label.tolist() == [0, 1, UNNAMED]
    assert fields.version == 5


def test_channels_without_names_are_summed() -> None:
    message = weights()
    message.receptive_fields.channel_names = []
    np.testing.assert_array_equal(
        messages.receptive_fields(message).maps[0], [[[11, 22]], [[33, 44]]]
    )


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(MessageError, match="8 weights: 3x2x1x2"):
        messages.receptive_fields(weights(labels=["a", "b", "c"]))
    with pytest.raises(MessageError, match="label 2 of 2"):
        messages.receptive_fields(weights(neuron_label=[2]))


@pytest.mark.parametrize("read", [messages.results, messages.detections])
@pytest.mark.parametrize("stamp", [(-1, 0), (0, 2 * 10**9)])
def test_stamps_that_are_no_time_are_refused(
    read: Callable[[Any], object], stamp: tuple[int, int]
) -> None:
    message = ExpressionArray() if read is messages.results else FaceFeaturesArray()
    message.header.stamp.sec, message.header.stamp.nanosec = stamp
    with pytest.raises(MessageError, match="is invalid"):
        read(message)
