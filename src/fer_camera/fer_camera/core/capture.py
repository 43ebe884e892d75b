"""A stream: the thread that turns a source into frames, so that a source blocks only itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_camera.core.device import Device
from fer_camera.core.following import Follower
from fer_camera.core.pacing import Clock
from fer_camera.core.parameters import Settings
from fer_camera.core.playing import Player
from fer_camera.core.session import Frame, Session, State, Status
from fer_camera.core.sources import Source
from fer_common.core.errors import FerError

_JOIN_S = 1.0


class Stream:
    """Gives the frames of a source, each when it is due, whenever it is started.

    Parameters
    ----------
    choose : returns the source; called once, in the stream's thread: it may look for devices.
    settings : see `update`.
    clock_ns : clock of the stamps, nanoseconds.
    emit : takes each frame, in the stream's thread.
    changed : takes each new status, in the stream's thread.
    failed : takes an error that nobody foresaw; the stream has then ended.
    """

    def __init__(
        self,
        choose: Callable[[], Source | Device],
        settings: Settings,
        clock_ns: Clock,
        emit: Callable[[Frame], None],
        changed: Callable[[Status], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._choose = choose
        self._session = Session(settings)
        self._clock_ns = clock_ns
        self._changed = changed
        self._failed = failed
        self._thread: threading.Thread | None = None
        self._worker: Player | Follower | None = None
        self.emit = emit
        self.status = Status(State.STARTING, "starting")

    @property
    def source(self) -> Source | Device | None:
        """The source, None before it was chosen."""
        return None if self._worker is None else self._worker.source

    @property
    def wanted_hz(self) -> float:
        """Frame rate that the stream shall have, 0 where a device chooses its own."""
        asked_hz = self._session.settings.rate
        return (
            self._worker.source.rate_hz
            if isinstance(self._worker, Player) and not asked_hz
            else asked_hz
        )

    @property
    def facts(self) -> dict[str, object]:
        """What happened to the source, for diagnostics."""
        worker = self._worker
        if isinstance(worker, Follower):
            return {"restarts": worker.restarts, "skipped": worker.skipped}
        if isinstance(worker, Player):
            return {"restarts": 0, "missed": worker.missed, "unreadable": worker.source.unreadable}
        return {"restarts": 0}

    def start(self) -> None:
        """Begin to stream, or go on where `stop` left off."""
        self._session.begin()
        self._thread = threading.Thread(
            target=self._run, args=(self._thread,), name="stream", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop after the frame in hand; a device is released, a file stays where it is."""
        self._session.stop()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def update(self, settings: Settings) -> None:
        """Take over new settings, from the next frame on."""
        self._session.update(settings)

    def close(self) -> None:
        """Stop and release the source."""
        self.stop()
        if self._worker is not None:
            self._worker.close()

    def changed(self, status: Status) -> None:
        """Keep a status and pass it on if it is new."""
        if status != self.status:
            self.status = status
            self._changed(status)

    def _run(self, before: threading.Thread | None) -> None:
        if before is not None:
            # It may still be looking for a device.
            before.join()
        try:
            if self._worker is None:
                self._worker = self._make_worker()
            self._worker.run()
        except FerError as error:
            self.changed(Status(State.FAULT, str(error)))
        except BaseException as error:
            # A thread that ended in silence would leave a node that looks alive and does nothing.
            self._failed(error)

    def _make_worker(self) -> Player | Follower:
        source = self._choose()
        if isinstance(source, Device):
            return Follower(source, self._session, self, self._clock_ns)
        return Player(source, self._session, self, self._clock_ns)
