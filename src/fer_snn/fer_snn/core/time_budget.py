"""Limits the wall time of a frame, so that answers stay fresh on a slow machine.

The time per step and face is known from earlier frames, so the number of steps that fit into the
budget is known in advance. Further steps are skipped, and the result says so
(`FrameSteps.left_out`).
Potentials, traces and spike counts are kept, so the network sees in slow motion: an answer about
part of the time is better than an answer about the past.

Without a budget, the results depend on the stamps alone.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable

from fer_snn.core.network import Network
from fer_snn.core.recogniser import FeatureFrame, FrameResult
from fer_snn.core.teaching.learner import Learner

_MEASUREMENTS = 5
"""The median of this many counts. It ignores both single delays and frames of long ago."""
_TRIAL_STEPS = 20


class TimeBudget:
    """Runs the frames of a learner, each within a budget of wall time.

    Parameters
    ----------
    learner : processes the frames.
    now_s : a monotonic clock, seconds.

    Attributes
    ----------
    budget_s : maximum wall time of a frame, seconds; infinite for no limit.
    left_out_s : simulated time that was skipped since the start, seconds.
    """

    def __init__(self, learner: Learner, now_s: Callable[[], float] = time.perf_counter) -> None:
        """Measure how long a step takes."""
        self.budget_s = math.inf
        self.left_out_s = 0.0
        self._learner = learner
        self._now_s = now_s
        self._step_s: deque[float] = deque(maxlen=_MEASUREMENTS)
        self._measure(learner.recogniser.network)

    def process(self, frame: FeatureFrame) -> FrameResult:
        """Advance the network by a frame, as `Learner.process`, as far as there is time."""
        n_faces = min(len(frame.faces), self._learner.parameters.max_faces)
        max_steps = self._max_steps(n_faces)
        begin_s = self._now_s()
        result = self._learner.process(frame, max_steps)
        self._add(result.timing.steps * n_faces, begin_s)
        self.left_out_s += result.timing.left_out * self._learner.parameters.network.dt
        return result

    def _max_steps(self, n_faces: int) -> int | None:
        if n_faces == 0 or math.isinf(self.budget_s):
            return None
        # At least one step, or the network would stand still for ever.
        return max(int(self.budget_s / (statistics.median(self._step_s) * n_faces)), 1)

    def _add(self, steps: int, begin_s: float) -> None:
        if steps:
            self._step_s.append(max(self._now_s() - begin_s, 1e-9) / steps)

    def _measure(self, network: Network) -> None:
        """Show features far from the mean, which cause the most spikes."""
        usual = network.model.statistics
        features = usual.mean + 2 * usual.deviation
        for _ in range(_MEASUREMENTS):
            begin_s = self._now_s()
            network.present(features, _TRIAL_STEPS)
            self._add(_TRIAL_STEPS, begin_s)
