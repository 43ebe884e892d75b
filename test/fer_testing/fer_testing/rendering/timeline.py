"""What the demo clip shows when: people one after the other, each with two expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fer_testing.rendering.facs import LABELS

RATE_HZ = 30.0
PEOPLE = 7
"""Number of people in the clip, one after the other."""
EXPRESSIONS = LABELS[1:]
EACH = 2
"""Number of expressions of a person. Person k shows those from number 2k on, in a circle."""

_FIRST_FRAMES, _NEUTRAL_FRAMES, _EXPRESSION_FRAMES = 27, 18, 36
PERSON_FRAMES = _FIRST_FRAMES + EACH * _EXPRESSION_FRAMES + (EACH - 1) * _NEUTRAL_FRAMES
"""Number of frames of a person."""
_PACE = 0.22
"""Share of the way to the next expression that the face goes in a frame."""
_NEUTRAL_BELOW, _SHOWN_ABOVE = 0.15, 0.75


def moments(person: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the label, and how far each expression is shown, in each frame of a person."""
    shown = dict.fromkeys(EXPRESSIONS, 0.0)
    for aim, count in _sections(person):
        for _ in range(count):
            for name in shown:
                shown[name] += _PACE * (float(name == aim) - shown[name])
            yield label_of(shown), dict(shown)


def label_of(shown: Mapping[str, float]) -> str:
    """Return the label of a frame by how far each expression is shown, 0 to 1."""
    most = max(shown, key=lambda name: shown[name])
    if shown[most] < _NEUTRAL_BELOW:
        return "neutral"
    return most if shown[most] > _SHOWN_ABOVE else "transition"


def _sections(person: int) -> Iterator[tuple[str, int]]:
    for k in range(EACH):
        yield "neutral", _NEUTRAL_FRAMES if k else _FIRST_FRAMES
        yield EXPRESSIONS[(EACH * person + k) % len(EXPRESSIONS)], _EXPRESSION_FRAMES
