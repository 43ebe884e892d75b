"""Facial action units (FACS) as shapes of the mesh, and the expressions as combinations of them.

Ekman, Friesen & Hager (2002), Facial Action Coding System; the combinations are those of EMFACS
(Friesen & Ekman 1983).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def _units(text: str) -> Mapping[str, float]:
    """Return the shares of units written as `1 2*0.5 12R`."""
    pairs = (unit.partition("*") for unit in text.split())
    return {unit: float(share or 1) for unit, _, share in pairs}


#: Shapes of each action unit at full strength. `#` stands for Left and Right.
SHAPES: Mapping[int, Mapping[str, float]] = {
    1: {"browInnerUp": 1.4, "browInnerRaise#": 0.7},
    2: {"browOuterUp#": 1.3},
    4: {"browDown#": 0.5, "browInnerDown#": 1.1},
    5: {"eyeWide#": 1.8},
    6: {"cheekSquint#": 0.8, "eyeSquint#": 0.5},
    7: {"eyeSquint#": 1.0, "eyeBlink#": 0.06},
    # The shape lowers the brow like AU4; the rest keeps a disgusted face from looking angry.
    9: {"noseSneer#": 2.6, "browDown#": -0.5, "browInnerDown#": -0.9},
    10: {"mouthUpperUp#": 1.7, "noseSneer#": 0.6},
    12: {"mouthSmile#": 1.15},
    14: {"mouthDimple#": 1.7, "mouthPress#": 0.4},
    15: {"mouthFrown#": 2.0},
    16: {"mouthLowerDown#": 1.3},
    17: {"mouthShrugLower": 1.3, "mouthShrugUpper": 0.5},
    18: {"mouthPucker": 1.2},
    20: {"mouthStretch#": 2.1},
    22: {"mouthFunnel": 0.8},
    23: {"mouthRollUpper": 0.45, "mouthRollLower": 0.7, "mouthPucker": 0.35},
    24: {"mouthPress#": 0.6, "mouthRollUpper": 0.35, "mouthRollLower": 0.5},
    25: {"mouthUpperUp#": 0.5, "mouthLowerDown#": 0.8},
    26: {"jawOpen": 0.5},
    27: {"jawOpen": 0.9},
    43: {"eyeBlink#": 1.0},
}

#: The combinations that stand for each label, the most typical first. Units that oppose each other
#: have a share: AU4 draws raised brows together and does not lower them.
PROTOTYPES: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "neutral": (_units(""),),
    "smile": tuple(map(_units, ("6 12", "6 12 25", "6 12 25 26", "12", "12 25"))),
    "surprised": tuple(map(_units, ("1 2 5 26", "1 2 5 27", "1 2 5 25 26"))),
    "sad": tuple(map(_units, ("1 4*0.35 15", "1 4*0.35 15 17", "1 15 17", "1 4*0.35 6*0.4 15"))),
    "angry": tuple(
        map(_units, ("4 5 7 23", "4 7 24", "4 5 7 17*0.5 24", "4 5 7 10*0.7 16 25 26*0.5"))
    ),
    "disgusted": tuple(
        map(_units, ("9 15 16", "9 10 17", "9 10 16 25", "7*0.5 10 15*0.5 17", "9 10 15"))
    ),
    "afraid": tuple(
        map(
            _units,
            (
                "1 2*0.5 4*0.6 5 20 25 26*0.6",
                "1 2*0.5 4*0.6 5 20 25",
                "1 2*0.5 4*0.6 5 7*0.3 20 26*0.6",
            ),
        )
    ),
    "contempt": tuple(map(_units, ("12R*0.8 14R", "12L*0.8 14L", "12R*0.5 14R", "12L*0.5 14L"))),
}

LABELS = tuple(PROTOTYPES)

#: Units that may come with a label and leave it what it is.
COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "neutral": ("2", "7", "25", "26", "26", "17", "43"),
    "smile": ("2", "7", "26", "14", "43"),
    "surprised": ("25", "22", "7"),
    "sad": ("7", "25", "43"),
    "angry": ("17",),
    "disgusted": ("7", "17"),
    "afraid": ("26", "16"),
    "contempt": ("7", "2R", "2L", "17"),
}


def parsed(unit: str) -> tuple[int, str]:
    """Return number and side (`L`, `R` or empty) of a unit."""
    side = unit[-1] if unit[-1] in "LR" else ""
    return int(unit.removesuffix(side)), side


def side_strengths(units: Mapping[str, float], number: int) -> tuple[float, float]:
    """Return the strength of a unit on the left and on the right."""
    both = units.get(f"{number}", 0.0)
    return both + units.get(f"{number}L", 0.0), both + units.get(f"{number}R", 0.0)


def shapes(units: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of the mesh's shapes for action units of these strengths."""
    weights: dict[str, float] = {}
    for unit, strength in units.items():
        number, side = parsed(unit)
        for name, gain in SHAPES[number].items():
            names = [name]
            if "#" in name:
                sides = {"L": ["Left"], "R": ["Right"], "": ["Left", "Right"]}[side]
                names = [name.replace("#", word) for word in sides]
            for one in names:
                weights[one] = weights.get(one, 0.0) + gain * strength
    return weights


def expression(
    label: str, rng: np.random.Generator, low: float = 0.5, high: float = 1.0
) -> dict[str, float]:
    """Return action units of a label with random strengths, asymmetry and companions.

    Parameters
    ----------
    low, high : the range of the strengths.
    """
    choices = PROTOTYPES[label]
    strength = rng.uniform(low, high)
    units: dict[str, float] = {}
    for unit, share in choices[rng.integers(len(choices))].items():
        # Units of one face are about equally strong.
        own = share * float(np.clip(strength + rng.uniform(-0.2, 0.2), low, high))
        number, side = parsed(unit)
        if side:
            units[unit] = own
            continue
        tilt = float(np.clip(rng.normal(0, 0.1), -0.25, 0.25))
        units[f"{number}L"] = own * (1 + tilt)
        units[f"{number}R"] = own * (1 - tilt)
    if rng.random() < COMPANY:
        companion = COMPANIONS[label][rng.integers(len(COMPANIONS[label]))]
        units[companion] = units.get(companion, 0.0) + float(rng.uniform(0.1, 0.45))
    return units


COMPANY = 0.5
"""Share of the faces with a companion."""
