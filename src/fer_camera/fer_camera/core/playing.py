"""Plays a file or folder at its rate."""

from __future__ import annotations

from fer_camera.core.pacing import Clock, Pacer
from fer_camera.core.parameters import Settings
from fer_camera.core.session import Frame, Session, Sink, State, Status
from fer_camera.core.sources import Source
from fer_common.core.images import Pixels

_DAY_S = 86400.0


class Player:
    """Gives the frames of a source when they are due, one decoded ahead; can be stopped and go on.

    Parameters
    ----------
    source : an open source.
    session : settings and the wish to stop.
    sink : takes frames and states.
    clock_ns : clock of the stamps.
    """

    def __init__(self, source: Source, session: Session, sink: Sink, clock_ns: Clock) -> None:
        self.source = source
        self._session = session
        self._sink = sink
        self._clock_ns = clock_ns
        self._ahead: Pixels | None = None
        self._index = 0
        self._loop = 0
        #: Periods in which no frame could be given in time.
        self.missed = 0

    def run(self) -> None:
        """Play until the session stops.

        Raises
        ------
        ConfigurationError
            if the source cannot be begun again.
        """
        session = self._session
        while not session.stopping:
            if not self._advance():
                self._sink.changed(Status(State.ENDED, f"source ended: {self.source.name}"))
                session.wait(_DAY_S, session.settings)
            else:
                self._play()

    def close(self) -> None:
        """Release the source."""
        self.source.close()

    def _play(self) -> None:
        """Give frames until the end of the source, beginning with the one that is decoded."""
        session = self._session
        pacer = Pacer(self._rate_hz(session.settings), self._clock_ns)
        before = self.missed
        self._sink.changed(Status(State.STREAMING, f"playing {self.source.name}"))
        while not session.stopping and self._advance():
            settings = session.settings
            pacer.rate_hz = self._rate_hz(settings)
            if (wait_s := pacer.wait_s()) > 0:
                session.wait(wait_s, settings)
                continue
            self._give(pacer.take())
            self.missed = before + pacer.missed

    def _rate_hz(self, settings: Settings) -> float:
        return settings.rate or self.source.rate_hz

    def _advance(self) -> bool:
        """Have the next frame decoded; False at the end of a source that does not loop."""
        if self._ahead is None:
            self._ahead = self.source.read()
        if self._ahead is None and self._session.settings.loop:
            self.source.open()
            self._loop += 1
            self._index = 0
            self._ahead = self.source.read()
        return self._ahead is not None

    def _give(self, stamp_ns: int) -> None:
        assert self._ahead is not None
        frame = Frame(self._ahead, stamp_ns, self.source.name, self._index, self._loop)
        self._ahead = None
        self._index += 1
        self._sink.emit(frame)
