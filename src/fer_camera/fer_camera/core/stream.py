"""The thread that reads a source, so that a blocking source blocks nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_camera.core.device import Device
from fer_camera.core.device_supervisor import DeviceSupervisor
from fer_camera.core.file_player import FilePlayer
from fer_camera.core.parameters import CameraSettings
from fer_camera.core.sources import FileSource
from fer_camera.core.stream_state import (
    CameraFrame,
    Clock,
    StreamControl,
    StreamState,
    StreamStatus,
)
from fer_common.core.errors import FerError

_JOIN_S = 1.0


class CameraStream:
    """Emits the frames of a source at their due times. Can be stopped and started again.

    Parameters
    ----------
    choose : returns the source. Called once, in the stream's thread: it may search for devices.
    clock_ns : clock of the stamps, nanoseconds.
    emit : receives each frame, in the stream's thread.
    failed : receives an unexpected error, after which the stream has ended.
    """

    def __init__(
        self,
        choose: Callable[[], FileSource | Device],
        settings: CameraSettings,
        clock_ns: Clock,
        emit: Callable[[CameraFrame], None],
        changed: Callable[[StreamStatus], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._choose = choose
        self._control = StreamControl(settings)
        self._clock_ns = clock_ns
        self._changed = changed
        self._failed = failed
        self._thread: threading.Thread | None = None
        self._reader: FilePlayer | DeviceSupervisor | None = None
        self.emit = emit
        self.status = StreamStatus(StreamState.STARTING, "starting")

    @property
    def source(self) -> FileSource | Device | None:
        """The source; None before `choose` has returned."""
        return None if self._reader is None else self._reader.source

    @property
    def wanted_hz(self) -> float:
        """Expected frame rate; 0 for a device that chooses its own."""
        rate_hz = self._control.settings.rate
        if isinstance(self._reader, FilePlayer) and not rate_hz:
            return self._reader.source.rate_hz
        return rate_hz

    @property
    def facts(self) -> dict[str, object]:
        """Counters of the source, for diagnostics."""
        reader = self._reader
        if isinstance(reader, DeviceSupervisor):
            return {"restarts": reader.restarts, "skipped": reader.skipped}
        if isinstance(reader, FilePlayer):
            return {"restarts": 0, "missed": reader.missed, "unreadable": reader.source.unreadable}
        return {"restarts": 0}

    def start(self) -> None:
        """Start streaming, or continue after `stop`."""
        self._control.stopping = False
        self._thread = threading.Thread(
            target=self._run, args=(self._thread,), name="stream", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present frame. A device is released; a file keeps its position."""
        self._control.stop()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def update(self, settings: CameraSettings) -> None:
        """Apply new settings from the next frame on."""
        self._control.update(settings)

    def close(self) -> None:
        """Stop and release the source."""
        self.stop()
        if isinstance(self._reader, FilePlayer):
            self._reader.source.close()

    def set_status(self, status: StreamStatus) -> None:
        """Store a status, and report it if it is new."""
        if status != self.status:
            self.status = status
            self._changed(status)

    def _run(self, previous: threading.Thread | None) -> None:
        if previous is not None:
            # It may still be searching for a device.
            previous.join()
        try:
            if self._reader is None:
                source = self._choose()
                kind = DeviceSupervisor if isinstance(source, Device) else FilePlayer
                self._reader = kind(source, self._control, self, self._clock_ns)  # type: ignore[arg-type]
            self._reader.run()
        except FerError as error:
            self.set_status(StreamStatus(StreamState.FAULT, str(error)))
        except BaseException as error:
            # A node whose thread has died silently looks alive and does nothing.
            self._failed(error)
