"""Disturbances do what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from fer_train.disturbances import DISTURBANCES, Disturbance

BY_NAME = {each.name: each for each in DISTURBANCES}
EYES = np.array([[40.0, 50.0], [83.0, 50.0]])


def changed(name: str, picture: np.ndarray) -> np.ndarray:
    return BY_NAME[name].change(picture, np.random.default_rng(0))


def test_a_face_is_scaled_to_its_width_but_never_up() -> None:
    assert BY_NAME["face 60 px wide"].scale(EYES) == pytest.approx(0.6)
    assert BY_NAME["face 60 px wide"].scale(EYES / 4) == 1.0
    assert Disturbance("nothing").scale(EYES) == 1.0


def test_eyes_move_together_and_within_the_jitter() -> None:
    off = [BY_NAME["box off by up to 10 %"].moved(EYES, np.random.default_rng(s)) for s in range(9)]
    shifts = np.array(off) - EYES
    assert np.ptp(shifts, axis=1).max() == pytest.approx(0, abs=1e-12)
    assert 5 < np.abs(shifts).max() <= 10
    np.testing.assert_array_equal(
        Disturbance("nothing").moved(EYES, np.random.default_rng(0)), EYES
    )


def test_rolls_are_opposite_and_keep_the_middle() -> None:
    picture = np.zeros((51, 51, 3), np.uint8)
    picture[25, 40] = 255
    there, back = (
        changed("rolled by 30 degrees", picture),
        changed("rolled by -30 degrees", picture),
    )
    rows = [np.argwhere(each[..., 0] == each.max())[0] - 25 for each in (there, back)]
    assert rows[0] == pytest.approx([-7.5, 13.0], abs=0.8)
    assert rows[1] == pytest.approx([7.5, 13.0], abs=0.8)


def test_gamma_noise_and_compression() -> None:
    grey = np.full((64, 64, 3), 64, np.uint8)
    assert changed("gamma 2", grey)[0, 0, 0] == 16
    assert changed("gamma 0.5", grey)[0, 0, 0] == 128
    noisy = changed("noise, sigma 10", grey).astype(float)
    assert (noisy.mean(), noisy.std()) == pytest.approx((64, 10), abs=0.5)
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 29:] = 255
    assert 0 < np.abs(changed("JPEG quality 30", edge).astype(int) - edge).max() < 128
