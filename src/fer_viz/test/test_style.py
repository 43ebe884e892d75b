"""Colours of labels, as people with any colour vision see them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_viz.core.drawing.style import (
    DARK,
    LEAST_CONTRAST,
    LIGHT,
    Colour,
    Theme,
    contrast,
    readable,
    rgb,
)

LABELS = 8
#: Linear RGB as people see it who lack one kind of cones (Machado, Oliveira and Fernandes 2009).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colours: list[Colour]) -> np.ndarray:
    """Return colours in linear RGB, 0 to 1 (colours, 3)."""
    share = np.array(colours, float)[:, ::-1] / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Return linear RGB in CIELAB (colours, 3)."""
    share = np.clip(rgb, 0, 1)
    coded = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(coded[None].astype(np.float32), cv2.COLOR_RGB2Lab)[0]


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("vision", VISIONS)
def test_eight_labels_differ_for_everybody(theme: Theme, vision: str) -> None:
    colours = [*(theme.label(k) for k in range(LABELS)), theme.undecided]
    seen = lab(linear(colours) @ np.transpose(VISIONS[vision]))
    apart = np.linalg.norm(seen[:, None] - seen, axis=-1) + 1000 * np.eye(len(colours))
    assert apart.min() > (20 if vision == "normal" else 8)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_labels_stand_out_from_the_plots(theme: Theme) -> None:
    # Large text and graphics, by the guidelines of WCAG 2.1.
    assert min(contrast(theme.label(k), theme.plate) for k in range(LABELS)) > 3


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast(rgb("#767676"), rgb("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_all_text_can_be_read(theme: Theme) -> None:
    for ground in (theme.plate, theme.ground):
        for text in (theme.strong, theme.normal, theme.faint, theme.good, theme.warning):
            assert contrast(text, ground) >= LEAST_CONTRAST
    for index in range(-1, 2 * LABELS):
        assert contrast(theme.label_text(index), theme.plate) >= LEAST_CONTRAST
        on_band = readable(theme.strong, theme.label(index))
        assert contrast(on_band, theme.label(index)) >= LEAST_CONTRAST
