"""ROS messages as plain, checked data, read from any object with their fields, without ROS."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from fer_common.core.errors import MessageError
from fer_common.core.stamps import checked_ns
from fer_viz.core.history import PotentialFrame, SpikeFrame
from fer_viz.core.scene import (
    ALL_ORIENTATIONS,
    UNNAMED,
    Face,
    FeatureMap,
    NetworkSummary,
    ReceptiveFields,
)

#: The value of Weights.neuron_label for a neuron without a label.
_UNNAMED = 2**32 - 1
_CHANNEL = re.compile(r"(?:ON|OFF) \S+ ([\d.]+)deg")
_ORIENTATIONS = re.compile(r"(?:^|;)o=(\d+)(?:;|$)")
#: A thousand times the usual step.
LONGEST_STEP_S = 1.0
#: Largest layer that is drawn: a few bytes can claim 2**32 neurons, and each one has a row.
MAX_NEURONS = 100_000


class ImageFaces(NamedTuple):
    """Faces of one image, detected or with results; `skipped` frames were dropped before it."""

    stamp_ns: int
    faces: tuple[Face, ...]
    skipped: int


def results(message: Any) -> ImageFaces:
    """Read an ExpressionArray.

    Raises
    ------
    MessageError
        if there is not one finite score and rate for each label.
    """
    faces = []
    for item in message.expressions:
        labels = tuple(item.labels)
        if len(item.scores) != len(labels) or len(item.rates_hz) != len(labels):
            raise MessageError(
                f"expression of face {item.face_id} has {len(labels)} labels, "
                f"{len(item.scores)} scores and {len(item.rates_hz)} rates: "
                "these numbers must be equal"
            )
        if not np.isfinite([item.confidence, *item.scores, *item.rates_hz]).all():
            raise MessageError(
                f"expression of face {item.face_id}: confidence, scores and rates must be finite"
            )
        faces.append(
            Face(
                id=item.face_id,
                box_px=_box(item.roi),
                label=item.label,
                label_index=labels.index(item.label) if item.label in labels else -1,
                confidence=float(item.confidence),
                labels=labels,
                scores=tuple(item.scores),
                rates_hz=tuple(item.rates_hz),
            )
        )
    return ImageFaces(checked_ns(message.header.stamp), tuple(faces), message.skipped)


def detections(message: Any) -> ImageFaces:
    """Read boxes and landmarks, but not the features, of a FaceFeaturesArray.

    Raises
    ------
    MessageError
        if landmarks are not pairs.
    """
    faces = []
    for item in message.faces:
        landmarks = np.asarray(item.landmarks_px, np.float32)
        if landmarks.size % 2:
            raise MessageError(
                f"face {item.id} has {landmarks.size} landmark coordinates: they must be pairs"
            )
        faces.append(Face(id=item.id, box_px=_box(item.roi), landmarks_px=landmarks.reshape(-1, 2)))
    return ImageFaces(checked_ns(message.header.stamp), tuple(faces), message.skipped)


def potentials(message: Any, layer: str) -> dict[int, PotentialFrame]:
    """Read the potentials of one layer from a Potentials message, by face id.

    Raises
    ------
    MessageError
        if there are no neurons, the number of values is not steps x neurons, or the step,
        threshold, resting or reset potential is out of range.
    """
    dt_s = _step_s(message)
    frames = {}
    for trace in message.traces:
        if trace.layer != layer:
            continue
        values = np.asarray(trace.potential, np.float32)
        if not trace.size:
            raise MessageError(f"potentials of layer '{layer}' have no neurons")
        if values.size != message.steps * trace.size or len(trace.threshold) != trace.size:
            raise MessageError(
                f"potentials of layer '{layer}' have {values.size} values and "
                f"{len(trace.threshold)} thresholds: {message.steps} steps of {trace.size} "
                "neurons need others"
            )
        threshold = np.asarray(trace.threshold, np.float32)
        if not np.isfinite([*threshold, message.v_rest, message.v_reset]).all():
            raise MessageError(
                f"potentials of layer '{layer}': threshold, v_rest and v_reset must be finite"
            )
        frames[trace.face_id] = PotentialFrame(
            end_ns=checked_ns(message.header.stamp),
            dt_s=dt_s,
            potential_v=values.reshape(message.steps, trace.size),
            threshold_v=threshold,
            v_rest_v=message.v_rest,
            v_reset_v=message.v_reset,
        )
    return frames


def spikes(message: Any, layer: str) -> dict[int, SpikeFrame]:
    """Read the spikes of one layer from a Spikes message, by face id.

    Raises
    ------
    MessageError
        if neurons and steps are not equally many or out of range, the step is out of range, or the
        layer has more than `MAX_NEURONS`.
    """
    dt_s = _step_s(message)
    frames = {}
    for train in message.trains:
        if train.layer != layer:
            continue
        if train.size > MAX_NEURONS:
            raise MessageError(
                f"spikes of layer '{layer}' are of {train.size} neurons: at most {MAX_NEURONS} can "
                "be shown"
            )
        neuron, step = np.asarray(train.neuron, np.int64), np.asarray(train.step, np.int64)
        inside = neuron.max(initial=-1) < train.size and step.max(initial=-1) < message.steps
        if len(neuron) != len(step) or not inside:
            raise MessageError(
                f"spikes of layer '{layer}' do not fit {message.steps} steps of {train.size} "
                "neurons: neuron and step must have the same length and lie within these"
            )
        frames[train.face_id] = SpikeFrame(
            checked_ns(message.header.stamp), dt_s, message.steps, step, neuron, train.size
        )
    return frames


def receptive_fields(message: Any) -> ReceptiveFields:
    """Read a Weights message.

    Raises
    ------
    MessageError
        if weights, shape and labels are inconsistent.
    """
    labels, field = tuple(message.labels), message.receptive_fields
    shape = (len(labels), field.channels, field.rows, field.cols)
    weights = np.asarray(field.weights, np.float32)
    if weights.size != np.prod(shape, dtype=int):
        raise MessageError(
            f"receptive fields have {weights.size} weights: {'x'.join(map(str, shape))} "
            "(labels, channels, rows, cols) were announced"
        )
    neuron_label = np.asarray(message.neuron_label, np.int64)
    neuron_label = np.where(neuron_label == _UNNAMED, UNNAMED, neuron_label)
    if neuron_label.max(initial=UNNAMED) >= len(labels):
        raise MessageError(
            f"a neuron has label {neuron_label.max()} of {len(labels)}: labels count from 0"
        )
    names = list(field.channel_names)
    by_channel = weights.reshape(shape).swapaxes(0, 1)
    if len(names) == field.channels:
        off = np.array([name.startswith("OFF") for name in names], bool)
        by_channel = np.where(off[:, None, None, None], -by_channel, by_channel)
    maps, choices = [by_channel.sum(axis=0)], [ALL_ORIENTATIONS]
    degrees = np.array([float(match[1]) for match in map(_CHANNEL.fullmatch, names) if match])
    if len(degrees) == field.channels:
        for value in np.unique(degrees):
            maps.append(by_channel[degrees == value].sum(axis=0))
            choices.append(f"{value:g}°")
    return ReceptiveFields(message.version, labels, np.stack(maps), neuron_label, tuple(choices))


def features(message: Any) -> dict[int, FeatureMap]:
    """Read the features of a FaceFeaturesArray by face id, without faces that have none.

    Raises
    ------
    MessageError
        if features and shape are inconsistent.
    """
    shape = (message.channels, message.rows, message.cols)
    found = _ORIENTATIONS.search(message.feature_spec)
    count = int(found[1]) if found else 1
    if not count or message.channels % count:
        count = 1
    maps = {}
    for face in message.faces:
        values = np.asarray(face.features, np.float32)
        if values.size not in (0, np.prod(shape, dtype=int)):
            raise MessageError(
                f"face {face.id} has {values.size} features: "
                f"{'x'.join(map(str, shape))} (channels, rows, cols) were announced"
            )
        if values.size:
            maps[face.id] = FeatureMap(values.reshape(-1, count, *shape[1:]).mean(axis=0))
    return maps


def network(message: Any) -> NetworkSummary:
    """Read a NetworkInfo message."""
    return NetworkSummary(message.model, tuple(message.labels), message.learning)


def _step_s(message: Any) -> float:
    dt_s = float(message.dt)
    if not 0.0 < dt_s <= LONGEST_STEP_S:
        raise MessageError(
            f"a step of {dt_s:g} s is out of range: it must be above 0 and at most "
            f"{LONGEST_STEP_S:g} s"
        )
    return dt_s


def _box(roi: Any) -> tuple[int, int, int, int]:
    return roi.x_offset, roi.y_offset, roi.width, roi.height
