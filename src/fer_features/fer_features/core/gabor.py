"""Gabor energy features of a face: oriented edges at several scales, pooled and normalised.

Definition of "gabor-2", as implemented by `reference_features`, for a crop after light adaptation
(`retina`), wavelength lambda and orientation theta = pi * k / orientations:

1. Kernels on pixels -r..r, with r = ceil(2.5 sigma) and sigma = sigma_ratio * lambda:
   exp(-(x'^2 + gamma^2 y'^2) / (2 sigma^2)) times cos(2 pi x' / lambda) or sin(2 pi x' / lambda),
   where x' = x cos(theta) + y sin(theta) and y' = -x sin(theta) + y cos(theta). Each kernel has
   zero mean and L2 norm 1 (Daugman 1985; Jones and Palmer 1987).
2. Both kernels are correlated with the crop, which is mirrored at its edges (edge pixels twice).
   energy = sum of the two squared responses, averaged over cells of pool x pool pixels.
3. feature = sqrt(energy / (sum of energies over all orientations + `ENERGY_FLOOR`)), per cell and
   wavelength: independent of contrast (Heeger 1992), near 0 in flat cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.errors import ConfigurationError
from fer_features.core.retina import adapted, rounded

ENERGY_FLOOR = 1e-3
"""Energy, summed over orientations, at which a feature has 1/sqrt(2) of its full value."""

REACH = 2.5
"""Radius of a kernel in units of sigma."""

FORWARD_BITS, COLUMN_BITS, WEIGHT_BITS = 26, 25, 24
BACK_BITS = 18
"""Fractional bits of the matrices of the transforms, of what lies between the two forward ones, and
of the weights of the kernels."""

FloatArray = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GaborParameters:
    """Settings of the filter bank.

    Attributes
    ----------
    orientations : number of orientations, evenly over 180 degrees.
    wavelengths_px : one per scale, pixels of the crop.
    sigma_ratio : sigma of the Gaussian window across the bars, in wavelengths.
    gamma : sigma across the bars divided by sigma along them.
    pool : side of the square cells, pixels; divides `crop`.
    crop : side of the face crop, pixels.
    surround_px : standard deviation of the surround of the light adaptation, pixels; 0: none.
    """

    orientations: int = 8
    wavelengths_px: tuple[float, ...] = (4.0, 6.0, 9.0)
    sigma_ratio: float = 0.5
    gamma: float = 0.5
    pool: int = 4
    crop: int = 48
    surround_px: float = 8.0

    def __post_init__(self) -> None:
        if self.crop % self.pool:
            raise ConfigurationError(
                f"pooling {self.pool} does not divide the crop of {self.crop} px: choose a divisor"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the features: channels, rows, columns."""
        cells = self.crop // self.pool
        return len(self.wavelengths_px) * self.orientations, cells, cells

    @property
    def spec(self) -> str:
        """Text sent with features and weights: equal texts mean equal features."""
        wavelengths = ",".join(f"{value:g}" for value in self.wavelengths_px)
        parts = [
            "gabor-2",
            f"crop={self.crop}",
            f"o={self.orientations}",
            f"wl={wavelengths}",
            f"pool={self.pool}",
        ]
        if self.surround_px != GaborParameters.surround_px:
            parts.append(f"surround={self.surround_px:g}")
        if self.sigma_ratio != GaborParameters.sigma_ratio:
            parts.append(f"sigma={self.sigma_ratio:g}")
        if self.gamma != GaborParameters.gamma:
            parts.append(f"gamma={self.gamma:g}")
        return ";".join(parts)


