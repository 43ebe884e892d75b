"""Pixels of text, shapes, colours and faces: where they must be, and in which colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_testing.viz import grey
from fer_viz.core.drawing.canvas import Box, fill
from fer_viz.core.drawing.overlay import draw_faces
from fer_viz.core.drawing.style import DARK, LIGHT, THEMES, Style, colour_mapped, colour_table
from fer_viz.core.drawing.text import fitted, fitted_parts, width_px, write
from fer_viz.core.scene import Face, Scene

FaceMaker = Callable[..., Face]
SceneMaker = Callable[..., Scene]
Picture = npt.NDArray[np.uint8]

STYLE = Style(DARK, 1.0)


# Text and shapes


def test_text_stays_where_it_is_put() -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    advance = write(picture, "Hg 0.82", (50, 25), 11.0, (255, 255, 255))
    rows, cols = np.nonzero(picture.max(axis=2))
    assert advance == pytest.approx(width_px("Hg 0.82", 11.0))
    assert cols.min() >= 50 and cols.max() <= 50 + advance + 1
    # Capitals are 8 px high above the baseline, round figures a trace more; g reaches below.
    assert np.flatnonzero(picture.max(axis=(1, 2)) > 128).tolist() == list(range(17, 27))
    assert (rows.min(), rows.max()) == (16, 27)


@pytest.mark.parametrize("align", ["left", "centre", "right"])
def test_text_at_the_edge_is_clipped(align: str) -> None:
    for at in ((-20, 5), (199, 39), (100, 60), (300, 20)):
        write(np.zeros((40, 200, 3), np.uint8), "Clipped", at, 30.0, (9, 9, 9), align=align)  # type: ignore[arg-type]


def test_digits_are_equally_wide() -> None:
    assert len({round(width_px(digit, 20.0), 3) for digit in "0123456789"}) == 1


def test_long_text_ends_in_an_ellipsis() -> None:
    text = fitted("an expression with a very long name", 11.0, 80.0)
    assert text.endswith("…") and width_px(text, 11.0) <= 80
    assert fitted("smile", 11.0, 80.0) == "smile"
    note = "threshold 50, reset 75 mV · |: a glance begins"
    whole = width_px(note, 11.0)
    assert fitted_parts(note, 11.0, whole) == note
    assert fitted_parts(note, 11.0, 0.9 * whole) == "threshold 50, reset 75 mV"
    assert fitted_parts(note, 11.0, 0.2 * whole).endswith("…")


def test_letters_of_other_languages_and_none() -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    assert write(picture, "überrascht Ω и 驚き", (5, 25), 11.0, (255, 255, 255)) > 0
    assert write(picture, "", (5, 25), 11.0, (255, 255, 255)) == 0


def test_fill_mixes_by_opacity() -> None:
    picture = grey(20, 20)
    fill(picture, Box(5, 5, 10, 10), (190, 190, 190), 0.5)
    assert picture[10, 10].tolist() == [140] * 3
    assert picture[4, 4].tolist() == [90] * 3


def test_round_corners_leave_the_corner_pixel() -> None:
    picture = grey(20, 20)
    fill(picture, Box(0, 0, 20, 20), (200, 200, 200), radius=6)
    assert picture[0, 0].tolist() == [90] * 3
    assert picture[10, 0].tolist() == [200] * 3


# Colours


@pytest.mark.parametrize("theme", THEMES.values())
def test_labels_differ_in_colour_and_repeat_paler(theme: object) -> None:
    assert theme is DARK or theme is LIGHT
    assert len({theme.label(index) for index in range(14)}) == 14
    assert theme.label(-1) == theme.undecided


@pytest.mark.parametrize("theme", THEMES.values())
def test_diverging_map_is_monotonic_in_lightness_on_each_side(theme: object) -> None:
    assert theme is DARK or theme is LIGHT
    luma = colour_table(theme.diverging).astype(float) @ [0.114, 0.587, 0.299]
    left, right = np.diff(luma[:128]), np.diff(luma[128:])
    sign = -1 if theme is DARK else 1
    assert (sign * left >= -0.5).all() and (sign * right <= 0.5).all()


def test_mapped_takes_the_ends_beyond_the_range() -> None:
    values = np.array([-9, -1, 0, 1, 9], np.float32)
    colours = colour_mapped(values, -1, 1, DARK.diverging)
    entries = colour_table(DARK.diverging)
    assert colours[[0, 1]].tolist() == [entries[0].tolist()] * 2
    assert colours[[3, 4]].tolist() == [entries[255].tolist()] * 2
    assert colour_mapped(values[:0], -1, 1, DARK.diverging).shape == (0, 3)


# Faces


def test_box_has_the_colour_of_the_label_at_its_corners(make_face: FaceMaker) -> None:
    picture = grey()
    face = make_face(box=(214, 110, 210, 210))
    draw_faces(picture, (face,), face, 1.0, STYLE)
    colour = list(DARK.label(1))
    for y, x in ((110, 214), (110, 423), (319, 214), (319, 423), (112, 230), (300, 214)):
        assert picture[y, x].tolist() == colour, (y, x)
    # The middle is left alone, the fine edge is translucent, and the tag stands above.
    assert picture[215, 319].tolist() == [90] * 3
    assert picture[110, 319].tolist() not in (colour, [90] * 3)
    assert picture[90, 220].max() < 60
    assert np.array_equal(picture[330:], grey()[330:])


def test_undecided_is_grey(make_face: FaceMaker) -> None:
    picture = grey()
    face = make_face(label="undecided")
    draw_faces(picture, (face,), None, 1.0, STYLE)
    assert picture[110, 214].tolist() == list(DARK.undecided)


def test_boxes_scale_with_the_picture(make_face: FaceMaker) -> None:
    picture = grey(960, 1280)
    face = make_face(box=(100, 100, 50, 50))
    draw_faces(picture, (face,), face, 2.0, Style(DARK, 2.0))
    assert picture[200, 200].tolist() == list(DARK.label(1))
    assert picture[299, 299].tolist() == list(DARK.label(1))


def test_two_faces_take_their_own_colours(make_face: FaceMaker) -> None:
    picture = grey()
    first = make_face(1, "neutral", (50, 200, 100, 100))
    second = make_face(2, "surprised", (400, 200, 100, 100))
    draw_faces(picture, (first, second), second, 1.0, STYLE)
    assert picture[200, 50].tolist() == list(DARK.label(0))
    assert picture[200, 400].tolist() == list(DARK.label(2))


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(
        st.integers(-50, 700), st.integers(-50, 500), st.integers(0, 900), st.integers(0, 700)
    )
)
def test_any_box_can_be_drawn(box: tuple[int, int, int, int]) -> None:
    face = Face(id=4_000_000_000, box_px=box, label="a label that is rather long", confidence=2.0)
    draw_faces(grey(120, 160), (face,), face, 1.0, STYLE)
