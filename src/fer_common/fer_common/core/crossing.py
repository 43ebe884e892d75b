"""For topics that cross a network: no more is sent than arrives, and what is old is left out.

Knows no ROS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from fer_common.core import stamps
from fer_common.core.errors import FerError
from fer_common.core.parameters import EVERY_FRAME, Parameter, Value

PACE_BY_LINK = Parameter(
    "pace_by_link",
    False,
    "Hold messages back while those before them are still on their way to a listener: for slow "
    "networks. What is held back counts as skipped. Not with every_frame.",
)
MAX_AGE = Parameter(
    "max_age",
    0.0,
    "Leave out what is older than this when it arrives, by its stamp; 0: nothing. The clocks of "
    "the hosts must agree. Not with every_frame.",
    "s",
    0.0,
    3600.0,
)

#: So many messages may be under way at most.
MOST_UNDER_WAY = 8
#: When all have arrived so soon after the last was sent, more may be under way; when it took so
#: long, fewer. In between lies what a round trip and a lost packet cost.
QUICK_S, SLOW_S = 0.1, 0.2
#: Without a sign of arrival for so long another one is tried: the listener may have left.
PATIENCE_S = 0.4


class AgeError(FerError):
    """A message that has been under way for too long."""


def is_paced(values: Mapping[str, Value]) -> bool:
    """Return whether `PACE_BY_LINK` holds for a node; where every frame counts it does not."""
    return bool(values[PACE_BY_LINK.name]) and not values.get(EVERY_FRAME.name, False)


def max_age_s(values: Mapping[str, Value]) -> float:
    """Return the parameter `MAX_AGE`; 0 where every frame counts, as of a bag all are old."""
    if values[EVERY_FRAME.name]:
        return 0.0
    value = values[MAX_AGE.name]
    assert isinstance(value, float)
    return value


def check_age(stamp_ns: int, now_ns: int, max_age_s: float) -> None:
    """Refuse what is too old.

    Parameters
    ----------
    stamp_ns : of the message.
    now_ns : by the same clock.
    max_age_s : 0 to refuse nothing.

    Raises
    ------
    AgeError
        if it is.
    """
    age_s = (now_ns - stamp_ns) / stamps.NANOSECONDS
    if max_age_s and age_s > max_age_s:
        raise AgeError(
            f"it was {age_s:.2f} s old when it arrived: the network is too slow for all of them, "
            "or the clocks of the hosts differ"
        )


class LinkPacer:
    """Decides whether the next message may be sent, by how soon those before it have arrived.

    A network that is too slow for a stream queues it, in routers and drivers, until all of it is
    old. Here the sender waits until everything that it has sent has arrived, and what it does not
    send in the meantime is never late. How much it sends before it waits grows while the answer
    comes quickly, and is halved when it comes slowly.

    Parameters
    ----------
    all_arrived : whether every listener has acknowledged every message; must not block.
    """

    def __init__(self, all_arrived: Callable[[], bool]) -> None:
        self._all_arrived = all_arrived
        self._window = 1
        self._under_way = 0
        self._sent_s = -math.inf
        #: How many messages were held back just before the one that may be sent.
        self.held_back = 0

    def may_send(self, now_s: float) -> bool:
        """Return whether to send now; every yes must be followed by a message.

        Parameters
        ----------
        now_s : of a clock that never goes back.
        """
        waited_s = now_s - self._sent_s
        if self._under_way >= self._window:
            if self._all_arrived():
                self._adapt(waited_s)
                self._under_way = 0
            elif waited_s >= PATIENCE_S:
                self._window = 1
                self._under_way = 0
            else:
                self.held_back += 1
                return False
        self._under_way += 1
        self._sent_s = now_s
        return True

    def take_held_back(self) -> int:
        """Return how many messages were held back since the last call."""
        held_back, self.held_back = self.held_back, 0
        return held_back

    def _adapt(self, waited_s: float) -> None:
        if waited_s <= QUICK_S:
            self._window = min(2 * self._window, MOST_UNDER_WAY)
        elif waited_s > SLOW_S:
            self._window = max(self._window // 2, 1)
