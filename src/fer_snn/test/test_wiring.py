"""Columns and their receptive fields."""

import numpy as np
import pytest

from fer_snn.core.synapses.wiring import MapWindow, Wiring, tiling


def test_one_column_that_sees_everything_is_a_full_matrix() -> None:
    wiring = Wiring.fully_connected((2, 3, 4), 5)
    weights = np.arange(24 * 5, dtype=np.float32).reshape(24, 5)
    assert (wiring.n_pre, wiring.n_post) == (24, 5)
    assert (wiring.matrix(weights) == weights).all()
    assert wiring.edges.row.tolist() == list(range(24))


def test_columns_see_their_windows_in_every_channel() -> None:
    wiring = Wiring((2, 4, 4), (MapWindow(0, 2, 0, 2), MapWindow(1, 4, 2, 4)), width=1)
    matrix = wiring.matrix(np.ones((len(wiring.pre_of_row), 1), np.float32))
    seen = matrix.reshape(2, 4, 4, 2)
    assert seen[..., 0].sum() == 2 * 4 and (seen[:, :2, :2, 0] == 1).all()
    assert seen[..., 1].sum() == 2 * 6 and (seen[:, 1:, 2:, 1] == 1).all()


def test_edges_are_the_rows_by_presynaptic_neuron() -> None:
    wiring = Wiring((1, 4, 4), tiling(4, 4, 3, 1), width=2)
    start, row, column = wiring.edges
    for neuron in range(wiring.n_pre):
        rows = row[start[neuron] : start[neuron + 1]]
        assert (wiring.pre_of_row[rows] == neuron).all()
        assert sorted(column[start[neuron] : start[neuron + 1]]) == [
            k
            for k, window in enumerate(wiring.windows)
            if window.top <= neuron // 4 < window.bottom
            and window.left <= neuron % 4 < window.right
        ]
    assert len(row) == len(wiring.pre_of_row)


def test_tiling_covers_the_map() -> None:
    windows = tiling(12, 12, 6, 3)
    assert len(windows) == 16
    assert windows[0] == (0, 5, 0, 5) and windows[5] == (2, 8, 2, 8)
    assert windows[-1] == (8, 12, 8, 12)


def test_a_layer_is_numbered_column_by_column() -> None:
    below = Wiring((2, 4, 4), tiling(4, 4, 2, 2), width=3)
    above = Wiring((3, 2, 2), (MapWindow(0, 1, 1, 2),), width=1, by_column=True)
    # The second column of the layer below: neurons 3, 4 and 5.
    assert below.windows[1] == (0, 2, 2, 4)
    assert above.pre_of_row.tolist() == [3, 4, 5]


@pytest.mark.parametrize("window", [(0, 5, 0, 4), (2, 2, 0, 4), (-1, 2, 0, 2)])
def test_windows_outside_the_map_are_refused(window: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError):
        Wiring((1, 4, 4), (MapWindow(*window),), 1)


def test_back_projected_is_the_product_with_the_matrix() -> None:
    rng = np.random.default_rng(0)
    wiring = Wiring((2, 5, 5), tiling(5, 5, 3, 1), width=4)
    weights = rng.random((len(wiring.pre_of_row), 4), np.float32)
    values = rng.random((3, wiring.n_post), np.float32)
    expected = values @ wiring.matrix(weights).T
    assert wiring.back_projected(weights, values) == pytest.approx(expected, rel=1e-4)
