"""A cable between two TAP devices that loses, delays and limits as it is told."""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import select
import struct
import threading
import time
from itertools import count

from fer_bench.link.impairment import Impairment, Schedule
from fer_common.core.errors import FerError

_TUN = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_FRAME_BYTES = 65536
_IDLE_S = 0.5


class Forwarder:
    """Passes Ethernet frames on between two devices, in a thread of its own.

    Parameters
    ----------
    names : of the devices, which are made here and vanish with `close`.
    seed : of everything that is random.

    Raises
    ------
    FerError
        where TAP devices cannot be made.
    """

    def __init__(self, names: tuple[str, str], seed: int) -> None:
        self._files: list[int] = []
        try:
            for name in names:
                self._files.append(_open_tap(name))
        except OSError as error:
            self._close_files()
            raise FerError(f"no TAP device can be made here: {error.strerror}") from error
        self._schedules = [Schedule(Impairment(), seed + k) for k in range(len(names))]
        self._pending: list[tuple[float, int, int, bytes]] = []
        self._number = count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._thread.start()

    def set(self, impairment: Impairment) -> None:
        """Change the link, for frames that are sent from now on."""
        for schedule in self._schedules:
            schedule.impairment = impairment

    def close(self) -> None:
        """Take the cable away."""
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
            self._deliver(time.monotonic())

    def _receive(self, side: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = os.read(self._files[side], _FRAME_BYTES)
                now_s = time.monotonic()
                arrival_s = self._schedules[side].arrival_s(now_s, len(frame))
                if arrival_s is None:
                    continue
                if arrival_s <= now_s:
                    self._write(1 - side, frame)
                else:
                    item = (arrival_s, next(self._number), 1 - side, frame)
                    heapq.heappush(self._pending, item)

    def _deliver(self, now_s: float) -> None:
        while self._pending and self._pending[0][0] <= now_s:
            _, _, side, frame = heapq.heappop(self._pending)
            self._write(side, frame)

    def _write(self, side: int, frame: bytes) -> None:
        # A device that is down, or gone with its namespace, takes nothing.
        with contextlib.suppress(OSError):
            os.write(self._files[side], frame)


def _open_tap(name: str) -> int:
    file = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI)
        fcntl.ioctl(file, _TUNSETIFF, request)
    except OSError:
        os.close(file)
        raise
    return file
