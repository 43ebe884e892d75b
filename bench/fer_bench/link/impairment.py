"""What a bad link does to packets: a queue before a transmitter of some rate, loss, and delay.

Knows neither sockets nor a clock, so that what it does can be checked against closed forms.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, replace

#: As many packets wait for the transmitter as in `tc netem` unless it is told otherwise. At a low
#: rate that is seconds: what does not pace itself is late there, as it is in many a router.
QUEUE_PACKETS = 1000
_BITS = 8


@dataclass(frozen=True)
class Impairment:
    """State of a link, the same in both directions.

    Attributes
    ----------
    delay_s : mean time that a packet is under way.
    jitter_s : it varies evenly by so much to both sides, independently for every packet, so
        packets can overtake each other.
    loss : share of the packets that are lost, independently, 0 to 1.
    rate_bps : bits per second, with all headers; 0: no limit.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    rate_bps: float = 0.0

    def cut(self) -> Impairment:
        """Return the same link while nothing passes."""
        return replace(self, loss=1.0)


#: Nothing is done to any packet.
GOOD = Impairment()


class Schedule:
    """When the packets of one direction arrive.

    Parameters
    ----------
    impairment : of the link; may be set anew at any time.
    seed : of loss and jitter.
    """

    def __init__(self, impairment: Impairment, seed: int) -> None:
        self.impairment = impairment
        self._random = random.Random(seed)
        self._sent_s: deque[float] = deque()

    def arrival_s(self, now_s: float, size_bytes: int) -> float | None:
        """Return when a packet arrives that is sent now, None where it is lost.

        Calls must come in the order of time.
        """
        impairment = self.impairment
        # Drawn even where not needed, so that later draws do not depend on earlier impairments.
        lost, jitter = self._random.random() < impairment.loss, self._random.uniform(-1.0, 1.0)
        sent_s = now_s
        if impairment.rate_bps:
            while self._sent_s and self._sent_s[0] <= now_s:
                self._sent_s.popleft()
            if len(self._sent_s) >= QUEUE_PACKETS:
                return None
            begin_s = self._sent_s[-1] if self._sent_s else now_s
            sent_s = begin_s + size_bytes * _BITS / impairment.rate_bps
            self._sent_s.append(sent_s)
        else:
            self._sent_s.clear()
        if lost:
            return None
        return sent_s + max(impairment.delay_s + jitter * impairment.jitter_s, 0.0)
