"""Presentation of many still faces to a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn import Model, Network, ReadoutCalibration, ReadoutParameters
from fer_snn.core.neurons.encoding import mirrored, orientations_in
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import Floats, counted_spikes, decided_labels, label_means
from fer_train.progress import Progress, no_progress

REPORT_EVERY = 64


def stream_all(
    network: Network, features: Float32s, n_steps: int, progress: Progress = no_progress
) -> NDArray[np.int32]:
    """Present faces one after the other, without resetting the neurons in between.

    Returns
    -------
    Spike counts of each expression neuron in the second half of the `n_steps` steps of each face,
    when the response has settled (faces, neurons).
    """
    state = network.new_face()
    counts = np.zeros((len(features), network.model.sizes[-1]), dtype=np.int32)
    for k, face in enumerate(features):
        network.advance(state, face, n_steps - n_steps // 2)
        counts[k] = network.advance(state, face, n_steps // 2).counts[-1]
        _report(progress, k + 1, len(features))
    return counts


def _report(progress: Progress, done: int, total: int) -> None:
    if done % REPORT_EVERY == 0 or done == total:
        progress(done, total)


@dataclass(frozen=True)
class Responses:
    """Responses of a network to still faces.

    Attributes
    ----------
    counts : number of spikes of each expression neuron (faces, neurons).
    views : number of presentations of each face.
    potentials : final potential of each expression neuron, volts (faces, neurons).
    operations : number of synaptic operations (spikes times fan-out) in all layers (faces).
    """

    counts: NDArray[np.int32]
    views: int
    potentials: Float32s
    operations: NDArray[np.int64]

    def said(
        self, model: Model, calibration: ReadoutCalibration, readout: ReadoutParameters
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return label index and confidence for each face, as `readout.decided_labels`."""
        names, n_labels = model.neuron_label, len(model.labels)
        rates_hz = self.rates_hz(model, calibration.presentation)
        potentials = label_means(self.potentials, names, n_labels)
        allowed = readout.allowed(model.labels)
        spikes = counted_spikes(self.counts, names, allowed)
        return decided_labels(rates_hz, potentials, spikes, calibration, readout, allowed)

    def rates_hz(self, model: Model, presentation: float) -> Floats:
        """Return the mean rates of the neurons of each label, hertz (faces, labels)."""
        return label_means(self.counts, model.neuron_label, len(model.labels)) / (
            self.views * presentation
        )

    @property
    def spikes(self) -> NDArray[np.int64]:
        """Number of spikes of the expression layer (faces)."""
        return self.counts.sum(axis=1, dtype=np.int64)


def present_all(
    network: Network,
    features: Float32s,
    n_steps: int,
    progress: Progress = no_progress,
    mirror: bool = True,
) -> Responses:
    """Present each face (faces, channels, rows, cols) to neurons at rest, without learning.

    With `mirror` a face is presented twice, as it is and mirrored, as in two glances of the
    recogniser.
    """
    model = network.model
    orientations = orientations_in(model.feature_spec, model.feature_shape[0])
    mirror = mirror and orientations > 0
    fan_outs = [
        np.diff(stage.wiring.edges.start).astype(np.int64) * stage.wiring.width
        for stage in model.stages
    ]
    counts = np.zeros((len(features), network.model.sizes[-1]), dtype=np.int32)
    potentials = np.zeros(counts.shape, dtype=np.float32)
    operations = np.zeros(len(features), dtype=np.int64)
    for k, face in enumerate(features):
        for view in (face, mirrored(face, orientations)) if mirror else (face,):
            state = network.new_face()
            spikes = network.advance(state, view, n_steps).counts
            counts[k] += spikes[-1]
            potentials[k] = state.layers[-1].v
            operations[k] += sum(
                model.presynaptic(stage, spikes) @ fan_out for stage, fan_out in enumerate(fan_outs)
            )
        _report(progress, k + 1, len(features))
    return Responses(counts, 2 if mirror else 1, potentials, operations)
