"""A cable between two TAP devices that loses, delays and limits packets as told.

`Schedule` knows neither sockets nor a clock, so that it can be tested against closed forms.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from itertools import count

from fer_common.core.errors import FerError

#: Length of the queue before the transmitter, the default of `tc netem`. At a low rate it holds
#: seconds: whatever does not pace itself is late there, as in many routers.
QUEUE_PACKETS = 1000
_BITS = 8
_TUN = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_FRAME_BYTES = 65536
_IDLE_S = 0.5
_SEED = 1


@dataclass(frozen=True)
class Impairment:
    """State of a link, the same in both directions.

    Attributes
    ----------
    delay_s : mean delay of a packet.
    jitter_s : the delay is uniform within this distance of the mean, independent for each packet,
        so packets can overtake each other.
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


#: Changes nothing.
GOOD = Impairment()


class Schedule:
    """When the packets of one direction arrive.

    Parameters
    ----------
    impairment : of the link; may be replaced at any time.
    seed : of loss and jitter.
    """

    def __init__(self, impairment: Impairment, seed: int) -> None:
        self.impairment = impairment
        self._random = random.Random(seed)
        self._sent_s: deque[float] = deque()

    def arrival_s(self, now_s: float, size_bytes: int) -> float | None:
        """Return when a packet that is sent now arrives, None if it is lost.

        Calls must be in the order of time.
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


class Cable:
    """Forwards Ethernet frames between two devices, in a thread of its own.

    Parameters
    ----------
    names : of the devices, which are made here and vanish with `close`.

    Raises
    ------
    FerError
        if TAP devices cannot be made here.
    """

    def __init__(self, names: tuple[str, str]) -> None:
        self._files: list[int] = []
        try:
            for name in names:
                self._files.append(_open_tap(name))
        except OSError as error:
            self._close_files()
            raise FerError(f"no TAP device can be made here: {error.strerror}") from error
        self._schedules = [Schedule(GOOD, _SEED + k) for k in range(len(names))]
        self._pending: list[tuple[float, int, int, bytes]] = []
        self._number = count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cable", daemon=True)
        self._thread.start()

    def set(self, impairment: Impairment) -> None:
        """Change the link, for frames that are sent from now on."""
        for schedule in self._schedules:
            schedule.impairment = impairment

    def close(self) -> None:
        """Remove the devices."""
        self._stop.set()
        self._thread.join()
        self._close_files()

    def _close_files(self) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = _IDLE_S
            if self._pending:
                wait_s = min(max(self._pending[0][0] - time.monotonic(), 0.0), _IDLE_S)
            ready, _, _ = select.select(self._files, [], [], wait_s)
            for file in ready:
                self._receive(self._files.index(file))
            while self._pending and self._pending[0][0] <= time.monotonic():
                _, _, side, frame = heapq.heappop(self._pending)
                # A device that is down, or gone with its namespace, accepts nothing.
                with contextlib.suppress(OSError):
                    os.write(self._files[side], frame)

    def _receive(self, side: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = os.read(self._files[side], _FRAME_BYTES)
                arrival_s = self._schedules[side].arrival_s(time.monotonic(), len(frame))
                if arrival_s is not None:
                    item = (arrival_s, next(self._number), 1 - side, frame)
                    heapq.heappush(self._pending, item)


def _open_tap(name: str) -> int:
    file = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI)
        fcntl.ioctl(file, _TUNSETIFF, request)
    except OSError:
        os.close(file)
        raise
    return file
