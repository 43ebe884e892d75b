"""When to play what: flow control, and the time of a bag on the clock of this machine.

A frame is on its way from when it is played until its answer is heard, or that of a later frame:
nodes answer in order, so what comes later says that the frame before was dropped.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Callable

from fer.bags.topics import BagError
from fer_common.core.stamps import NANOSECONDS


def stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialized message that begins with a header, ns.

    Raises
    ------
    BagError
        if the message is too short to have a header.
    """
    # CDR: four bytes that say the order of the bytes, then the fields.
    try:
        sec, nanosec = struct.unpack_from("<iI" if data[1] else ">iI", data, 4)
    except (struct.error, IndexError):
        raise BagError(f"a message of {len(data)} bytes has no header") from None
    return int(sec) * NANOSECONDS + int(nanosec)


class Flow:
    """Frames on their way. `send` is called by the player, `answered` by whoever hears answers.

    Parameters
    ----------
    window : most frames on their way.
    patience_s : a frame that nothing was heard of for so long is given up.
    """

    def __init__(self, window: int, patience_s: float) -> None:
        self.window = window
        self.lost = 0
        """Frames of which no answer came."""
        self.answers = 0
        self._patience_s = patience_s
        self._waiting: deque[int] = deque()
        self._changed = threading.Condition()

    def send(self, stamp: int, stopped: Callable[[], bool]) -> float:
        """Wait for a place for another frame, take it, and return how long it took, seconds."""
        begun_s = time.monotonic()
        with self._changed:
            self._wait_until_below(self.window, stopped)
            self._waiting.append(stamp)
        return time.monotonic() - begun_s

    def drain(self, stopped: Callable[[], bool]) -> None:
        """Wait until no frame is on its way."""
        with self._changed:
            self._wait_until_below(1, stopped)

    def answered(self, stamp: int) -> None:
        """Take the answer to a frame; frames that were sent before it will get none."""
        with self._changed:
            if stamp not in self._waiting:
                return
            while self._waiting.popleft() != stamp:
                self.lost += 1
            self.answers += 1
            self._changed.notify_all()

    def _wait_until_below(self, number: int, stopped: Callable[[], bool]) -> None:
        while len(self._waiting) >= number and not stopped():
            before = self.answers
            deadline_s = time.monotonic() + self._patience_s
            while self.answers == before and time.monotonic() < deadline_s and not stopped():
                self._changed.wait(0.05)
            if self.answers == before and not stopped():
                self._waiting.popleft()
                self.lost += 1


class Pace:
    """Time of a bag, at a rate, from when it began to be played.

    Parameters
    ----------
    rate : seconds of the bag per second.
    first_ns : time of the bag at the beginning.
    now_s : the monotonic clock at the beginning.
    """

    def __init__(self, rate: float, first_ns: int, now_s: float) -> None:
        self._rate = rate
        self._first_ns = first_ns
        self._begun_s = now_s

    def due_s(self, time_ns: int) -> float:
        """Return when it is that time in the bag, by the monotonic clock."""
        return self._begun_s + (time_ns - self._first_ns) / NANOSECONDS / self._rate

    def time_ns(self, now_s: float) -> int:
        """Return the time in the bag."""
        return self._first_ns + round((now_s - self._begun_s) * self._rate * NANOSECONDS)

    def held_up(self, duration_s: float) -> None:
        """Move everything that is still to come; what was late is not hurried after."""
        self._begun_s += duration_s
