"""Linear assignment of minimal cost (Hungarian method with potentials, O(n^3)).

Kuhn, "The Hungarian method for the assignment problem", 1955, as shortest augmenting paths (Jonker
and Volgenant, 1987).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    """Match rows with columns at minimal total cost.

    Leaving a row and a column unmatched costs `limit`.

    Parameters
    ----------
    cost : (rows, columns), finite, >= 0.
    limit : > 0.

    Returns
    -------
    (row, column) of every matched pair, each cheaper than `limit`, ordered by rows.
    """
    worth = cost < limit
    if worth.size == 1:
        return [(0, 0)] if worth[0, 0] else []
    in_row, in_column = worth.sum(axis=1), worth.sum(axis=0)
    # These pairs have no alternative, so they do not depend on the others.
    sure = worth & (in_row[:, None] == 1) & (in_column[None, :] == 1)
    pairs = list(zip(*np.nonzero(sure), strict=True))
    rows = np.flatnonzero((in_row > 0) & ~sure.any(axis=1))
    columns = np.flatnonzero((in_column > 0) & ~sure.any(axis=0))
    if len(rows):
        contested = _assign_all(cost[np.ix_(rows, columns)], limit)
        pairs += [(rows[row], columns[column]) for row, column in contested]
    return sorted((int(row), int(column)) for row, column in pairs)


def _assign_all(cost: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    rows, columns = cost.shape
    size = rows + columns
    # Dummy rows and columns stand for unmatched ones and make the problem square.
    square = np.full((size, size), limit / 2)
    square[rows:, columns:] = 0
    square[:rows, :columns] = np.minimum(cost, limit)
    matched = _solve(square)
    return [
        (row, int(column))
        for row, column in enumerate(matched[:rows])
        if column < columns and cost[row, column] < limit
    ]


def _solve(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column of every row in the minimal perfect matching of a square matrix."""
    size = len(cost)
    row_price = np.zeros(size + 1)
    column_price = np.zeros(size + 1)
    row_of = np.full(size + 1, -1)  # each search starts in the last column
    for row in range(size):
        row_of[size] = row
        column = size
        distance = np.full(size, np.inf)
        previous = np.full(size, size)
        visited = np.zeros(size + 1, bool)
        while row_of[column] >= 0:
            visited[column] = True
            here = row_of[column]
            reduced = cost[here] - row_price[here] - column_price[:size]
            nearer = ~visited[:size] & (reduced < distance)
            distance[nearer] = reduced[nearer]
            previous[nearer] = column
            following = int(np.argmin(np.where(visited[:size], np.inf, distance)))
            step = distance[following]
            row_price[row_of[visited]] += step
            column_price[visited] -= step
            distance[~visited[:size]] -= step
            column = following
        while column != size:
            row_of[column] = row_of[previous[column]]
            column = previous[column]
    matched = np.empty(size, np.intp)
    matched[row_of[:size]] = np.arange(size)
    return matched
