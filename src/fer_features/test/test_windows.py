"""Windows of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_features.core.windows import Window, half_size_windows, whole_picture, windows_around

sides = st.integers(1, 2000)
boxes = st.lists(
    st.tuples(
        st.floats(-100, 2000), st.floats(-100, 2000), st.floats(5, 500), st.floats(5, 500)
    ).map(np.array),
    min_size=1,
    max_size=8,
)


@given(sides, sides)
def test_whole_picture_holds_every_box(width: int, height: int) -> None:
    window = whole_picture(width, height)
    assert window.side == max(width, height)
    assert window.meets(width, height)
    assert window.holds(np.array([-5.0, -5.0, width + 10.0, height + 10.0]), width, height)


@given(sides, sides)
def test_half_size_windows_cover_the_picture(width: int, height: int) -> None:
    windows = half_size_windows(width, height)
    assert len(windows) <= 9
    assert len({window.side for window in windows}) == 1
    for x, y in [(0, 0), (width - 1, 0), (width // 2, height // 2), (width - 1, height - 1)]:
        assert any(w.x <= x < w.x + w.side and w.y <= y < w.y + w.side for w in windows), (
            f"pixel {x}, {y} is in none"
        )


def test_a_face_of_up_to_a_seventh_of_the_picture_is_whole_in_some_half() -> None:
    windows = half_size_windows(640, 480)
    for x in range(0, 640 - 91, 13):
        for y in range(0, 480 - 91, 13):
            box = np.array([x, y, 91.0, 91.0])
            assert any(window.holds(box, 640, 480) for window in windows)


def test_a_box_cut_by_the_window_is_not_held_unless_the_picture_ends_there() -> None:
    window = Window(0, 100, 200)
    assert window.holds(np.array([-20.0, 150.0, 80.0, 80.0]), 640, 480)
    assert not window.holds(np.array([150.0, 150.0, 80.0, 80.0]), 640, 480)
    assert not window.holds(np.array([50.0, 90.0, 80.0, 80.0]), 640, 480)


@given(boxes)
def test_each_box_lies_in_one_window_and_is_large_enough(
    boxes_px: list[NDArray[np.float64]],
) -> None:
    groups = windows_around(boxes_px, margin=0.5, smallest_part=0.2)
    members = [index for _, indices in groups for index in indices]
    assert sorted(members) == list(range(len(boxes_px)))
    for window, indices in groups:
        for index in indices:
            x, y, w, h = boxes_px[index]
            assert window.x <= x and x + w <= window.x + window.side + 1
            assert window.y <= y and y + h <= window.y + window.side + 1
            if len(indices) > 1:
                assert max(w, h) >= 0.2 * window.side


def test_near_faces_share_a_window_and_far_ones_do_not() -> None:
    near = [np.array([0.0, 0, 100, 100]), np.array([120.0, 0, 100, 100])]
    far = [near[0], np.array([2000.0, 0, 100, 100])]
    assert [indices for _, indices in windows_around(near, 0.5, 0.2)] == [[0, 1]]
    assert [indices for _, indices in windows_around(far, 0.5, 0.2)] == [[0], [1]]


@pytest.mark.parametrize("x", [-300, 700])
def test_window_beside_the_picture_does_not_meet_it(x: int) -> None:
    assert not Window(x, 0, 200).meets(640, 480)
