"""The network: feature layer, optional hidden layer, expression layer.

    features --encoding--> FEATURE (LIF, ON and OFF) --W--> [HIDDEN (LIF) --V-->] EXPRESSION (LIF)

How spikes reach the next layer stands in `layers` and `wiring`. What is learnt (weights,
thresholds, statistics) is shared by all faces and lives in `Network`. What happens now (potentials,
drive, traces) is kept apart for each face in a `FaceState`. Faces are advanced one after the other,
and what one of them teaches is there for the next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from fer_snn.core.kernels import dispatch as kernels
from fer_snn.core.kernels import pathways
from fer_snn.core.kernels.pathways import Pathway
from fer_snn.core.model import Model
from fer_snn.core.neurons import encoding, layers, lif, threshold
from fer_snn.core.neurons.layers import DriveParameters, FaceState, LayerActivity
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.synapses import stdp

FEATURE, HIDDEN, EXPRESSION = "feature", "hidden", "expression"


@dataclass(frozen=True)
class WeightBounds:
    """What the weights of a projection are held to.

    Attributes
    ----------
    w_min, w_max : of each weight.
    s_target : L1 norm of the weights of each neuron, 0 to let it be.
    """

    w_min: float
    w_max: float
    s_target: float


@dataclass(frozen=True)
class NetworkParameters:
    """Every constant of the network; immutable, and replaceable between two frames.

    Attributes
    ----------
    dt : length of a step, seconds.
    lif, stdp, threshold : of all neurons, and of the synapses to the expression layer.
    hidden, expression : how the two layers are driven.
    hidden_weights : bounds of the weights to the hidden layer.
    s_target : L1 norm of the weights of each expression neuron, 0 to let it be.
    competition : lateral inhibition of the expression layer while it learns without labels, in
        place of that of `expression`: who does not win shall not learn.
    """

    dt: float = 0.001
    lif: lif.LIFParameters = field(default_factory=lif.LIFParameters)
    stdp: stdp.STDPParameters = field(default_factory=stdp.STDPParameters)
    threshold: threshold.ThresholdParameters = field(default_factory=threshold.ThresholdParameters)
    hidden: DriveParameters = field(default_factory=lambda: DriveParameters(0.010, 26.0, 0.95, 0.0))
    expression: DriveParameters = field(
        default_factory=lambda: DriveParameters(0.010, 6.0, 0.9, 0.0)
    )
    hidden_weights: WeightBounds = field(default_factory=lambda: WeightBounds(0.0, 0.05, 10.0))
    s_target: float = 30.0
    competition: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a step that is not positive, and bounds that cross (ValueError)."""
        if not self.dt > 0:
            raise ValueError("dt must be above 0")
        if not self.hidden_weights.w_min < self.hidden_weights.w_max:
            raise ValueError("hidden_w_min must lie below hidden_w_max")

    def weight_bounds(self, n_stages: int) -> list[WeightBounds]:
        """Return the bounds of each projection of a network of so many."""
        expression = WeightBounds(self.stdp.w_min, self.stdp.w_max, self.s_target)
        return [self.hidden_weights, expression][-n_stages:]


@dataclass(frozen=True)
class FrameActivity:
    """What the network did for one face in one frame."""

    steps: int
    layers: dict[str, LayerActivity]

    @property
    def counts(self) -> list[Int32s]:
        """Spikes of each neuron, for every layer from the input on."""
        return [layer.counts for layer in self.layers.values()]


