"""Names of expressions: any folder name is a label, this table joins names for the same one."""

from __future__ import annotations

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


def canonical(name: str) -> str:
    """Return the label that a folder or a table calls `name`."""
    lowered = name.strip().lower()
    return ALIASES.get(lowered, lowered)
