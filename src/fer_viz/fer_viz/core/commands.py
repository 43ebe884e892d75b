"""What the buttons ask for, and what was answered. Neither Qt nor ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

#: Seconds of the images' stamps that one press on a label teaches.
TEACH_S = 2.0
LEARNING_MODES = ("off", "unsupervised", "supervised")


class Note(NamedTuple):
    """A sentence for the user: what was done, or why it was not."""

    text: str
    good: bool


class Commands(Protocol):
    """Requests to the graph. None of them waits; what comes of them is told by `notes`."""

    def teach(self, label: str, face_id: int, new_label: bool = False) -> None:
        """Learn that a face (0: the largest) shows an expression, for `TEACH_S` seconds."""

    def set_learning(self, mode: str) -> None:
        """Learn in one of `LEARNING_MODES`."""

    def save_weights(self, name: str) -> None:
        """Keep the weights under a name."""

    def load_weights(self, name: str) -> None:
        """Take the weights of a name; "default" is the model in the package."""

    def reset(self, weights: bool) -> None:
        """Put potentials and answers back, and the weights too if wanted."""

    def publish_layers(self, layers: Sequence[str]) -> None:
        """Ask for spikes and potentials of layers besides the expression layer."""

    def notes(self) -> list[Note]:
        """Return what has come of requests since the last call."""
