"""Keeps a device streaming: opens it again whenever it is missing, unplugged or blocked."""

from __future__ import annotations

import threading
import time

from fer_camera.core.device import Device, DeviceError
from fer_camera.core.parameters import CameraSettings
from fer_camera.core.stream_state import (
    CameraFrame,
    Clock,
    FrameSink,
    StreamControl,
    StreamState,
    StreamStatus,
)
from fer_common.core.images import Pixels
from fer_common.core.worker import FrameQueue

#: A device without a frame for this long has a fault ...
SILENCE_S = 0.7
#: ... unless its rate is so low that this many periods take longer.
SILENT_PERIODS = 2.5
#: Time for the first frame of a device that was just opened.
OPENING_S = 5.0
#: First and longest wait between two attempts. The longest allows a return within 2 s.
BACKOFF_S = (0.25, 1.0)
#: After this many reads that hang, the device is not opened again until one of them returns.
MAX_STUCK = 4
_RELEASE_S = 0.5
#: Period at which a stop request is noticed while no frames arrive.
_POLL_S = 0.1


class DeviceSupervisor:
    """Emits each frame of a device once, as it arrives; reopens the device after every fault.

    Parameters
    ----------
    device : not open. Each attempt opens a handle of its own.
    """

    def __init__(
        self, device: Device, control: StreamControl, sink: FrameSink, clock_ns: Clock
    ) -> None:
        self.source = device
        self._control = control
        self._sink = sink
        self._clock_ns = clock_ns
        self._stuck: list[_DeviceReader] = []
        self._index = 0
        #: Number of attempts after a fault.
        self.restarts = 0
        #: Number of frames that arrived faster than they were processed.
        self.skipped = 0

    def run(self) -> None:
        """Stream until a stop is requested."""
        control = self._control
        backoff_s = BACKOFF_S[0]
        while not control.stopping:
            index = self._index
            if not self._attempt():
                # A stop or new settings: no reason to wait.
                continue
            backoff_s = BACKOFF_S[0] if self._index > index else min(2 * backoff_s, BACKOFF_S[1])
            control.wait(backoff_s, control.settings)
            self.restarts += 1

    def _attempt(self) -> bool:
        """Open the device and emit its frames; return whether it failed."""
        self._stuck = [reader for reader in self._stuck if reader.alive]
        if len(self._stuck) >= MAX_STUCK:
            return self._fail(f"camera {self.source.name} hangs in {MAX_STUCK} reads: unplug it")
        reader = _DeviceReader(self.source.new_handle(), self._control, self._clock_ns)
        try:
            fault = self._stream_from(reader)
            # Report before the release, which takes time if the device hangs.
            return fault is not None and self._fail(fault)
        finally:
            if not reader.release():
                self._stuck.append(reader)

    def _fail(self, fault: str) -> bool:
        self._sink.set_status(StreamStatus(StreamState.FAULT, fault))
        return True

    def _stream_from(self, reader: _DeviceReader) -> str | None:
        """Emit frames; return the fault that ended them, None if there was none."""
        control, name = self._control, self.source.name
        silent = f"camera {name} sends no frames: {self.source.remedy} (trying again)"
        began_s = last_s = time.monotonic()
        streaming = False
        while not control.stopping and _format(control.settings) == reader.format:
            entry = reader.queue.get(_POLL_S)
            now_s = time.monotonic()
            if entry is not None:
                last_s, streaming = now_s, True
                text = f"streaming from {name}{reader.refused}"
                self._sink.set_status(StreamStatus(StreamState.STREAMING, text))
                (pixels, stamp_ns), skipped = entry
                self.skipped += skipped
                self._sink.emit(CameraFrame(pixels, stamp_ns, name, self._index, 0))
                self._index += 1
            elif reader.fault:
                return reader.fault
            elif reader.error is not None:
                raise reader.error
            elif now_s - last_s > _silence_s(control.settings):
                if streaming or now_s - began_s > OPENING_S:
                    return silent
                self._fail(silent)
        return None


class _DeviceReader:
    """A thread for one handle of a device, because a blocked read cannot be interrupted."""

    def __init__(self, device: Device, control: StreamControl, clock_ns: Clock) -> None:
        self._device = device
        self._control = control
        self._clock_ns = clock_ns
        self._released = threading.Event()
        self.queue: FrameQueue[tuple[Pixels, int]] = FrameQueue()
        self.format = _format(control.settings)
        self.fault = ""
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"read {device.name}", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> str:
        """The controls that the driver refused, as the end of a sentence."""
        names = self._device.refused
        return f", but its driver refuses {' and '.join(names)}" if names else ""

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def release(self) -> bool:
        """Close the device; return False if the thread hangs: it closes the device later."""
        self._released.set()
        self.queue.close()
        self._thread.join(_RELEASE_S)
        return not self.alive

    def _run(self) -> None:
        try:
            self._device.open(self._control.settings)
            while not self._released.is_set():
                self._device.control(self._control.settings)
                pixels, age_s = self._device.read()
                self.queue.put((pixels, self._clock_ns() - round(age_s * 1e9)))
        except DeviceError as error:
            self.fault = str(error)
        except BaseException as error:
            # Raised again in the supervisor's thread.
            self.error = error
        finally:
            self._device.close()
            self.queue.close()


def _format(settings: CameraSettings) -> tuple[int, int, float]:
    """Return the settings that need the device to be opened again."""
    return *settings.source_size, settings.rate


def _silence_s(settings: CameraSettings) -> float:
    return max(SILENCE_S, SILENT_PERIODS / settings.rate) if settings.rate else SILENCE_S
