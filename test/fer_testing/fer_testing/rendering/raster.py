"""A z-buffer for triangles."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@numba.njit(cache=True)
def rasterise(
    points: FloatArray, depth: FloatArray, triangles: NDArray[np.int64], width: int, height: int
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Return the nearest triangle of each pixel.

    Parameters
    ----------
    points : vertices in the picture, px (vertices, 2).
    depth : distance of the vertices (vertices).
    triangles : vertex numbers (triangles, 3).

    Returns
    -------
    The triangle, -1 where there is none (height, width), the barycentric coordinates in it
    (height, width, 3), and the distance, infinite where there is none (height, width).
    """
    nearest = np.full((height, width), -1, np.int32)
    inside = np.zeros((height, width, 3), np.float32)
    buffer = np.full((height, width), np.inf, np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-9:
            continue
        left = max(int(np.floor(min(ax, bx, cx) - 0.5)), 0)
        right = min(int(np.ceil(max(ax, bx, cx))), width - 1)
        top = max(int(np.floor(min(ay, by, cy) - 0.5)), 0)
        bottom = min(int(np.ceil(max(ay, by, cy))), height - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                u = ((by - cy) * (x + 0.5 - cx) + (cx - bx) * (y + 0.5 - cy)) / area
                v = ((cy - ay) * (x + 0.5 - cx) + (ax - cx) * (y + 0.5 - cy)) / area
                w = 1.0 - u - v
                if u < -1e-6 or v < -1e-6 or w < -1e-6:
                    continue
                z = u * depth[a] + v * depth[b] + w * depth[c]
                if z < buffer[y, x]:
                    buffer[y, x] = z
                    nearest[y, x] = t
                    inside[y, x, 0], inside[y, x, 1], inside[y, x, 2] = u, v, w
    return nearest, inside, buffer


@numba.njit(cache=True)
def interpolate(
    values: FloatArray, triangles: NDArray[np.int64], nearest: NDArray[np.int32], inside: FloatArray
) -> FloatArray:
    """Return values of the vertices (vertices, n) at the pixels of some triangles (pixels, n)."""
    result = np.empty((len(nearest), values.shape[1]), np.float32)
    for pixel in range(len(nearest)):
        a, b, c = triangles[nearest[pixel]]
        u, v, w = inside[pixel]
        for k in range(values.shape[1]):
            result[pixel, k] = u * values[a, k] + v * values[b, k] + w * values[c, k]
    return result


@numba.njit(cache=True)
def reached(points: FloatArray, depth: FloatArray, buffer: FloatArray) -> FloatArray:
    """Return how much of 4x4 places around each point the light reaches (points).

    Parameters
    ----------
    points, depth : seen from the light, as for `rasterise`, less a margin.
    buffer : the distance of what is nearest to the light (height, width).
    """
    height, width = buffer.shape
    result = np.empty(len(points), np.float32)
    for point in range(len(points)):
        count = 0
        for dy in range(4):
            y = min(max(int(points[point, 1] + dy - 1.5), 0), height - 1)
            for dx in range(4):
                x = min(max(int(points[point, 0] + dx - 1.5), 0), width - 1)
                count += depth[point] < buffer[y, x]
        result[point] = count / 16
    return result
