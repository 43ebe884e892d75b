"""Connectivity: columns of neurons and their receptive fields.

A layer consists of columns of `width` neurons. All neurons of a column see the same window of the
map below, in every channel, and inhibit each other. Neuron j belongs to column j // width. A layer
that sees everything is one column with a window as large as the map.

The weights of a projection are an array (rows, width). It contains, column by column, one row for
each presynaptic neuron in the window (in the order of the map), with its weights to the neurons of
the column. So a presynaptic spike adds one contiguous row in every column that sees it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.lif import Bools, Float32s, Int32s

UInt32s = NDArray[np.uint32]


class MapWindow(NamedTuple):
    """A rectangle of a map; `bottom` and `right` are the first row and column outside it."""

    top: int
    bottom: int
    left: int
    right: int


class Edges(NamedTuple):
    """The rows of weights, sorted by presynaptic neuron.

    Neuron i has the edges start[i] to start[i + 1]; each is a row and the column that it leads to.
    """

    start: UInt32s
    row: UInt32s
    column: UInt32s


@dataclass(frozen=True)
class Wiring:
    """The connections between a map of presynaptic neurons and the columns of a layer.

    Attributes
    ----------
    map_shape : channels, rows and columns of the presynaptic neurons.
    windows : receptive field of each column.
    width : number of neurons in each column.
    by_column : whether the presynaptic neurons are numbered column by column, as those of a layer
        are, and not channel by channel, as those of a feature map are.
    """

    map_shape: tuple[int, int, int]
    windows: tuple[MapWindow, ...]
    width: int
    by_column: bool = False

    def __post_init__(self) -> None:
        """Refuse windows that are empty or not inside the map (ValueError)."""
        _, rows, cols = self.map_shape
        for window in self.windows:
            inside = 0 <= window.top < window.bottom <= rows
            if not (inside and 0 <= window.left < window.right <= cols):
                raise ValueError(f"window {tuple(window)} does not lie in a map of {rows} x {cols}")
        if min(*self.map_shape, self.width, len(self.windows)) < 1:
            raise ValueError("a projection needs neurons on both sides")

    @classmethod
    def fully_connected(cls, map_shape: tuple[int, int, int], n_post: int) -> Wiring:
        """Return the wiring of one column of `n_post` neurons that sees the whole map."""
        return cls(map_shape, (MapWindow(0, map_shape[1], 0, map_shape[2]),), n_post)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return math.prod(self.map_shape)

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return len(self.windows) * self.width

    @cached_property
    def pre_of_row(self) -> Int32s:
        """Presynaptic neuron of each row of weights (rows)."""
        channels, rows, cols = self.map_shape
        numbers = np.arange(self.n_pre, dtype=np.int32)
        neurons: Int32s = numbers.reshape(self.map_shape)
        if self.by_column:
            neurons = np.moveaxis(numbers.reshape(rows, cols, channels), -1, 0)
        seen = [neurons[:, w.top : w.bottom, w.left : w.right].ravel() for w in self.windows]
        return np.concatenate(seen)

    @cached_property
    def first_row(self) -> Int32s:
        """First row of each column, then the number of rows (columns + 1)."""
        channels = self.map_shape[0]
        sizes = [channels * (w.bottom - w.top) * (w.right - w.left) for w in self.windows]
        return np.cumsum([0, *sizes]).astype(np.int32)

    @cached_property
    def edges(self) -> Edges:
        """The rows sorted by presynaptic neuron, then by column."""
        row = np.argsort(self.pre_of_row, kind="stable").astype(np.uint32)
        count = np.bincount(self.pre_of_row, minlength=self.n_pre)
        start = np.concatenate(([0], np.cumsum(count))).astype(np.uint32)
        column = np.searchsorted(self.first_row, row, side="right").astype(np.uint32) - np.uint32(1)
        return Edges(start, row, column)

    def rows_of(self, arrived: Bools) -> tuple[UInt32s, UInt32s]:
        """Return the rows of the neurons that fired (n_pre), and their columns."""
        edges = self.edges
        taken = np.repeat(arrived, np.diff(edges.start))
        return edges.row[taken], edges.column[taken]

    def column_means(self, weights: Float32s) -> Float32s:
        """Return the mean weight of each postsynaptic neuron (n_post), given (rows, width)."""
        sums = np.add.reduceat(weights, self.first_row[:-1], axis=0)
        fan_in = np.diff(self.first_row).astype(np.float32)
        return np.asarray((sums / fan_in[:, None]).ravel(), dtype=np.float32)

    def matrix(self, weights: Float32s) -> Float32s:
        """Return weights (rows, width) as a matrix (n_pre, n_post), 0 where there is no synapse."""
        full = np.zeros((self.n_pre, self.n_post), dtype=np.float32)
        for column, (pre, block) in enumerate(self.blocks(weights)):
            full[pre, column * self.width : (column + 1) * self.width] = block
        return full

    def back_projected(self, weights: Float32s, values: Float32s) -> Float32s:
        """Return `values` (m, n_post) times the transposed weight matrix: (m, n_pre)."""
        seen = np.zeros((len(values), self.n_pre), dtype=np.float32)
        for column, (pre, block) in enumerate(self.blocks(weights)):
            of_column = values[:, column * self.width : (column + 1) * self.width]
            seen[:, pre] += of_column @ block.T
        return seen

    def blocks(self, weights: Float32s) -> Sequence[tuple[NDArray[np.int32], Float32s]]:
        """Return the presynaptic neurons of each column and a view of its weights (n, width)."""
        bounds = zip(self.first_row[:-1], self.first_row[1:], strict=True)
        return [(self.pre_of_row[a:b], weights[a:b]) for a, b in bounds]


def tiling(rows: int, cols: int, size: int, stride: int) -> tuple[MapWindow, ...]:
    """Return square windows of `size`, centred `stride` apart and cut at the edges of the map."""
    before = (size - stride) // 2
    corners = [
        (top - before, left - before)
        for top in range(0, rows, stride)
        for left in range(0, cols, stride)
    ]
    return tuple(
        MapWindow(max(top, 0), min(top + size, rows), max(left, 0), min(left + size, cols))
        for top, left in corners
    )
