"""Pictures in which nothing can be read, and the neuron that is taught with them."""

from __future__ import annotations

import numpy as np
import pytest

from fer_testing.heads import Head, Stage
from fer_train import familiarity, unreadable
from fer_train.familiarity import Collector, Examples

RNG_SEED = 3


def examples(centre: float, number: int, rng: np.random.Generator) -> Examples:
    maps = [each.astype(np.float32) for each in rng.normal(centre, 1, (number, 2, 3, 3))]
    return Examples(maps[: number // 2], maps[number // 2 :])


def test_the_neuron_tells_faces_from_others() -> None:
    rng = np.random.default_rng(RNG_SEED)
    faces = [examples(0.0, 400, rng), examples(0.3, 400, rng)]
    others = [examples(1.5, 100, rng), examples(-1.5, 100, rng)]
    neuron = familiarity.teach(faces, others[:1], "spec")
    held_out = [neuron.fits(np.stack(kind.held_out)) for kind in (*faces, *others)]
    assert max((each < 0).mean() for each in held_out[:2]) <= familiarity.REJECTED + 0.005
    assert np.concatenate(held_out[:2]).std() == pytest.approx(1, rel=1e-3)
    assert (held_out[2] < 0).mean() > 0.95
    # Only what was learnt is known to be no face.
    assert (held_out[3] < 0).mean() < 0.05


@pytest.mark.parametrize("name", unreadable.SPOILT)
def test_faces_are_spoilt_where_their_landmarks_are(name: str) -> None:
    picture = Stage(200, 200).picture([Head(0, 100, 100, 110)])
    face = Collector().look(picture)
    before = picture.copy()
    rng = np.random.default_rng(RNG_SEED)
    spoilt = unreadable.SPOILT[name](picture, face.landmarks_px, rng)
    np.testing.assert_array_equal(picture, before)
    assert spoilt.dtype == np.uint8 and spoilt.shape[1:] == (200, 3)
    if name == "cut below the nose":
        assert face.landmarks_px[2, 1] < len(spoilt) < face.landmarks_px[3, 1]
        return
    changed = np.abs(spoilt.astype(int) - picture).max(axis=2) > 0
    eye, mouth = (tuple(np.rint(face.landmarks_px[k]).astype(int)[::-1]) for k in (0, 3))
    assert changed[eye] == (name in ("sunglasses", "upside down"))
    assert changed[mouth] == (name in ("mask", "upside down"))


@pytest.mark.parametrize("name", unreadable.DRAWINGS)
def test_drawings_differ_and_can_be_drawn_again(name: str) -> None:
    draw = unreadable.DRAWINGS[name]
    first, again = (draw(np.random.default_rng(RNG_SEED)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (unreadable.SIDE_PX, unreadable.SIDE_PX, 3)
    assert (draw(np.random.default_rng(RNG_SEED + 1)) != first).any()


def test_the_shipped_neuron_refuses_spoilt_heads_and_knows_whole_ones() -> None:
    """The heads of the demo clip, which it was not taught with."""
    collector, neuron = Collector(), familiarity.familiarity.shipped()
    rng = np.random.default_rng(RNG_SEED)
    stage = Stage(200, 200)
    whole, spoilt = [], []
    for person in range(6):
        picture = stage.picture([Head(person, 100, 100, 110, 30)])
        face = collector.look(picture)
        whole.append(face.features)
        for spoil in unreadable.SPOILT.values():
            spoilt.append(collector.look(spoil(picture, face.landmarks_px, rng)).features)
    drawn = [
        collector.look(draw(rng)).features
        for draw in unreadable.DRAWINGS.values()
        for _ in range(6)
    ]
    assert (neuron.fits(np.stack(whole)) >= 0).mean() >= 0.8
    assert (neuron.fits(np.stack([*spoilt, *drawn])) < 0).mean() >= 0.8
