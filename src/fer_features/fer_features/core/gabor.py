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
from functools import cached_property

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

    @cached_property
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

    A cosine or sine is even or odd about the middle of the crop. So the sum over the even
    frequencies and that over the odd ones, in one half of the crop, give both halves: as their sum,
    and as their difference. That halves the products. The difference of sines has the wrong sign,
    which only matters to the products of two parts (`_square`).

    The products are exact, see `rounded`: the features are the same on every processor.

    Not thread-safe.
    """

    def __init__(self, parameters: GaborParameters):
        self.parameters = parameters
        side = parameters.crop
        half = -(-side // 2)
        self._maps = parameters.orientations // 2 + 1  # 0 to 90 degrees; the others are mirrored
        self._mirrored = np.arange((parameters.orientations - 1) // 2, 0, -1)

        frequency = np.pi * np.arange(side) / side
        phase = np.outer(frequency, np.arange(side) + 0.5)
        cosine, sine = np.cos(phase), np.sin(phase)
        forward = cosine * (2 / side)
        forward[0] /= 2

        # Parts of a kernel in this order: (y even, x even), (odd, even), (odd, odd), (even, odd).
        scales = len(parameters.wavelengths_px)
        weights = np.empty((scales, 4, side, self._maps, side))
        for scale, wavelength in enumerate(parameters.wavelengths_px):
            for orientation in range(self._maps):
                kernels = kernel_pair(parameters, wavelength, orientation)
                for part, weight in enumerate(_transfer(*kernels, frequency)):
                    weights[scale, part, :, orientation] = weight
        weights = rounded(weights, WEIGHT_BITS)
        # The smallest unit with which no sum of products exceeds 53 bits, whatever the crop. Each
        # product of cosines has a mean of 0, except the first, which has no weight.
        reach = np.abs(forward).sum(axis=1)
        largest = np.abs(weights) * (np.outer(reach, reach) / 2)[:, None, :]
        unit_bits = 53 - BACK_BITS - int(np.ceil(np.log2(largest.sum(axis=(2, 4)).max())))
        self._unit = 2.0**-unit_bits

        self._forward = _even_first(rounded(forward, FORWARD_BITS), 0)
        self._forward_transposed = np.ascontiguousarray(self._forward.T)
        weights = _even_first(_even_first(weights, 2), 4) * 2.0**unit_bits
        # Axes from here on: x even or odd, (half of x), y even or odd, y, orientation, x.
        self._weights = weights.reshape(scales, 2, 2, 2 * half, self._maps, 2 * half)
        back = _even_first(rounded(np.stack([cosine, sine])[:, :, :half], BACK_BITS), 1)
        back = back.reshape(2, 2, half, half)
        self._back_x = np.ascontiguousarray(back)
        back_y = back.transpose(0, 1, 3, 2)[[[0, 1], [1, 0]]]
        self._back_y = np.ascontiguousarray(back_y[:, None])

        # Buffers of one scale fit into the cache.
        maps = self._maps
        self._spectrum = np.empty_like(self._weights[0])
        self._products = np.empty_like(self._spectrum)
        self._responses = np.empty((2, 2, 2, side, maps * half), np.float32)
        self._crossed = np.empty((2, 2, side, maps * half), np.float32)
        self._energies = np.empty((scales, 2, 2, side, maps * half), np.float32)

    def features(self, crop: NDArray[np.uint8]) -> FloatArray:
        """Return the features of a grey crop (side, side): (channels, rows, columns), 0..1.

        Channel = scale * orientations + orientation.
        """
        side = self.parameters.crop
        if crop.shape != (side, side):
            raise ValueError(f"a crop of {crop.shape} is not {side} x {side}")
        seen = adapted(crop, self.parameters.surround_px)
        columns = rounded(self._forward @ seen, COLUMN_BITS)
        amplitudes = np.repeat(columns @ self._forward_transposed, self._maps, axis=0)
        amplitudes = amplitudes.reshape(self._weights.shape[3:])
        for weights, energies in zip(self._weights, self._energies, strict=True):
            self._respond(amplitudes, weights)
            self._square(energies)
        pooled = self._pool() * np.float32(self._unit**2)
        same, crossed = pooled[:, 0], 2 * pooled[:, 1]
        energy = np.concatenate([same + crossed, (same - crossed)[:, self._mirrored]], axis=1)
        # Rounding may leave tiny negative values where two parts cancel.
        np.maximum(energy, 0, out=energy)
        return normalise(energy)

    def features_from_crops(self, crops: NDArray[np.uint8]) -> FloatArray:
        """Return the features of crops (n, side, side): (n, channels, rows, columns)."""
        result = np.empty((len(crops), *self.parameters.shape), np.float32)
        for index, crop in enumerate(crops):
            result[index] = self.features(crop)
        return result

    def _square(self, energies: FloatArray) -> None:
        """Store two kinds of energies of one scale, in squared units (2, half of x, ...).

        The first are sums of squares of the parts, the second products of those that are even in x
        and those that are odd.
        """
        half = self._back_x.shape[3]
        same, crossed = energies
        even, odd = self._responses
        np.multiply(even, odd, out=self._crossed)
        np.add(self._crossed[:, 0], self._crossed[:, 1], out=crossed)
        for differing in (crossed[0, half:], crossed[1, :half]):
            np.negative(differing, out=differing)
        np.multiply(self._responses, self._responses, out=self._responses)
        np.add(even, odd, out=even)
        np.add(even[:, 0], even[:, 1], out=same)

    def _respond(self, amplitudes: Floats, weights: Floats) -> None:
        """Store the responses of the four parts in self._responses, without their signs."""
        side, (half, _) = self.parameters.crop, self._back_x.shape[2:]
        maps, low = self._maps, side // 2
        np.multiply(weights, amplitudes, out=self._spectrum)
        np.rint(self._spectrum, out=self._spectrum)
        spectrum = self._spectrum.reshape(2, -1, 2, half).swapaxes(1, 2)
        products = self._products.reshape(spectrum.shape)
        even, odd = np.matmul(spectrum, self._back_x, out=products).swapaxes(0, 1)
        # The spectrum is not needed any more.
        lines = self._spectrum.reshape(products.shape)
        np.add(even, odd, out=lines[:, 0])
        np.subtract(even, odd, out=lines[:, 1])
        np.rint(lines, out=lines)
        shape = (2, 2, 2, 2, half, maps * half)
        products = self._products.reshape(shape)
        np.matmul(self._back_y, lines.reshape(shape), out=products)
        even, odd = products[..., 0, :, :], products[..., 1, :, :]
        whole = self._spectrum.reshape(2, *even.shape)
        np.add(even, odd, out=whole[0])
        np.subtract(even, odd, out=whole[1])
        # Casting takes longer as a part of the addition.
        self._responses[..., :half, :] = whole[0]
        self._responses[..., ::-1, :][..., :low, :] = whole[1][..., :low, :]

    def _pool(self) -> FloatArray:
        """Average self._energies over cells: (scale, 2, orientation, row, column)."""
        side, pool, half = self.parameters.crop, self.parameters.pool, self._back_x.shape[3]
        cells = side // pool
        rows = self._energies.reshape(-1, 2, 2, cells, pool, self._maps * half).sum(axis=4)
        first, second = rows.reshape(-1, 2, 2, cells, self._maps, half).swapaxes(0, 2)
        whole = np.concatenate([first, second[..., : side // 2][..., ::-1]], axis=-1)
        # One strided addition after the other, because numpy's sum along rows has no fixed order.
        pooled = sum((whole[..., offset::pool] for offset in range(1, pool)), whole[..., ::pool])
        pooled /= pool**2
        return np.asarray(pooled.transpose(1, 0, 3, 2, 4))


def _even_first(values: Floats, axis: int) -> Floats:
    """Return values whose frequencies along an axis are sorted: the even ones, then the odd ones.

    There are as many of both: an odd one that is missing has the value 0.
    """
    side = values.shape[axis]
    padded = np.concatenate([values, np.zeros_like(values.take([0] * (side % 2), axis))], axis)
    return padded.take([*range(0, side, 2), *range(1, side + 1, 2)][: side + side % 2], axis)


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
