"""The network: a step of simulated time, beside Brian2, plain NumPy and plain Python objects.

All of them get the same equations, input currents and first weights; about 5 % of the inputs fire
in each step of 1 ms. For fer, the cost of a frame is timed: `Network.advance` by the 33 steps
between two images at 30 Hz, with all that it does per frame. Brian2 simulates one second in one
call of `run`, which suits it best; the cost of its main loop alone is measured too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from fer_bench.measure import OWN, Contestant, Context, compared, cpu_us, interleaved, timed
from fer_bench.peers import Brian2
from fer_bench.plain import PlainNetwork
from fer_bench.results import Measurement
from fer_common.core.errors import FerError
from fer_snn.core.model import Model, Stage
from fer_snn.core.network import Network, NetworkParameters
from fer_snn.core.neurons.encoding import FeatureStatistics, currents
from fer_snn.core.neurons.layers import DriveParameters
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.neurons.threshold import ThresholdParameters
from fer_snn.core.synapses.stdp import STDPParameters
from fer_snn.core.synapses.wiring import Wiring

PART = "network"
BRIAN2, BRIAN2_LOOP = "Brian2", "Brian2, main loop alone"
BRIAN2_CPP = "Brian2, as a C++ program"
NUMPY, PLAIN = "NumPy", "plain Python objects"

STEPS_PER_FRAME = 33
STEPS_PER_RUN = 1000
FEATURE_SHAPE = (4, 12, 12)
N_INPUT = 2 * 4 * 12 * 12
OUTPUTS = (3, 30, 300, 3000)
FACES = (1, 4, 8)
#: With more outputs the plain objects take minutes.
MOST_PLAIN_OUTPUTS = 30
#: How many times faster than a peer, by peer and outputs, with STDP.
LEAST = {(BRIAN2, 30): 40.0, (BRIAN2, 300): 30.0, (BRIAN2_CPP, 30): 10.0, (BRIAN2_CPP, 300): 5.0}
#: Of the spike counts of two contestants: lateral inhibition amplifies rounding errors.
LARGEST_DIFFERENCE = 0.1
_WARM_UP_STEPS = 330
_REAL_TIME_US = 1000.0


@dataclass(frozen=True)
class Case:
    """A network with everything that all contestants have in common.

    Attributes
    ----------
    n_output : neurons of the expression layer.
    plastic : whether STDP changes the weights.
    """

    n_output: int
    plastic: bool

    @property
    def name(self) -> str:
        """For tables."""
        return f"{N_INPUT} x {self.n_output}, STDP {'on' if self.plastic else 'off'}"

    @property
    def parameters(self) -> NetworkParameters:
        """Constants under which outputs fire at about 20 Hz; what no peer computes is left out."""
        return NetworkParameters(
            stdp=STDPParameters(a_pre=5e-4, a_post=-5e-4),
            expression=DriveParameters(tau_s=0.010, gain=0.0086, beta=0.5, alpha=0.05),
            threshold=ThresholdParameters(delta=0.0),
            s_target=0.0,
            tau_w=0.0,
            competition=0.05,
        )

    def features(self) -> Float32s:
        """Features of which one half drives ON, the other OFF neurons, at about 100 Hz."""
        rng = np.random.default_rng(1)
        signs = rng.choice((-1.0, 1.0), FEATURE_SHAPE)
        return (signs * rng.normal(3.0, 0.5, FEATURE_SHAPE)).astype(np.float32)

    def model(self) -> Model:
        """Return a network with random weights."""
        rng = np.random.default_rng(2)
        channels, rows, cols = FEATURE_SHAPE
        weights = rng.random((N_INPUT, self.n_output), dtype=np.float32)
        theta = np.zeros(self.n_output, dtype=np.float32)
        usual = np.zeros(channels * rows * cols, dtype=np.float32)
        wiring = Wiring.fully_connected((2 * channels, rows, cols), self.n_output)
        return Model(
            labels=("neutral", "happy", "surprise"),
            feature_spec="bench",
            feature_shape=FEATURE_SHAPE,
            statistics=FeatureStatistics(usual, usual + 1, 1),
            stages=(Stage(wiring, weights, theta),),
            neuron_label=np.arange(self.n_output, dtype=np.int32) % 3,
        )

    def for_brian2(self) -> dict[str, Any]:
        """Return the same for `brian2_peer`; potentials stand for currents, as R_m is known."""
        lif, window, drive = self.parameters.lif, self.parameters.stdp, self.parameters.expression
        current = currents(self.features().ravel(), self.model().statistics, lif.rheobase)
        return {
            "dt": self.parameters.dt,
            **{
                name: getattr(lif, name) for name in ("tau_m", "t_ref", "v_rest", "v_th", "v_reset")
            },
            **{name: getattr(drive, name) for name in ("tau_s", "beta", "alpha")},
            "gain": drive.gain * lif.rheobase * lif.r_m,
            **{name: getattr(window, name) for name in window.__dataclass_fields__},
            "v_inf": lif.v_rest + lif.r_m * current,
            "w": self.model().stages[0].weights,
            "plastic": self.plastic,
        }


class Own:
    """The network of fer with so many faces in view.

    Attributes
    ----------
    spikes : of the input and of the output layer so far.
    """

    def __init__(self, case: Case, compiled: bool = True, faces: int = 1) -> None:
        self._network = Network(case.model(), case.parameters, compiled=compiled)
        self._faces = [self._network.new_face() for _ in range(faces)]
        self._features = case.features()
        self._plastic = case.plastic
        self.spikes = np.zeros(2, dtype=np.int64)

    def frame(self) -> None:
        """Advance every face by the steps of a frame."""
        for face in self._faces:
            done = self._network.advance(
                face, self._features, STEPS_PER_FRAME, plastic=self._plastic
            )
            self.spikes += [int(counts.sum()) for counts in done.counts]

    def step_us(self, least_s: float) -> float:
        """Return the CPU time of a step, of all faces."""
        return cpu_us(self.frame, least_s) / STEPS_PER_FRAME


def measure(context: Context) -> Iterator[Measurement]:
    """Measure every size, and how the cost grows with the faces."""
    for n_output in OUTPUTS:
        for plastic in (False, True):
            yield from _measure_case(Case(n_output, plastic), context)
    case = Case(300, True)
    race: dict[str, Contestant] = {
        str(n): partial(Own(case, faces=n).step_us, context.least_s) for n in FACES
    }
    costs = interleaved(race, context.rounds)
    for n in FACES:
        yield Measurement(PART, f"{case.name}, faces: {n}", "us/step", median(costs[str(n)]))


def _measure_case(case: Case, context: Context) -> Iterator[Measurement]:
    with ExitStack() as stack:
        race = _race(case, context, stack)
        rounds = interleaved(race, context.rounds)
    value, peers = compared(rounds)
    curve = f"STDP {'on' if case.plastic else 'off'}"
    yield Measurement(
        PART,
        case.name,
        "us/step",
        value,
        peers,
        curves={curve: case.n_output},
        limit=_REAL_TIME_US if case.plastic and case.n_output == max(OUTPUTS) else None,
    )
    for (peer, n_output), least in LEAST.items():
        if case.plastic and case.n_output == n_output and peer in peers:
            figure, ratio = f"times faster than {peer}", peers[peer].ratio
            yield Measurement(PART, case.name, "times", ratio, figure=figure, limit=least)


def _race(case: Case, context: Context, stack: ExitStack) -> dict[str, Contestant]:
    own, reference = Own(case), Own(case, compiled=False)
    own.frame()
    race: dict[str, Contestant] = {
        OWN: partial(own.step_us, context.least_s),
        NUMPY: partial(reference.step_us, context.least_s),
    }
    if context.peers is not None:
        kinds: dict[str, Sequence[int]] = {BRIAN2: ()}
        if case.plastic and (BRIAN2_CPP, case.n_output) in LEAST:
            kinds[BRIAN2_CPP] = _WARM_UP_STEPS, STEPS_PER_RUN
        for name, runs in kinds.items():
            peer = stack.enter_context(Brian2(context.peers, case.for_brian2(), runs))
            peer.step_us(_WARM_UP_STEPS)
            _check(case, peer)
            race[name] = partial(peer.step_us, STEPS_PER_RUN)
            if name == BRIAN2:
                # Of the call that was just timed.
                race[BRIAN2_LOOP] = lambda peer=peer: peer.loop_us  # type: ignore[misc]
    if case.n_output <= MOST_PLAIN_OUTPUTS:
        race[PLAIN] = _plain(case, context.least_s)
    return race


def _check(case: Case, peer: Brian2) -> None:
    """Raise FerError unless a peer fires as fer does in the first steps of both."""
    own = Own(case)
    for _ in range(_WARM_UP_STEPS // STEPS_PER_FRAME):
        own.frame()
    difference = np.abs(peer.spikes / own.spikes - 1).max()
    if not difference <= LARGEST_DIFFERENCE:
        raise FerError(
            f"{case.name}: Brian2 fires {peer.spikes} times where fer fires {own.spikes}: "
            "they do not compute the same, so their costs cannot be compared"
        )


def _plain(case: Case, least_s: float) -> Contestant:
    lif = case.parameters.lif
    network = PlainNetwork(N_INPUT, case.n_output, case.parameters.expression.gain)
    current = currents(case.features().ravel(), case.model().statistics, lif.rheobase).tolist()
    return timed(partial(network.step, current, case.plastic), least_s)
