"""Keeps answers fresh where the network is slower than real time.

A frame may take so much of the wall clock and no more. What a step of one face takes is known from
the frames before, so it is known beforehand how many steps fit; the others are left out, which the
result says (`Tick.left_out`). Potentials, traces and spike counts are carried on, so the network
goes on seeing, in slow motion: better an answer about part of the time than one about the past.

Where every frame counts there is no such limit, and the results depend on the stamps alone.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from fer_snn.core.network import Network
from fer_snn.core.recogniser import FaceInput, FrameResult
from fer_snn.core.teaching.tutor import Tutor

#: The median of so many: neither a hiccup of the machine nor the frames of long ago count.
_KEPT = 5
_TRIAL_STEPS = 20


class Pace:
    """Runs a tutor's frames, each within a budget of time.

    Parameters
    ----------
    tutor : whose frames.
    now_s : a monotonic clock, seconds.

    Attributes
    ----------
    budget_s : most wall time for a frame, seconds; infinite for no limit.
    left_out_s : simulated time that was left out since the start, seconds.
    """

    def __init__(self, tutor: Tutor, now_s: Callable[[], float] = time.perf_counter) -> None:
        """Measure what a step takes."""
        self.budget_s = math.inf
        self.left_out_s = 0.0
        self._tutor = tutor
        self._now_s = now_s
        self._step_s: deque[float] = deque(maxlen=_KEPT)
        self._try(tutor.recogniser.network)

    def process(
        self,
        stamp_ns: int,
        faces: Sequence[FaceInput],
        spikes_of: Collection[str] = (),
        potentials_of: Collection[str] = (),
    ) -> FrameResult:
        """Advance the network by a frame, as `Tutor.process`, as far as there is time."""
        looked_at = min(len(faces), self._tutor.recogniser.parameters.max_faces)
        most_steps = self._most_steps(looked_at)
        begun_s = self._now_s()
        result = self._tutor.process(stamp_ns, faces, spikes_of, potentials_of, most_steps)
        self._note(result.tick.steps * looked_at, begun_s)
        dt = self._tutor.recogniser.network.parameters.dt
        self.left_out_s += result.tick.left_out * dt
        return result

    def _most_steps(self, n_faces: int) -> int | None:
        if n_faces == 0 or math.isinf(self.budget_s):
            return None
        # Without any step the network would stand still for ever.
        return max(int(self.budget_s / (statistics.median(self._step_s) * n_faces)), 1)

    def _note(self, steps: int, begun_s: float) -> None:
        if steps:
            self._step_s.append(max(self._now_s() - begun_s, 1e-9) / steps)

    def _try(self, network: Network) -> None:
        """Show features that are far from usual, which costs the most spikes."""
        usual = network.model.statistics
        features = usual.mean + 2 * usual.deviation
        for _ in range(_KEPT):
            begun_s = self._now_s()
            network.advance(network.new_face(), features, _TRIAL_STEPS)
            self._note(_TRIAL_STEPS, begun_s)
