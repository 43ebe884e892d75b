"""Topics across a network: flow control for the sender, an age limit for the receiver."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from fer_common.core.errors import FerError
from fer_common.core.parameters import EVERY_FRAME, Parameter, Value

PACE_BY_LINK = Parameter(
    "pace_by_link",
    False,
    "Do not send a message while earlier ones are still on their way to a subscriber. For slow "
    "networks. Messages that are not sent count as skipped. Ignored with every_frame.",
)
MAX_AGE = Parameter(
    "max_age",
    0.0,
    "Drop messages whose stamp is older than this on arrival; 0: drop none. The clocks of the "
    "hosts must agree. Ignored with every_frame.",
    "s",
    0.0,
    3600.0,
)

#: Largest number of messages in flight.
MAX_IN_FLIGHT = 8
#: The window grows when all messages are acknowledged within the first time after the last was
#: sent, and shrinks when it takes longer than the second. Between the two lies the cost of a round
#: trip and a lost packet.
FAST_ACK_S, SLOW_ACK_S = 0.1, 0.2
#: Without acknowledgement for this long, send another message: the subscriber may have left.
ACK_TIMEOUT_S = 0.4


class AgeError(FerError):
    """A message that arrived too late."""


def is_flow_controlled(values: Mapping[str, Value]) -> bool:
    """Return whether `PACE_BY_LINK` applies to a node; it does not with `EVERY_FRAME`."""
    return bool(values[PACE_BY_LINK.name]) and not values.get(EVERY_FRAME.name, False)


def max_age_s(values: Mapping[str, Value]) -> float:
    """Return the parameter `MAX_AGE`; 0 with `EVERY_FRAME`, because all of a replay is old."""
    if values[EVERY_FRAME.name]:
        return 0.0
    value = values[MAX_AGE.name]
    assert isinstance(value, float)
    return value


def check_age(age_s: float, max_age_s: float) -> None:
    """Refuse a message that is too old on arrival; a `max_age_s` of 0 accepts every age.

    Raises
    ------
    AgeError
        if the message is older than `max_age_s`.
    """
    if max_age_s and age_s > max_age_s:
        raise AgeError(
            f"it was {age_s:.2f} s old on arrival: the network is too slow for all messages, or "
            "the clocks of the hosts differ"
        )


class CongestionWindow:
    """Decides whether to send the next message, from how fast the earlier ones were acknowledged.

    A network that is too slow for a stream queues it in routers and drivers until every message is
    late. With this window the sender waits for the acknowledgement of all messages in flight, and
    drops messages instead of delaying them. The window doubles when acknowledgements come fast and
    halves when they come slowly, as in TCP.

    Parameters
    ----------
    all_acknowledged : whether every subscriber has acknowledged every message; must not block.
    """

    def __init__(self, all_acknowledged: Callable[[], bool]) -> None:
        self._all_acknowledged = all_acknowledged
        self._window = 1
        self._in_flight = 0
        self._sent_s = -math.inf
        #: Number of messages held back since `take_held_back`.
        self.held_back = 0

    def may_send(self, now_s: float) -> bool:
        """Return whether to send now. After each True, send one message.

        Parameters
        ----------
        now_s : time of a monotonic clock.
        """
        waited_s = now_s - self._sent_s
        if self._in_flight >= self._window:
            if self._all_acknowledged():
                self._adapt(waited_s)
                self._in_flight = 0
            elif waited_s >= ACK_TIMEOUT_S:
                self._window = 1
                self._in_flight = 0
            else:
                self.held_back += 1
                return False
        self._in_flight += 1
        self._sent_s = now_s
        return True

    def take_held_back(self) -> int:
        """Return how many messages were held back since the last call."""
        held_back, self.held_back = self.held_back, 0
        return held_back

    def _adapt(self, waited_s: float) -> None:
        if waited_s <= FAST_ACK_S:
            self._window = min(2 * self._window, MAX_IN_FLIGHT)
        elif waited_s > SLOW_ACK_S:
            self._window = max(self._window // 2, 1)
