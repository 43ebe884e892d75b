"""The network: feature layer, optional hidden layer, expression layer.

    features --encoding--> FEATURE (LIF, ON and OFF) --W--> [HIDDEN (LIF) --V-->] EXPRESSION (LIF)

`neurons.layers` and `synapses.wiring` say how spikes reach the next layer. What is learnt (weights,
thresholds, statistics) belongs to `Network` and is shared by all faces. The present state
(potentials, synaptic drive, traces) is kept separately for each face in a `FaceState`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fer_snn.core.kernels import interface as kernels
from fer_snn.core.kernels.interface import Pathway
from fer_snn.core.kernels.packed import PackedWeights, packed
from fer_snn.core.model import Model, Stage
from fer_snn.core.neurons import encoding, layers, lif, threshold
from fer_snn.core.neurons.layers import DriveParameters, FaceState, LayerActivity
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.synapses import stdp

FEATURE, HIDDEN, EXPRESSION = "feature", "hidden", "expression"

MAX_DECAY_STEPS = 1e6
"""Longest time constant of a decay, in steps: float32 resolves changes of 1.2e-7 of a value."""


def hidden_name(k: int) -> str:
    """Return the name of hidden layer `k`, counted from 0: "hidden", "hidden_2", "hidden_3"."""
    return HIDDEN if k == 0 else f"{HIDDEN}_{k + 1}"


@dataclass(frozen=True)
class WeightBounds:
    """Limits of the weights of a projection.

    Attributes
    ----------
    w_min, w_max : range of each weight.
    s_target : L1 norm of the weights of each neuron; 0 for no normalisation.
    """

    w_min: float
    w_max: float
    s_target: float


@dataclass(frozen=True)
class NetworkParameters:
    """All constants of the network. Immutable; they can be replaced between two frames.

    Attributes
    ----------
    dt : duration of a step, seconds.
    lif, stdp, threshold : of all neurons, and of the synapses to the expression layer.
    hidden, expression : how the two layers are driven.
    hidden_weights : limits of the weights to the hidden layer.
    s_target : L1 norm of the weights of each expression neuron; 0 for no normalisation.
    competition : lateral inhibition of the expression layer while it learns without labels. It
        replaces that of `expression`, so that only the winner learns.
    tau_w : time constant of the return of weights that learn without labels, seconds; 0 for none.
        See `kernels.reference.consolidate`.
    """

    dt: float = 0.001
    lif: lif.LIFParameters = field(default_factory=lif.LIFParameters)
    stdp: stdp.STDPParameters = field(default_factory=stdp.STDPParameters)
    threshold: threshold.ThresholdParameters = field(default_factory=threshold.ThresholdParameters)
    hidden: DriveParameters = field(default_factory=lambda: DriveParameters(0.005, 60.0, 1.0, 0.0))
    expression: DriveParameters = field(
        default_factory=lambda: DriveParameters(0.010, 16.0, 1.0, 0.0)
    )
    hidden_weights: WeightBounds = field(default_factory=lambda: WeightBounds(0.0, 1.0, 10.0))
    s_target: float = 30.0
    competition: float = 0.9
    tau_w: float = 50.0

    def __post_init__(self) -> None:
        """Refuse constants that contradict each other (ValueError)."""
        if not self.dt > 0:
            raise ValueError("dt must be above 0")
        if self.threshold.tau_theta > MAX_DECAY_STEPS * self.dt:
            raise ValueError(
                f"tau_theta must be at most {MAX_DECAY_STEPS:g} dt, "
                "because the numbers of the network do not resolve a slower decay"
            )
        if not self.hidden_weights.w_min < self.hidden_weights.w_max:
            raise ValueError("hidden_w_min must lie below hidden_w_max")

    def weight_bounds(self, n_stages: int) -> list[WeightBounds]:
        """Return the limits of each projection of a network with `n_stages` projections."""
        expression = WeightBounds(self.stdp.w_min, self.stdp.w_max, self.s_target)
        return [*[self.hidden_weights] * (n_stages - 1), expression]

    def steps(self, duration_s: float) -> int:
        """Return the number of steps of a presentation, at least one."""
        return max(round(duration_s / self.dt), 1)


@dataclass(frozen=True)
class RecordedLayers:
    """Names of the layers to record in every step. Spike counts are always recorded."""

    spikes: tuple[str, ...] = ()
    potentials: tuple[str, ...] = ()


LARGEST_LOWERING = 0.95
"""Share of the distance from V_rest to V_th by which a threshold may be lowered."""

NO_RECORDING = RecordedLayers()


@dataclass(frozen=True)
class FrameActivity:
    """What the network did for one face in one frame."""

    steps: int
    layers: dict[str, LayerActivity]

    @property
    def counts(self) -> list[Int32s]:
        """Number of spikes of each neuron, for every layer from the feature layer on."""
        return [layer.counts for layer in self.layers.values()]


class Network:
    """The part that all faces share, and the steps of a frame.

    Attributes
    ----------
    model : what is learnt. Its arrays change while the network learns.
    version : increases with every change of the model.
    """

    def __init__(
        self,
        model: Model,
        parameters: NetworkParameters | None = None,
        compiled: bool = True,
        guarded: bool = False,
    ) -> None:
        """Start with a model, which stays as it is.

        Parameters
        ----------
        compiled : chooses the kernels; both kinds give equal results.
        guarded : nobody but the methods of this class changes weights, and nobody the given model.
            Then layers are copied when they change first. Until then, weights are read from copies
            of a quarter of the size if few bits hold them without rounding, as the shipped ones.
        """
        self._kernels = kernels.choose(compiled)
        self._guarded = guarded
        self.version = 0
        self._parameters = parameters or NetworkParameters()
        self.load(model)

    def load(self, model: Model) -> None:
        """Take another model, clipped to the bounds.

        A `FaceState` made for layers of other sizes becomes invalid.
        """
        self.model = model if self._guarded else model.copy()
        self._shared = set(range(len(model.stages))) if self._guarded else set()
        self._packed: dict[int, PackedWeights | None] = {}
        self._resting_theta = self.model.stages[-1].theta.copy()
        self._known_weights = self.model.stages[-1].weights.copy()
        self._discretise()
        self.version += 1
        self._clip()
        if self._guarded:
            self._packed = {k: packed(stage) for k, stage in enumerate(self.model.stages)}

    def snapshot(self) -> Model:
        """Return the model as it is now, of a guarded network."""
        self._shared = set(range(len(self.model.stages)))
        return self.model

    def _own(self, k: int) -> Stage:
        """Return a stage that may be changed; -1 for the last."""
        stages = list(self.model.stages)
        if (index := k % len(stages)) in self._shared:
            self._shared.remove(index)
            stages[index] = stages[index].copy()
            self.model = replace(self.model, stages=tuple(stages))
        return stages[k]

    def _reweighted(self, k: int) -> Stage:
        """Return a stage whose weights may be changed."""
        self._packed.pop(k, None)
        return self._own(k)

    @property
    def parameters(self) -> NetworkParameters:
        """All constants. Set new ones between two frames; weights are clipped to new bounds."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: NetworkParameters) -> None:
        self._parameters = parameters
        self._discretise()
        self._clip()

    def _discretise(self) -> None:
        """Derive the constants of a step from the parameters, for the layers that there are."""
        parameters = self._parameters
        dt, rheobase = parameters.dt, parameters.lif.rheobase
        hidden = [parameters.hidden] * (len(self.model.stages) - 1)
        drives = (*hidden, parameters.expression)
        self._constants = kernels.discretise(
            parameters.lif, parameters.threshold, parameters.stdp, dt
        )
        self._drives = [layers.discretise(drive, dt, rheobase) for drive in drives]
        self._competing = self._drives[-1]._replace(alpha=np.float32(parameters.competition))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers, from the feature layer on."""
        n_hidden = len(self.model.stages) - 1
        return (FEATURE, *(hidden_name(k) for k in range(n_hidden)), EXPRESSION)

    def new_face(self) -> FaceState:
        """Return the state of a face that was not seen before: all neurons at rest."""
        return FaceState(self.model.sizes, self.parameters.lif)

    def present(self, features: Float32s, n_steps: int) -> FrameActivity:
        """Show a still face to neurons at rest; see `advance`."""
        return self.advance(self.new_face(), features, n_steps)

    def advance(
        self,
        face: FaceState,
        features: Float32s,
        n_steps: int,
        recording: RecordedLayers = NO_RECORDING,
        plastic: bool = False,
    ) -> FrameActivity:
        """Show a feature map to the neurons of a face for `n_steps` steps; see `advance_faces`."""
        [activity] = self.advance_faces([face], [features], n_steps, recording, plastic)
        return activity

    def advance_faces(
        self,
        faces: Sequence[FaceState],
        features: Sequence[Float32s],
        n_steps: int,
        recording: RecordedLayers = NO_RECORDING,
        plastic: bool = False,
    ) -> list[FrameActivity]:
        """Show a feature map to the neurons of each face for `n_steps` steps.

        Parameters
        ----------
        faces : state of the neurons of each face, changed in place.
        features : of each face (channels, rows, cols) or flat, dimensionless.
        recording : which layers to record.
        plastic : whether pair STDP, homeostasis and the adaptive threshold change the last layer.
            Each face sees what the face before has changed.

        Returns
        -------
        What every layer did, for each face.
        """
        if not faces or (plastic and len(faces) > 1):
            return [
                self.advance(face, seen, n_steps, recording, plastic)
                for face, seen in zip(faces, features, strict=True)
            ]
        activity = {
            name: layers.blank_activity(
                size, n_steps, len(faces), name in recording.spikes, name in recording.potentials
            )
            for name, size in zip(self.layer_names, self.model.sizes, strict=True)
        }
        last = len(self.model.stages) - 1
        if plastic:
            self._reweighted(last)
        stages = self.model.stages
        drives = self._drives
        competing = plastic and self._competing != drives[last]
        paths = [
            Pathway(
                self.model.below(k),
                stage,
                drive,
                plastic and k == last and not competing,
                self._packed.get(k),
            )
            for k, (stage, drive) in enumerate(zip(stages, drives, strict=True))
        ]
        states, records = [list(face.layers) for face in faces], list(activity.values())
        if competing:
            # Neurons that compete for learning fire too seldom to answer, so a second set learns.
            below = self.model.below(last)
            paths.append(Pathway(below, stages[last], self._competing, True))
            states[0].append(faces[0].competing_layer)
            records.append(layers.blank_activity(self.model.sizes[-1], n_steps, 1))
        flat = np.stack([each.ravel() for each in features])
        current = encoding.currents(flat, self.model.statistics, self.parameters.lif.rheobase)
        self._kernels.run(n_steps, current, states, paths, self._constants, records)
        if plastic and n_steps:
            self._settle(n_steps)
        return [
            FrameActivity(n_steps, {name: record.of(k) for name, record in activity.items()})
            for k in range(len(faces))
        ]

    def _settle(self, n_steps: int) -> None:
        """Let thresholds and weights that learn return towards their resting values."""
        last = len(self.model.stages) - 1
        stage = self._reweighted(last)
        stage.theta += threshold.towards_rest(
            self._resting_theta, n_steps, self._constants.adaptation
        )
        if self._parameters.tau_w > 0:
            elapsed_s = n_steps * self._parameters.dt
            elapsed = elapsed_s / self._parameters.tau_w
            self._kernels.consolidate(stage, self._known_weights, elapsed)
        self._normalise(last)
        self.version += 1

    def thresholds(self, layer: str) -> Float32s:
        """Return the firing threshold of each neuron of a layer, adaptation included, volts."""
        k = self.layer_names.index(layer)
        v_th = np.float32(self.parameters.lif.v_th)
        if k == 0:
            return np.full(self.model.sizes[0], v_th, dtype=np.float32)
        return self.model.stages[k - 1].theta + v_th

    def add_outer_product(self, stage: int, pre: Int32s, post: Float32s) -> None:
        """Change a projection by w_ij <- clip(w_ij + pre_i post_j).

        Parameters
        ----------
        stage : 0 for the projection from the feature layer.
        pre : number of spikes of each presynaptic neuron (n_pre).
        post : change per presynaptic spike, for each postsynaptic neuron (n_post).
        """
        bounds = self._bounds(stage)
        self._kernels.add_outer_product(
            self._reweighted(stage), pre, post, np.float32(bounds.w_min), np.float32(bounds.w_max)
        )
        self.version += 1

    def normalise(self) -> None:
        """Scale all weights to the L1 norms of their neurons. They are now what is known."""
        for stage in range(len(self.model.stages)):
            self._normalise(stage)
        self._known_weights = self.model.stages[-1].weights.copy()
        self.version += 1

    def _normalise(self, stage: int) -> None:
        bounds = self._bounds(stage)
        if bounds.s_target > 0:
            self._kernels.normalise(
                self._reweighted(stage),
                bounds.s_target,
                np.float32(bounds.w_min),
                np.float32(bounds.w_max),
            )

    def _bounds(self, stage: int) -> WeightBounds:
        return self.parameters.weight_bounds(len(self.model.stages))[stage]

    def _clip(self) -> None:
        """Clip weights that lie outside the present bounds."""
        for k, stage in enumerate(self.model.stages):
            bounds = self._bounds(k)
            clipped = np.clip(stage.weights, np.float32(bounds.w_min), np.float32(bounds.w_max))
            if not np.array_equal(clipped, stage.weights):
                self._reweighted(k).weights[:] = clipped
                self.version += 1
        self._known_weights = np.clip(
            self._known_weights, np.float32(bounds.w_min), np.float32(bounds.w_max)
        )

    def shift_thresholds(self, stage: int, change: Float32s) -> None:
        """Add `change` (neurons, volts) to the thresholds of the layer that a projection drives.

        They stay above the resting potential: below it a neuron would fire without any input.
        """
        lowest = np.float32(-LARGEST_LOWERING * self.parameters.lif.rheobase_v)
        theta = self._own(stage).theta
        np.maximum(theta + change, lowest, out=theta)
        self.version += 1
