"""Still faces: each is shown to a network at rest for one presentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import Calibration, Floats, ReadoutParameters, label_means, said_of

Progress = Callable[[int, int], None]
REPORT_EVERY = 64


def silently(done: int, total: int) -> None:
    """Report no progress."""


def steps_of(presentation: float, dt: float) -> int:
    """Return the number of steps of a presentation of so many seconds, at least one."""
    return max(round(presentation / dt), 1)


def present(network: Network, features: Float32s, n_steps: int) -> list[Int32s]:
    """Show a face (channels, rows, cols) to neurons at rest.

    Returns
    -------
    The spikes of each neuron, for every layer from the input on.
    """
    return network.advance(network.new_face(), features, n_steps).counts


def stream_all(
    network: Network, features: Float32s, n_steps: int, progress: Progress = silently
) -> NDArray[np.int32]:
    """Show faces one after the other to neurons that go on as the face before left them.

    Returns
    -------
    Spikes of each expression neuron in the second half of the `n_steps` steps of each face, when it
    has settled (faces, neurons).
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
    """What a network answered to a set of still faces.

    Attributes
    ----------
    counts : spikes of each expression neuron (faces, neurons).
    potentials : where each ended, volts (faces, neurons).
    operations : synapses that the spikes of all layers crossed (faces).
    """

    counts: NDArray[np.int32]
    potentials: Float32s
    operations: NDArray[np.int64]

    def said(
        self, model: Model, calibration: Calibration, readout: ReadoutParameters
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return what is said of each face, and how surely, as `readout.said_of`."""
        names, n_labels = model.neuron_label, len(model.labels)
        rates_hz = self.rates_hz(model, calibration.presentation)
        potentials = label_means(self.potentials, names, n_labels)
        return said_of(rates_hz, potentials, self.spikes, calibration, readout)

    def rates_hz(self, model: Model, presentation: float) -> Floats:
        """Return the mean rates of the neurons of each label, hertz (faces, labels)."""
        return label_means(self.counts, model.neuron_label, len(model.labels)) / presentation

    @property
    def spikes(self) -> NDArray[np.int64]:
        """Spikes of the expression layer (faces)."""
        return self.counts.sum(axis=1, dtype=np.int64)


def present_all(
    network: Network,
    features: Float32s,
    n_steps: int,
    progress: Progress = silently,
) -> Responses:
    """Show faces (faces, channels, rows, cols) one after the other; nothing is learnt."""
    stages = network.model.stages
    fan_outs = [np.diff(s.wiring.edges.start).astype(np.int64) * s.wiring.width for s in stages]
    counts = np.zeros((len(features), network.model.sizes[-1]), dtype=np.int32)
    potentials = np.zeros(counts.shape, dtype=np.float32)
    operations = np.zeros(len(features), dtype=np.int64)
    for k, face in enumerate(features):
        state = network.new_face()
        spikes = network.advance(state, face, n_steps).counts
        counts[k] = spikes[-1]
        potentials[k] = state.layers[-1].v
        operations[k] = sum(n @ out for n, out in zip(spikes, fan_outs, strict=False))
        _report(progress, k + 1, len(features))
    return Responses(counts, potentials, operations)
