"""Follows a device through all that happens to it: missing, unplugged, blocking, coming back."""

from __future__ import annotations

import threading
import time

from fer_camera.core.device import Device, DeviceError
from fer_camera.core.pacing import Clock
from fer_camera.core.parameters import Settings
from fer_camera.core.session import Frame, Session, Sink, State, Status
from fer_common.core.images import Pixels
from fer_common.core.worker import FrameQueue

#: A device that is silent for so long has a fault ...
SILENCE_S = 0.7
#: ... unless its rate is so low that this many periods are longer.
SILENT_PERIODS = 2.5
#: A device that was just opened may need so long for its first frame before it is tried anew.
OPENING_S = 5.0
#: First and longest wait before a device is tried again; the longest leaves time to open it
#: within 2 s of its return.
BACKOFF_S = (0.25, 1.0)
#: With so many reads that never returned, a device is not tried again before one of them does.
MAX_STUCK = 4
_RELEASE_S = 0.5
#: How soon a wish to stop is heard while no frames come.
_LOOK_S = 0.1


class Follower:
    """Gives the frames of a device as they come, each once; tries again whenever there are none.

    Parameters
    ----------
    device : not open; each attempt opens a handle of its own.
    session : settings and the wish to stop.
    sink : takes frames and states.
    clock_ns : clock of the stamps.
    """

    def __init__(self, device: Device, session: Session, sink: Sink, clock_ns: Clock) -> None:
        self.source = device
        self._session = session
        self._sink = sink
        self._clock_ns = clock_ns
        self._stuck: list[_Reader] = []
        self._index = 0
        #: How often the device was opened again after a fault.
        self.restarts = 0
        #: Frames that came faster than they could be given.
        self.skipped = 0

    def run(self) -> None:
        """Follow the device until the session stops."""
        session = self._session
        backoff_s = BACKOFF_S[0]
        while not session.stopping:
            index = self._index
            if not self._attempt():
                # Stopped, or other settings: no reason to wait.
                continue
            backoff_s = BACKOFF_S[0] if self._index > index else min(2 * backoff_s, BACKOFF_S[1])
            session.wait(backoff_s, session.settings)
            self.restarts += 1

    def close(self) -> None:
        """Nothing is left open between attempts."""

    def _attempt(self) -> bool:
        """Open the device and give its frames; return whether it failed."""
        self._stuck = [reader for reader in self._stuck if reader.alive]
        if len(self._stuck) >= MAX_STUCK:
            return self._fail(f"camera {self.source.name} hangs in {MAX_STUCK} reads: unplug it")
        reader = _Reader(self.source.again(), self._session, self._clock_ns)
        try:
            fault = self._drain(reader)
            # Told before the release, which takes its time when the device hangs.
            return fault is not None and self._fail(fault)
        finally:
            if not reader.release():
                self._stuck.append(reader)

    def _fail(self, fault: str) -> bool:
        self._sink.changed(Status(State.FAULT, fault))
        return True

    def _drain(self, reader: _Reader) -> str | None:
        """Give frames; return what went wrong, None if nothing did."""
        session, name = self._session, self.source.name
        silent = f"camera {name} gives no frames: check its cable (trying again)"
        began_s = last_s = time.monotonic()
        streaming = False
        while not session.stopping and _format(session.settings) == reader.format:
            taken = reader.queue.get(_LOOK_S)
            now_s = time.monotonic()
            if taken is not None:
                last_s, streaming = now_s, True
                self._sink.changed(
                    Status(State.STREAMING, f"streaming from {name}{reader.refused}")
                )
                self.skipped += taken[1]
                self._give(*taken[0])
            elif reader.fault:
                return reader.fault
            elif reader.broken is not None:
                raise reader.broken
            elif now_s - last_s > _silence_s(session.settings):
                if streaming or now_s - began_s > OPENING_S:
                    return silent
                self._fail(silent)
        return None

    def _give(self, pixels: Pixels, stamp_ns: int) -> None:
        frame = Frame(pixels, stamp_ns, self.source.name, self._index, 0)
        self._index += 1
        self._sink.emit(frame)


class _Reader:
    """A thread of its own for one handle of a device: nothing can end a read that blocks."""

    def __init__(self, device: Device, session: Session, clock_ns: Clock) -> None:
        self._device = device
        self._session = session
        self._clock_ns = clock_ns
        self._released = threading.Event()
        self.queue: FrameQueue[tuple[Pixels, int]] = FrameQueue()
        self.format = _format(session.settings)
        self.fault = ""
        self.broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"read {device.name}", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> str:
        """What the driver refused, to be appended to a sentence."""
        names = self._device.refused
        return f", whose driver refuses {' and '.join(names)}" if names else ""

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def release(self) -> bool:
        """Have the device closed; False if its thread hangs, which closes it when it is free."""
        self._released.set()
        self.queue.close()
        self._thread.join(_RELEASE_S)
        return not self.alive

    def _run(self) -> None:
        try:
            self._device.open(self._session.settings)
            while not self._released.is_set():
                self._device.control(self._session.settings)
                pixels, age_s = self._device.read()
                self.queue.put((pixels, self._clock_ns() - round(age_s * 1e9)))
        except DeviceError as error:
            self.fault = str(error)
        except BaseException as error:
            # Raised again where somebody listens.
            self.broken = error
        finally:
            self._device.close()
            self.queue.close()


def _format(settings: Settings) -> tuple[int, int, float]:
    """Return what a device can be asked for only when it is opened."""
    return settings.width, settings.height, settings.rate


def _silence_s(settings: Settings) -> float:
    return max(SILENCE_S, SILENT_PERIODS / settings.rate) if settings.rate else SILENCE_S
