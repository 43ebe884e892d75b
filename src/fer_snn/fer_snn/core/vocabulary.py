"""Labels by the names that ROS4HRI has for expressions (hri_msgs/Expression)."""

from __future__ import annotations

from fer_snn.core.labels import ALIASES

_EXPRESSIONS = (
    "neutral angry sad happy surprised disgusted scared pleading vulnerable despaired guilty "
    "disappointed embarrassed horrified skeptical annoyed furious suspicious rejected bored tired "
    "asleep confused amazed excited"
)
_OURS = {"smile": "happy", "afraid": "scared"}

NAMES = {
    **{name: name for name in _EXPRESSIONS.split()},
    **_OURS,
    **{alias: _OURS.get(label, label) for alias, label in ALIASES.items()},
}
"""Name of every label that has one there."""
