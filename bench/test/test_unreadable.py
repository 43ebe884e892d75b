"""Kinds of pictures that nobody taught, and what the shipped neurons say about them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_bench import unreadable
from fer_snn.core import familiarity
from fer_testing import untaught
from fer_testing.heads import Head, Stage
from fer_train.drawings import DRAWINGS, Picture, Points
from fer_train.familiarity import MADE_OF_FACES, Collector


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(200, 200)


@pytest.fixture(scope="module")
def seen_head(stage: Stage) -> tuple[Picture, Points]:
    """Return a head and its landmarks."""
    picture = stage.picture([Head(0, 100, 100, 110)])
    return picture, Collector().look(picture).landmarks_px


def test_no_kind_is_both_taught_and_untaught() -> None:
    taught = {**MADE_OF_FACES, **DRAWINGS}
    assert not taught.keys() & (untaught.FROM_FACES | untaught.DRAWN).keys()


def test_every_untaught_kind_is_made_of_a_folder_or_drawn(stage: Stage, tmp_path: Path) -> None:
    for person in range(4):
        picture = stage.picture([Head(person, 100, 100, 110)])
        cv2.imwrite(str(tmp_path / f"{person}.png"), picture)
    found = [name for name, _ in unreadable.seen(Collector(), tmp_path, 4, *unreadable.UNTAUGHT)]
    assert set(found) == {unreadable.FACES, *untaught.FROM_FACES, *untaught.DRAWN}
    assert found.count(unreadable.FACES) == 4


@pytest.mark.parametrize("name", untaught.FROM_FACES)
def test_pictures_are_changed_and_can_be_made_again(
    name: str, seen_head: tuple[Picture, Points]
) -> None:
    picture, landmarks_px = seen_head
    before, change = picture.copy(), untaught.FROM_FACES[name]
    first, again = (change(picture, landmarks_px, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8 and first.shape == picture.shape
    assert (first != picture).any()


def test_drawings_of_untaught_kinds_are_refused() -> None:
    collector, rng = Collector(), np.random.default_rng(2)
    drawn = [collector.look(draw(rng)) for draw in untaught.DRAWN.values() for _ in range(6)]
    fits = familiarity.shipped().fits(np.stack([each.features for each in drawn]))
    # 0.83 of 210.
    assert (fits < 0).mean() >= 0.7
