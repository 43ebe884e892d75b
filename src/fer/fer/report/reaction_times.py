"""How fast and how steadily answers follow the true labels of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

PER_S = 5.0
"""False changes are counted for this time."""


@dataclass(frozen=True)
class AnsweredFrame:
    """A frame that was answered.

    Attributes
    ----------
    stamp_ns : of its image.
    true_label : its true label, None between two expressions.
    said : its answer.
    """

    stamp_ns: int
    true_label: str | None
    said: str


@dataclass(frozen=True)
class ReactionTimes:
    """Reactions and false changes in a run.

    Attributes
    ----------
    reactions_ms : for every change of the true label that was answered, from the first frame that
        carries the new label to the first that is answered with it; 0 if it was said before.
    missed : changes of the true label that were never answered.
    false_changes_per_5_s : changes of the answer beyond those of the true label.
    """

    reactions_ms: tuple[float, ...]
    missed: int
    false_changes_per_5_s: float


def reaction_times(frames: Sequence[AnsweredFrame]) -> ReactionTimes:
    """Return how answers followed the true labels; frames in any order."""
    ordered = sorted(frames, key=lambda frame: frame.stamp_ns)
    labelled = [frame for frame in ordered if frame.true_label is not None]
    shown = [list(group) for _, group in groupby(labelled, lambda frame: frame.true_label)]
    reactions = [_reaction_ms(segment) for segment in shown[1:]]
    changes = sum(before.said != after.said for before, after in pairwise(ordered))
    duration_s = (ordered[-1].stamp_ns - ordered[0].stamp_ns) / 1e9 if ordered else 0.0
    false = max(changes - len(reactions), 0)
    return ReactionTimes(
        reactions_ms=tuple(each for each in reactions if each is not None),
        missed=reactions.count(None),
        false_changes_per_5_s=round(PER_S * false / duration_s, 3) if duration_s else 0.0,
    )


def _reaction_ms(segment: Sequence[AnsweredFrame]) -> float | None:
    right = (m.stamp_ns for m in segment if m.said == m.true_label)
    first_ns = next(right, None)
    return None if first_ns is None else (first_ns - segment[0].stamp_ns) / 1e6
