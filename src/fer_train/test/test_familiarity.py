"""Pictures in which nothing can be read, and the neurons that are taught with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fer_snn.core.familiarity import Familiarity
from fer_snn.core.neurons.encoding import mirrored
from fer_testing.heads import Head, Stage
from fer_testing.networks import ORIENTATIONS, SHAPE, SPEC
from fer_train import familiarity
from fer_train.drawings import DRAWINGS, SIDE_PX, Picture, Points
from fer_train.familiarity import MADE_OF_FACES, Collector, Examples
from fer_train.unreadable import SPOILT

RNG_SEED = 3


def examples(centre: float, number: int, rng: np.random.Generator) -> Examples:
    maps = [each.astype(np.float32) for each in rng.normal(centre, 1, (number, *SHAPE))]
    return Examples(maps[: number // 2], maps[number // 2 :])


def refused(neurons: Familiarity, kinds: Sequence[Examples]) -> list[float]:
    return [float((neurons.fits(np.stack(kind.held_out)) < 0).mean()) for kind in kinds]


def test_the_neurons_tell_faces_from_others() -> None:
    rng = np.random.default_rng(RNG_SEED)
    faces = [examples(0.0, 400, rng), examples(0.3, 400, rng)]
    others = [examples(1.5, 100, rng), examples(-1.5, 100, rng)]
    neurons = familiarity.teach(faces, others[:1], SPEC)
    assert np.mean(refused(neurons, faces)) <= familiarity.REFUSED
    held_out = np.concatenate([kind.held_out for kind in faces])
    fits = neurons.fits(held_out)
    assert fits.std() == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(neurons.fits(mirrored(held_out, ORIENTATIONS)), fits, atol=1e-3)
    assert refused(neurons, others)[0] > 0.95
    # Kinds on opposite sides of the faces, which no single linear neuron could tell from them.
    both = familiarity.teach(faces, others, SPEC)
    assert np.mean(refused(both, faces)) <= familiarity.REFUSED
    assert min(refused(both, others)) > 0.95


def test_a_kind_that_is_like_faces_is_refused_as_often_as_others() -> None:
    rng = np.random.default_rng(RNG_SEED)
    faces, others = [examples(0.0, 2000, rng)], [examples(c, 400, rng) for c in (0.3, -0.6)]
    neurons = familiarity.teach(faces, others, SPEC)
    assert refused(neurons, faces)[0] <= familiarity.REFUSED
    like, unlike = refused(neurons, others)
    assert 0.5 < like < unlike


def test_a_kind_that_is_face_like_costs_few_faces() -> None:
    rng = np.random.default_rng(RNG_SEED)
    faces, others = [examples(0.0, 4000, rng)], [examples(1.5, 100, rng)]
    like = [examples(0.2, 400, rng)]
    alone = familiarity.teach(faces, others, SPEC)
    both = familiarity.teach(faces, others, SPEC, like)
    np.testing.assert_array_equal(both.weights[:1], alone.weights)
    assert refused(both, faces)[0] <= familiarity.REFUSED
    by_like = both(np.stack(faces[0].held_out)) @ both.weights[1] + both.bias[1] < 0
    assert by_like.mean() <= familiarity.REFUSED_BY_EACH + 1 / 2000
    assert refused(both, like)[0] > refused(alone, like)[0]


@pytest.fixture(scope="module")
def seen_head() -> tuple[Picture, Points]:
    """Return a head and its landmarks."""
    picture = Stage(200, 200).picture([Head(0, 100, 100, 110)])
    return picture, Collector().look(picture).landmarks_px


@pytest.mark.parametrize("name", MADE_OF_FACES)
def test_faces_are_spoilt_where_their_landmarks_are(
    name: str, seen_head: tuple[Picture, Points]
) -> None:
    picture, landmarks_px = seen_head
    before = picture.copy()
    spoilt = MADE_OF_FACES[name](picture, landmarks_px, np.random.default_rng(RNG_SEED))
    np.testing.assert_array_equal(picture, before)
    assert spoilt.dtype == np.uint8 and spoilt.shape[2:] == (3,)
    right, left, nose, mouth = landmarks_px[:4]
    height, width = spoilt.shape[:2]
    if name == "cut below the nose":
        assert nose[1] < height < mouth[1] and width == 200
    elif name == "cut below the eyes":
        assert max(right[1], left[1]) < 200 - height < nose[1] and width == 200
    elif name == "cut in half":
        assert right[0] < min(width, 200 - width) <= max(width, 200 - width) < left[0]
        assert height == 200
    else:
        changed = np.abs(spoilt.astype(int) - picture).max(axis=2) > 0
        covered = {
            where: changed[tuple(np.rint(at).astype(int)[::-1])]
            for where, at in (("eye", right), ("mouth", mouth))
        }
        everywhere = not any(word in name for word in ("glasses", "mask", "over", "before"))
        assert covered["eye"] == (everywhere or "glasses" in name or "eyes" in name)
        assert covered["mouth"] == (everywhere or "mask" in name or "mouth" in name)


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_differ_and_can_be_drawn_again(name: str) -> None:
    draw = DRAWINGS[name]
    first, again = (draw(np.random.default_rng(RNG_SEED)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (SIDE_PX, SIDE_PX, 3)
    assert (draw(np.random.default_rng(RNG_SEED + 1)) != first).any()


def test_the_shipped_neurons_refuse_spoilt_heads_and_knows_whole_ones() -> None:
    """The heads of the demo clip, which it was not taught with."""
    collector, neurons = Collector(), familiarity.familiarity.shipped()
    rng = np.random.default_rng(RNG_SEED)
    stage = Stage(200, 200)
    whole, spoilt = [], []
    for person in range(6):
        picture = stage.picture([Head(person, 100, 100, 110, 30)])
        face = collector.look(picture)
        whole.append(face.features)
        for spoil in SPOILT.values():
            spoilt.append(collector.look(spoil(picture, face.landmarks_px, rng)).features)
    drawn = [collector.look(draw(rng)).features for draw in DRAWINGS.values() for _ in range(6)]
    assert (neurons.fits(np.stack(whole)) >= 0).mean() >= 0.8
    assert (neurons.fits(np.stack([*spoilt, *drawn])) < 0).mean() >= 0.8
