"""Random people: shape, skin, hair, of every skin tone, gender and age.

Training and testing never meet in one identity: three shapes (widths of head, nose and mouth) are
never near 0, and the product of their signs is positive in training and negative in testing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_testing.rendering.looks import Colour, Person
from fer_testing.rendering.mesh import mesh

Generator = np.random.Generator
T = TypeVar("T")


class Region(Enum):
    """Part of the space of identities: the sign of the product of `SPLIT_BY`."""

    TRAINING = 1
    TESTING = -1


SPLIT_BY = ("head_width", "nose_width", "mouth_width")
_GAP = 0.25
"""Least amount of each shape of `SPLIT_BY`."""

SKINS = ("very_dark", "dark", "medium", "light", "very_light")
GENDERS = ("female", "male")
AGES = ("young", "middle", "old")

_SKIN_RAMP = np.array(
    [
        (0.26, 0.170, 0.135),
        (0.38, 0.250, 0.185),
        (0.58, 0.410, 0.310),
        (0.80, 0.620, 0.500),
        (0.96, 0.820, 0.740),
    ]
)
_AGE_RANGES = {"young": (0.0, 0.25), "middle": (0.35, 0.6), "old": (0.75, 1.0)}
_DARK_HAIR = ((0.04, 0.035, 0.035), (0.09, 0.06, 0.05), (0.20, 0.13, 0.08))
_LIGHT_HAIR = ((0.35, 0.22, 0.12), (0.62, 0.45, 0.24), (0.50, 0.22, 0.10))
_GREY_HAIR = ((0.45, 0.44, 0.43), (0.75, 0.74, 0.72))
_BROWN_EYES = ((0.15, 0.09, 0.06), (0.22, 0.13, 0.08))
_LIGHT_EYES = ((0.30, 0.42, 0.50), (0.28, 0.42, 0.30), (0.38, 0.42, 0.44))
_HEAD_SHAPES = (
    *("head_oval", "head_round", "head_square", "head_rectangular"),
    *("head_triangular", "head_inverted", "head_diamond"),
)
_EITHER_WAY = (
    *("head_fat", "forehead_height", "brow_height", "brow_angle"),
    *("eye_size", "eye_opening", "eye_slant", "eye_distance"),
    *("nose_length", "nose_hump", "nose_point", "nose_volume"),
    *("mouth_height", "upper_lip", "lower_lip", "ear_size"),
    *("chin_width", "chin_height", "chin_prominence", "jaw_drop", "cheek_volume", "cheek_bones"),
)


@dataclass(frozen=True)
class Group:
    """What a person is like: one of `SKINS`, of `GENDERS` and of `AGES`."""

    skin: str
    gender: str
    age: str


def balanced_groups(count: int, rng: Generator) -> list[Group]:
    """Return groups of people, with each skin, each gender and each age equally often."""
    columns = [evenly(count, names, rng) for names in (SKINS, GENDERS, AGES)]
    return [Group(*names) for names in zip(*columns, strict=True)]


def crossed_groups(counts: Mapping[str, int], rng: Generator) -> list[Group]:
    """Return groups of people in random order: each gender and age equally often in each skin.

    Parameters
    ----------
    counts : number of people of each skin.
    """
    both = tuple(product(GENDERS, AGES))
    groups = [Group(skin, *of) for skin, count in counts.items() for of in evenly(count, both, rng)]
    return [groups[k] for k in rng.permutation(len(groups))]


def evenly(count: int, names: Sequence[T], rng: Generator) -> list[T]:
    """Return names in random order, each equally often (up to one)."""
    return [names[k] for k in rng.permutation(np.arange(count) % len(names))]


def random_person(group: Group, region: Region, rng: Generator) -> Person:
    """Return a random person of a group and a region."""
    tone = (SKINS.index(group.skin) + rng.random()) / len(SKINS)
    african, asian, caucasian = 2 * (1 - tone) ** 2 + 0.15, 0.8, 2 * tone**2 + 0.15
    race = rng.dirichlet(np.array([african, asian, caucasian])).astype(np.float32)
    male = group.gender == "male"
    gender = rng.uniform(0.8, 1.0) if male else rng.uniform(0.0, 0.2)
    age = float(rng.uniform(*_AGE_RANGES[group.age]))
    details = random_details(race, age, region, rng)
    skin = _skin(tone, rng)
    bald = male and rng.random() < 0.15
    long_hair = not bald and rng.random() < (0.08 if male else 0.75)
    beard = rng.uniform(0.4, 0.95) if male and rng.random() < 0.4 else 0.0
    lipstick = not male and rng.random() < 0.4
    return Person(
        vertices=mesh().identity(race, gender, age, details),
        age=age,
        skin=skin,
        hair=_hair(tone, age, rng),
        iris=_one(_LIGHT_EYES if rng.random() < 0.7 * tone**2 else _BROWN_EYES, rng),
        lips=_lips(skin, lipstick, rng),
        shirt=_colour(rng.uniform(0.1, 0.9, 3)),
        hairline=rng.uniform(0.5, 0.6) + (0.25 * age * rng.random() if male else 0.0),
        hair_thickness=0.0 if bald else rng.uniform(0.05, 0.24),
        long_hair=bool(long_hair),
        beard=float(beard),
        brow=rng.uniform(0.8, 1.35) if male else rng.uniform(0.55, 1.0),
    )


def random_details(
    race: NDArray[np.float32], age: float, region: Region, rng: Generator
) -> dict[str, float]:
    """Return random weights of `Mesh.detail_names` for an identity of a region.

    Parameters
    ----------
    race, age : as for `Mesh.identity`.
    """
    african, asian, _ = race
    details = {name: float(np.clip(rng.normal(0, 0.3), -0.7, 0.7)) for name in _EITHER_WAY}
    signs = rng.choice([-1, 1], len(SPLIT_BY))
    signs[-1] *= region.value * signs.prod()
    amounts = rng.uniform(_GAP, 0.9, len(SPLIT_BY))
    details |= {n: float(s * a) for n, s, a in zip(SPLIT_BY, signs, amounts, strict=True)}
    details |= {name: rng.uniform(0, 0.5) for name in rng.choice(_HEAD_SHAPES, 2, replace=False)}
    details["upper_lip"] += 0.3 * african
    details["lower_lip"] += 0.3 * african
    details["mouth_corners"] = float(np.clip(rng.normal(0, 0.15), -0.3, 0.3))
    details["eye_fold"] = asian * rng.uniform(0, 1)
    details["eye_bag"] = 0.6 * age * rng.random()
    details["head_age"] = 0.6 * age * rng.random()
    details["laugh_lines"] = 0.5 * age * rng.random()
    return details


def _skin(tone: float, rng: Generator) -> Colour:
    place = tone * (len(_SKIN_RAMP) - 1)
    known = np.arange(len(_SKIN_RAMP))
    skin = np.array([np.interp(place, known, channel) for channel in _SKIN_RAMP.T])
    return _colour(skin * rng.normal(1, 0.03, 3))


def _hair(tone: float, age: float, rng: Generator) -> Colour:
    if rng.random() < age**2:
        return _one(_GREY_HAIR, rng)
    return _one(_LIGHT_HAIR if rng.random() < 0.6 * tone**2 else _DARK_HAIR, rng)


def _lips(skin: Colour, lipstick: bool, rng: Generator) -> Colour:
    if lipstick:
        return _colour(
            np.array([rng.uniform(0.5, 0.8), rng.uniform(0.1, 0.3), rng.uniform(0.15, 0.35)])
        )
    return _colour(np.array(skin) * [0.9, 0.62, 0.62] + np.array([0.05, 0.0, 0.01]))


def _one(colours: tuple[Colour, ...], rng: Generator) -> Colour:
    return _colour(np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.85, 1.15))


def _colour(channels: NDArray[np.float64]) -> Colour:
    red, green, blue = np.clip(channels, 0.01, 1).tolist()
    return red, green, blue
