"""Earlier states, so that what was learnt can be taken back."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from fer_common.core.errors import FerError

State = TypeVar("State")


class NothingToUndoError(FerError):
    """There are no earlier states."""


class History(Generic[State]):
    """The last so many states, each with what was about to change it."""

    def __init__(self, depth: int) -> None:
        """Keep at most `depth` states; 0 keeps none."""
        self._entries: deque[tuple[str, State]] = deque(maxlen=depth)

    @property
    def depth(self) -> int:
        """Most states that are kept; when it shrinks, the oldest go."""
        assert self._entries.maxlen is not None
        return self._entries.maxlen

    @depth.setter
    def depth(self, depth: int) -> None:
        if depth != self.depth:
            self._entries = deque(self._entries, maxlen=depth)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What can be taken back, the latest first."""
        return tuple(reason for reason, _ in reversed(self._entries))

    def push(self, reason: str, state: State) -> None:
        """Keep the state from before a change."""
        self._entries.append((reason, state))

    def pop(self, steps: int) -> State:
        """Take the last `steps` entries away and return the oldest of them.

        Raises
        ------
        NothingToUndoError
            if there are not so many; none is then taken away.
        """
        kept = len(self._entries)
        if not 1 <= steps <= kept:
            advice = f"give 1 to {kept}" if kept else "nothing was taught, loaded or reset"
            raise NothingToUndoError(f"{steps} changes cannot be taken back: {advice}")
        for _ in range(steps - 1):
            self._entries.pop()
        return self._entries.pop()[1]
