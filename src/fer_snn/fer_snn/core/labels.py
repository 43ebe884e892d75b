"""Names of expressions. Any folder name can be a label; tables join names for the same one."""

from __future__ import annotations

UNDECIDED = "undecided"
"""What the network answers when it cannot decide. This is not a label."""

MAX_LABEL_LENGTH = 40
"""Maximum number of characters in the name of a new label."""

ALIASES = {
    "happy": "smile",
    "happiness": "smile",
    "smiling": "smile",
    "surprise": "surprised",
    "anger": "angry",
    "sadness": "sad",
    "fear": "afraid",
    "fearful": "afraid",
    "disgust": "disgusted",
}
"""Other names of a label, in lower case."""

_HRI_EXPRESSIONS = (
    "neutral angry sad happy surprised disgusted scared pleading vulnerable despaired guilty "
    "disappointed embarrassed horrified skeptical annoyed furious suspicious rejected bored tired "
    "asleep confused amazed excited"
)
_OURS = {"smile": "happy", "afraid": "scared"}

HRI_NAMES = {
    **{name: name for name in _HRI_EXPRESSIONS.split()},
    **_OURS,
    **{alias: _OURS.get(label, label) for alias, label in ALIASES.items()},
}
"""Name in ROS4HRI (hri_msgs/Expression) of every label that has one."""


def canonical(name: str) -> str:
    """Return the label for a name from a folder or a table."""
    lowered = name.strip().lower()
    return ALIASES.get(lowered, lowered)


def is_label(name: str) -> bool:
    """Return whether `name` can be the name of a new label."""
    return name.isprintable() and 0 < len(name) <= MAX_LABEL_LENGTH and name != UNDECIDED