def kernel_pair(
    parameters: GaborParameters, wavelength_px: float, orientation: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the even and the odd kernel, each (2r + 1, 2r + 1); rows are y."""
    sigma = parameters.sigma_ratio * wavelength_px
    radius = int(np.ceil(REACH * sigma))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    theta = np.pi * orientation / parameters.orientations
    across = x * np.cos(theta) + y * np.sin(theta)
    along = -x * np.sin(theta) + y * np.cos(theta)
    window = np.exp(-(across**2 + (parameters.gamma * along) ** 2) / (2 * sigma**2))
    phase = 2 * np.pi * across / wavelength_px
    even, odd = window * np.cos(phase), window * np.sin(phase)
    even -= even.mean()
    odd -= odd.mean()
    return even / np.linalg.norm(even), odd / np.linalg.norm(odd)


def normalise(energy: NDArray[np.floating]) -> FloatArray:
    """Return step 3 of the definition, for energies (scales, orientations, rows, columns)."""
    total = energy.sum(axis=1, keepdims=True) + ENERGY_FLOOR
    features: FloatArray = np.sqrt(energy / total, dtype=np.float32)
    return features.reshape(-1, *energy.shape[2:])


def reference_features(crop: NDArray[np.uint8], parameters: GaborParameters) -> FloatArray:
    """Compute the features of a crop (side, side) directly from the definition, in float64.

    Nine times slower than `GaborBank`, which must agree with it.
    """
    grey = adapted(crop, parameters.surround_px).astype(np.float64)
    side = parameters.crop // parameters.pool
    energy = np.empty((len(parameters.wavelengths_px), parameters.orientations, side, side))
    for scale, wavelength in enumerate(parameters.wavelengths_px):
        for orientation in range(parameters.orientations):
            responses = [
                cv2.filter2D(grey, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT)
                for kernel in kernel_pair(parameters, wavelength, orientation)
            ]
            squared = responses[0] ** 2 + responses[1] ** 2
            cells = squared.reshape(side, parameters.pool, side, parameters.pool)
            energy[scale, orientation] = cells.mean(axis=(1, 3))
    return normalise(energy)


class GaborBank:
    """Computes the features by matrix products, equal to `reference_features` within 1e-4.

    A picture mirrored at its edges is a sum of products of cosines (DCT). Correlation with a kernel
    multiplies each by a weight: the part of the kernel that is even in x and y keeps cosines, an
    odd part turns them into sines. So a response is the sum of four weighted inverse cosine or sine
    transforms, each of which is two products of small matrices. Orientations theta and pi - theta
    are mirror images: they share all four and differ in the sign of those odd in x.

    The products are exact, see `rounded`: the features are the same on every processor.

    Not thread-safe.
    """

    def __init__(self, parameters: GaborParameters):
        self.parameters = parameters
        side = parameters.crop
        self._half = parameters.orientations // 2 + 1  # 0 to 90 degrees; the others are mirrored
        self._mirrored = np.arange((parameters.orientations - 1) // 2, 0, -1)

        frequency = np.pi * np.arange(side) / side
        phase = np.outer(frequency, np.arange(side) + 0.5)
        cosine, sine = np.cos(phase), np.sin(phase)
        forward = cosine * (2 / side)
        forward[0] /= 2
        self._forward = rounded(forward, FORWARD_BITS)
        self._forward_transposed = np.ascontiguousarray(self._forward.T)

        # Parts of a kernel in this order: (y even, x even), (odd, even), (odd, odd), (even, odd).
        scales = len(parameters.wavelengths_px)
        self._weights = np.empty((scales, 4, side, self._half, side))
        for scale, wavelength in enumerate(parameters.wavelengths_px):
            for orientation in range(self._half):
                kernels = kernel_pair(parameters, wavelength, orientation)
                for part, weight in enumerate(_transfer(*kernels, frequency)):
                    self._weights[scale, part, :, orientation] = weight
        self._weights = rounded(self._weights, WEIGHT_BITS)
        # The smallest unit with which no sum of products exceeds 53 bits, whatever the crop. Each
        # product of cosines has a mean of 0, except the first, which has no weight.
        reach = np.abs(forward).sum(axis=1)
        largest = np.abs(self._weights) * (np.outer(reach, reach) / 2)[:, None, :]
        unit_bits = 53 - BACK_BITS - int(np.ceil(np.log2(largest.sum(axis=(2, 4)).max())))
        self._weights *= 2.0**unit_bits
        self._unit = 2.0**-unit_bits
        self._back_x = rounded(np.stack([cosine, sine]), BACK_BITS)
        self._back_y = rounded(np.stack([cosine.T, sine.T, sine.T, cosine.T]), BACK_BITS)

        # Buffers of one scale fit into the cache.
        self._spectrum = np.empty_like(self._weights[0])
        self._lines = np.empty_like(self._weights[0])
        self._exact = np.empty_like(self._weights[0])
        self._responses = np.empty(self._exact.shape, np.float32)
        self._crossed = np.empty((2, side, self._half, side), np.float32)

    def features(self, crop: NDArray[np.uint8]) -> FloatArray:
        """Return the features of a grey crop (side, side): (channels, rows, columns), 0..1.

        Channel = scale * orientations + orientation.
        """
        side = self.parameters.crop
        if crop.shape != (side, side):
            raise ValueError(f"a crop of {crop.shape} is not {side} x {side}")
        seen = adapted(crop, self.parameters.surround_px)
        columns = rounded(self._forward @ seen, COLUMN_BITS)
        amplitudes = columns @ self._forward_transposed
        energy = np.stack([self._energy(amplitudes, weights) for weights in self._weights])
        return normalise(energy)

    def features_from_crops(self, crops: NDArray[np.uint8]) -> FloatArray:
        """Return the features of crops (n, side, side): (n, channels, rows, columns)."""
        result = np.empty((len(crops), *self.parameters.shape), np.float32)
        for index, crop in enumerate(crops):
            result[index] = self.features(crop)
        return result

    def _energy(self, amplitudes: Floats, weights: Floats) -> FloatArray:
        """Return the pooled energies (orientation, row, column) of one scale."""
        self._respond(amplitudes, weights)
        even, odd = self._responses[:2], self._responses[2:]
        np.multiply(even, odd, out=self._crossed)
        crossed = np.add(self._crossed[0], self._crossed[1], out=self._crossed[0])
        np.multiply(self._responses, self._responses, out=self._responses)
        np.add(even, odd, out=even)
        same = np.add(even[0], even[1], out=even[0])
        same, crossed = self._pool(same), 2 * self._pool(crossed)
        energy = np.concatenate([same + crossed, (same - crossed)[self._mirrored]])
        # Rounding may leave tiny negative values where two parts cancel.
        np.maximum(energy, 0, out=energy)
        return energy

    def _respond(self, amplitudes: Floats, weights: Floats) -> None:
        """Store the responses of the four parts in self._responses (part, y, orientation, x)."""
        parts, side, maps, _ = weights.shape
        np.multiply(weights, amplitudes[:, None, :], out=self._spectrum)
        np.rint(self._spectrum, out=self._spectrum)
        rows = (2, 2 * side * maps, side)
        np.matmul(self._spectrum.reshape(rows), self._back_x, out=self._lines.reshape(rows))
        np.rint(self._lines, out=self._lines)
        columns = (parts, side, maps * side)
        np.matmul(self._back_y, self._lines.reshape(columns), out=self._exact.reshape(columns))
        np.multiply(self._exact, self._unit, out=self._responses, casting="same_kind")

    def _pool(self, values: FloatArray) -> FloatArray:
        """Average over cells: (y, orientation, x) to (orientation, row, column)."""
        side, maps, _ = values.shape
        pool, cells = self.parameters.pool, side // self.parameters.pool
        rows = values.reshape(cells, pool, maps * side).sum(axis=1)
        # One strided addition after the other, because numpy's sum along rows has no fixed order.
        pooled = sum((rows[:, offset::pool] for offset in range(1, pool)), start=rows[:, ::pool])
        pooled /= pool**2
        return np.asarray(pooled.reshape(cells, maps, cells).transpose(1, 0, 2))


def _transfer(
    even: NDArray[np.float64], odd: NDArray[np.float64], frequency: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return the weight of each product of cosines under a kernel pair, by part.

    The even kernel has only parts of equal parity in x and y, the odd one only of unequal parity.
    """
    radius = len(even) // 2
    phase = np.outer(frequency, np.arange(-radius, radius + 1))
    cosine, sine = np.cos(phase), np.sin(phase)
    return (
        cosine @ even @ cosine.T,
        -sine @ odd @ cosine.T,
        sine @ even @ sine.T,
        -cosine @ odd @ sine.T,
    )


def features_from_crops(
    crops: NDArray[np.uint8], parameters: GaborParameters | None = None
) -> FloatArray:
    """Return the features of face crops (n, side, side): (n, channels, rows, columns), 0..1."""
    return GaborBank(parameters or GaborParameters()).features_from_crops(crops)
