"""Conversion between messages and the core."""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from fer_common.core import stamps
from fer_common.core.errors import MessageError
from fer_interfaces.msg import (
    Expression,
    ExpressionArray,
    FaceFeaturesArray,
    MembraneTrace,
    NetworkInfo,
    Potentials,
    Projection,
    Spikes,
    SpikeTrain,
    Weights,
)
from fer_snn.core.model import Model
from fer_snn.core.network import FEATURE, NO_RECORDING, Network, RecordedLayers
from fer_snn.core.neurons.encoding import channel_names
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import UNNAMED
from fer_snn.core.recogniser import FaceInput, FeatureFrame, FrameResult


def read_features(
    message: FaceFeaturesArray, model: Model, recording: RecordedLayers = NO_RECORDING
) -> FeatureFrame:
    """Return the faces that have features, as a frame with a recording.

    Raises
    ------
    MessageError
        if stamp, shape or values are invalid, or the model was trained with other features.
    """
    stamp_ns = stamps.checked_ns(message.header.stamp)
    shape = (message.channels, message.rows, message.cols)
    if message.feature_spec != model.feature_spec or shape != model.feature_shape:
        raise MessageError(
            f"features '{message.feature_spec}' {shape} are not those that the network was trained "
            f"with, '{model.feature_spec}' {model.feature_shape}: set the features node to these, "
            "or train again"
        )
    faces = []
    for face in message.faces:
        if len(face.features):
            features = np.frombuffer(face.features, dtype=np.float32)
            faces.append(
                FaceInput(
                    face.id, face.roi.width * face.roi.height, _checked(features, shape, face.id)
                )
            )
    if len({face.id for face in faces}) != len(faces):
        raise MessageError("two faces have the same id: give each face its own")
    return FeatureFrame(stamp_ns, faces, recording)


def _checked(features: Float32s, shape: tuple[int, int, int], face_id: int) -> Float32s:
    if features.size != int(np.prod(shape)):
        raise MessageError(
            f"face {face_id} has {features.size} features, not {shape}: send the stated shape"
        )
    # One comparison finds negative values, NaN and infinities.
    if not (features >= 0).all() or not np.isfinite(features.max()):
        raise MessageError(
            f"face {face_id} has features that are negative or not finite: send finite values >= 0"
        )
    return features.reshape(shape)


def expressions_message(
    source: FaceFeaturesArray, result: FrameResult, network: Network, skipped: int
) -> ExpressionArray:
    """Return the answers for a frame, whose message was `source`."""
    rois = {face.id: face.roi for face in source.faces}
    labels = list(network.model.labels)
    return ExpressionArray(
        header=source.header,
        weights_version=network.version,
        skipped=skipped,
        expressions=[
            Expression(
                face_id=face.id,
                roi=rois[face.id],
                label=labels[face.answer.best] if face.answer.decided else Expression.UNDECIDED,
                confidence=face.answer.confidence,
                labels=labels,
                scores=_floats(face.answer.scores),
                rates_hz=_floats(face.answer.rates_hz),
            )
            for face in result.faces
        ],
    )


def spikes_message(header: Header, result: FrameResult, network: Network) -> Spikes:
    """Return the recorded spikes of a frame as address events."""
    trains = []
    for face in result.faces:
        for name in result.frame.recording.spikes:
            layer = face.activity.layers[name]
            neuron, step = layer.events()
            trains.append(
                SpikeTrain(
                    face_id=face.id,
                    layer=name,
                    size=len(layer.counts),
                    neuron=array.array("I", neuron.astype(np.uint32).tobytes()),
                    step=array.array("H", step.astype(np.uint16).tobytes()),
                )
            )
    return Spikes(
        header=header,
        dt=network.parameters.dt,
        steps=result.timing.steps,
        gap=result.timing.gap,
        trains=trains,
    )


def potentials_message(header: Header, result: FrameResult, network: Network) -> Potentials:
    """Return the recorded membrane potentials of a frame."""
    lif = network.parameters.lif
    traces = [
        MembraneTrace(
            face_id=face.id,
            layer=name,
            size=len(face.activity.layers[name].counts),
            potential=_floats(face.activity.layers[name].potential),
            threshold=_floats(network.thresholds(name)),
        )
        for face in result.faces
        for name in result.frame.recording.potentials
    ]
    return Potentials(
        header=header,
        dt=network.parameters.dt,
        steps=result.timing.steps,
        v_rest=lif.v_rest,
        v_reset=lif.v_reset,
        traces=traces,
    )


def network_message(header: Header, network: Network, learning: str) -> NetworkInfo:
    """Return the description of the network."""
    model, parameters = network.model, network.parameters
    lif = parameters.lif
    return NetworkInfo(
        header=header,
        model=model.name,
        feature_spec=model.feature_spec,
        labels=list(model.labels),
        layers=list(network.layer_names),
        sizes=array.array("I", model.sizes),
        dt=parameters.dt,
        tau_m=lif.tau_m,
        t_ref=lif.t_ref,
        v_rest=lif.v_rest,
        v_th=lif.v_th,
        v_reset=lif.v_reset,
        learning=learning,
        weights_version=network.version,
    )


def weights_message(header: Header, network: Network, limit: int) -> Weights:
    """Return the weights, without projections of more than `limit` synapses."""
    model = network.model
    names = network.layer_names
    projections = [
        _projection(
            "+".join(names[layer] for layer in model.below(k)),
            names[k + 1],
            model,
            stage.wiring.matrix(stage.weights).T,
        )
        for k, stage in enumerate(model.stages)
        if stage.weights.size <= limit
    ]
    neuron_label = model.neuron_label.astype(np.uint32)
    neuron_label[model.neuron_label == UNNAMED] = Weights.UNNAMED
    return Weights(
        header=header,
        version=network.version,
        model=model.name,
        labels=list(model.labels),
        neuron_label=array.array("I", neuron_label.tobytes()),
        receptive_fields=_projection(FEATURE, "labels", model, model.receptive_fields()),
        projections=projections,
    )


def _projection(pre: str, post: str, model: Model, weights: Float32s) -> Projection:
    """Return weights (post, pre) as a message; those from the feature layer in its map's shape."""
    channels, rows, cols, names = weights.shape[1], 1, 1, []
    if pre == FEATURE:
        channels, rows, cols = 2 * model.feature_shape[0], *model.feature_shape[1:]
        names = channel_names(model.feature_spec, model.feature_shape[0])
    return Projection(
        pre=pre,
        post=post,
        size=weights.shape[0],
        channels=channels,
        rows=rows,
        cols=cols,
        channel_names=names,
        weights=_floats(weights),
    )


def _floats(values: NDArray[np.floating]) -> array.array[float]:
    # A message takes an array.array as it is; anything else is checked item by item.
    return array.array("f", np.ascontiguousarray(values, dtype=np.float32).tobytes())
