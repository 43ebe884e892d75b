"""Several people before the whole core: as many ids as heads, and none of them swapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, sin

import numpy as np
import pytest

from fer_features.core.pipeline import FaceObservation, FeaturePipeline
from fer_testing.heads import Head, Picture, Stage

FRAME_NS = 33_333_333
FIRST_ROUND = 9
"""Frames in which all of the picture was searched."""


def two_crossing(k: int) -> list[Head]:
    """Two people walk past each other; the second hides the first for more than half a second."""
    return [Head(0, 470 - 3 * k, 230, 120, k), Head(1, 170 + 3 * k, 240, 120, k)]


def four_crossing(k: int) -> list[Head]:
    """Two pairs at different speeds."""
    upper = [Head(0, 80 + 5 * k, 120, 90, k), Head(1, 560 - 5 * k, 135, 90, k)]
    return [*upper, Head(2, 80 + 4 * k, 330, 90, k), Head(3, 560 - 4 * k, 345, 90, k)]


def eight_far(k: int) -> list[Head]:
    """Eight people of 60 px, none of them still."""
    return [
        Head(
            p,
            100 + 145 * (p % 4) + 14 * sin(k / 15 + p),
            120 + 210 * (p // 4) + 10 * cos(k / 11 + p),
            60,
            k,
        )
        for p in range(8)
    ]


def one_behind_a_pillar(k: int) -> list[Head]:
    return [Head(0, 200 + 0.8 * k, 220, 110, k), Head(2, 440, 240, 110, k)]


def pillar(picture: Picture, k: int) -> None:
    """Hide the left half for half a second."""
    if 30 <= k < 45:
        picture[:, 100:340] = 90


def nothing(picture: Picture, k: int) -> None:
    """Hide nothing."""


@dataclass
class Audience:
    """Knows who is who.

    Attributes
    ----------
    heads_of : the heads that each id was seen on.
    missed : how many faces in full view were not observed after the first round.
    """

    heads_of: dict[int, set[int]] = field(default_factory=dict)
    missed: int = 0

    def watch(self, k: int, heads: list[Head], faces: list[FaceObservation]) -> None:
        """Note on which head each face is, but where two heads are too near to tell."""
        middles = np.array([(head.x, head.y) for head in heads])
        for face in faces:
            roi = face.roi
            middle = (roi.x + roi.width / 2, roi.y + roi.height / 2)
            distances = np.hypot(*(middles - middle).T)
            seen, size = self.heads_of.setdefault(face.id, set()), heads[0].size
            assert distances.min() < 0.4 * size
            if np.sum(distances < size) == 1:
                seen.add(int(distances.argmin()))
        if k >= FIRST_ROUND:
            self.missed += len(heads) - len(faces)


@pytest.mark.parametrize(
    ("act", "frames", "hide", "missed"),
    [
        (two_crossing, 100, nothing, 30),
        (four_crossing, 95, nothing, 40),
        (eight_far, 40, nothing, 0),
        (one_behind_a_pillar, 60, pillar, 20),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_head_has_one_id(
    act: Callable[[int], list[Head]], frames: int, hide: Callable[[Picture, int], None], missed: int
) -> None:
    stage, pipeline, audience = Stage(), FeaturePipeline(), Audience()
    for k in range(frames):
        heads = act(k)
        picture = stage.picture(heads)
        hide(picture, k)
        audience.watch(k, heads, pipeline.process(picture, k * FRAME_NS))
    assert sorted(audience.heads_of.values(), key=min) == [{h} for h in range(len(heads))]
    # Hidden ones are not seen; all others are, in every frame.
    assert audience.missed <= missed