class Network:
    """What all faces share, and the steps of a frame.

    Attributes
    ----------
    model : what is learnt; its arrays change while the network learns.
    version : grows with every change of what is learnt.
    """

    def __init__(
        self, model: Model, parameters: NetworkParameters, compiled: bool = kernels.COMPILED
    ) -> None:
        """Take a copy of a model; `compiled` chooses the kernels, which give equal results."""
        self._kernels = kernels.choose(compiled)
        self.version = 0
        self.load(model)
        self.parameters = parameters

    def load(self, model: Model) -> None:
        """Replace all that is learnt; states made for layers of other sizes are of no more use."""
        self.model = model.copy()
        self._rest = self.model.stages[-1].theta.copy()
        self.version += 1

    @property
    def parameters(self) -> NetworkParameters:
        """Every constant; set new ones between two frames."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: NetworkParameters) -> None:
        dt, rheobase = parameters.dt, parameters.lif.rheobase
        drives = (parameters.hidden, parameters.expression)
        self._parameters = parameters
        self._constants = pathways.discretise(
            parameters.lif, parameters.threshold, parameters.stdp, dt
        )
        self._drives = [layers.discretise(drive, dt, rheobase) for drive in drives]
        self._competing = self._drives[-1]._replace(alpha=np.float32(parameters.competition))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers from the input on."""
        deep = len(self.model.stages) > 1
        return (FEATURE, HIDDEN, EXPRESSION) if deep else (FEATURE, EXPRESSION)

    def new_face(self) -> FaceState:
        """Return the state of a face that was not seen before."""
        return FaceState(self.model.sizes, self.parameters.lif)

    def advance(
        self,
        face: FaceState,
        features: Float32s,
        n_steps: int,
        spikes_of: Collection[str] = (),
        potentials_of: Collection[str] = (),
        plastic: bool = False,
    ) -> FrameActivity:
        """Show a feature map to a face's neurons for `n_steps` steps.

        Parameters
        ----------
        face:
            Its state, carried on.
        features:
            (channels, rows, cols) or flat, dimensionless.
        spikes_of, potentials_of:
            Names of the layers whose spikes and potentials shall be kept step by step; counts
            always are.
        plastic:
            Whether pair STDP, homeostasis and the adaptive threshold change the last layer
            meanwhile.

        Returns
        -------
        What every layer did.
        """
        statistics, rheobase = self.model.statistics, self.parameters.lif.rheobase
        activity = {
            name: layers.blank_activity(size, n_steps, name in spikes_of, name in potentials_of)
            for name, size in zip(self.layer_names, self.model.sizes, strict=True)
        }
        stages = self.model.stages
        last = len(stages) - 1
        drives = self._drives[-len(stages) :]
        competing = plastic and self._competing != drives[last]
        paths = [
            Pathway(k, stage, drive, plastic and k == last and not competing)
            for k, (stage, drive) in enumerate(zip(stages, drives, strict=True))
        ]
        states, records = list(face.layers), list(activity.values())
        if competing:
            # Neurons that compete in order to learn fire too seldom to answer: a second set does.
            paths.append(Pathway(last, stages[last], self._competing, True))
            states.append(face.learner)
            records.append(layers.blank_activity(self.model.sizes[-1], n_steps))
        current = encoding.currents(features.ravel(), statistics, rheobase)
        self._kernels.run(n_steps, current, states, paths, self._constants, records)
        if plastic and n_steps:
            self._settle_thresholds(n_steps)
            self._normalise(last)
            self.version += 1
        return FrameActivity(n_steps, activity)

    def _settle_thresholds(self, n_steps: int) -> None:
        theta = self.model.stages[-1].theta
        theta += threshold.towards_rest(self._rest, n_steps, self._constants.adaptation)

    def thresholds(self, layer: str) -> Float32s:
        """Return the firing threshold of each neuron of a layer, adaptation included, volts."""
        k = self.layer_names.index(layer)
        v_th = np.float32(self.parameters.lif.v_th)
        if k == 0:
            return np.full(self.model.sizes[0], v_th, dtype=np.float32)
        return self.model.stages[k - 1].theta + v_th

    def receptive_fields(self) -> Float32s:
        """Return what every label sees in the feature layer (labels, n_feature).

        It is the mean over the label's neurons of the product of all projections.
        """
        labels = np.arange(len(self.model.labels))
        member = (self.model.neuron_label == labels[:, None]).astype(np.float32)
        fields = member / np.maximum(member.sum(axis=1, keepdims=True), np.float32(1))
        for stage in reversed(self.model.stages):
            fields = stage.wiring.seen_through(stage.weights, fields)
        return fields

    def nudge(self, stage: int, pre: Int32s, post: Float32s) -> None:
        """Change a projection by w_ij <- clip(w_ij + pre_i post_j).

        Parameters
        ----------
        stage:
            0 for the projection from the feature layer.
        pre:
            Spikes of each presynaptic neuron (n_pre).
        post:
            Change per presynaptic spike, for each postsynaptic neuron (n_post).
        """
        bounds = self.parameters.weight_bounds(len(self.model.stages))[stage]
        changed = self.model.stages[stage]
        self._kernels.nudge(
            changed,
            pre,
            post,
            np.float32(bounds.w_min),
            np.float32(bounds.w_max),
        )
        self.version += 1

    def normalise(self) -> None:
        """Bring the L1 norms of all weights back to their targets."""
        for stage in range(len(self.model.stages)):
            self._normalise(stage)
        self.version += 1

    def _normalise(self, stage: int) -> None:
        s_target = self.parameters.weight_bounds(len(self.model.stages))[stage].s_target
        if s_target > 0:
            changed = self.model.stages[stage]
            self._kernels.normalise(changed, s_target)

    def shift_thresholds(self, stage: int, change: Float32s) -> None:
        """Add to the thresholds of the layer that a projection leads to, volts (neurons)."""
        self.model.stages[stage].theta[:] += change
        self.version += 1
