"""Weights and features by orientation, as the dashboard and figures show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_common.core.errors import MessageError
from fer_viz.core.messages import channel_signs, field_weights
from fer_viz.core.scene import Floats

#: The choice before the orientations.
ALL = "all orientations"
_CHANNEL = re.compile(r"(?:ON|OFF) \S+ ([\d.]+)deg")
_ORIENTATIONS = re.compile(r"(?:^|;)o=(\d+)(?:;|$)")


@dataclass(frozen=True)
class WeightMaps:
    """Receptive field of every label, summed over all channels and over each orientation.

    Attributes
    ----------
    labels : one for each map.
    choices : `ALL`, then the orientations, such as "22.5°".
    maps : (choices, labels, rows, cols): weights of ON channels minus those of OFF channels.
    """

    labels: tuple[str, ...]
    choices: tuple[str, ...]
    maps: Floats


@dataclass(frozen=True)
class FeatureMap:
    """Features of one face.

    Attributes
    ----------
    energy : (orientations, rows, cols), mean over the scales. One orientation where they are
        unknown.
    """

    energy: Floats

    @property
    def strokes(self) -> tuple[Floats, Floats]:
        """Dominant direction of each cell, radians, and its strength 0..1; both (rows, cols).

        This is the vector sum of the orientations with doubled angles: 0 and 180 degrees are the
        same orientation.
        """
        count = len(self.energy)
        angle = 2 * np.pi * np.arange(count) / count
        across = np.tensordot(np.cos(angle), self.energy, (0, 0))
        along = np.tensordot(np.sin(angle), self.energy, (0, 0))
        strength = np.hypot(across, along)
        peak = float(strength.max(initial=0.0))
        return np.arctan2(along, across) / 2, strength / peak if peak > 0 else strength


def weight_maps(message: Any) -> WeightMaps:
    """Read a Weights message.

    Raises
    ------
    MessageError
        if weights, shape and labels are inconsistent.
    """
    labels, weights = tuple(message.labels), field_weights(message)
    names = list(message.receptive_fields.channel_names)
    sign = channel_signs(names, weights.shape[1])
    signed = weights.swapaxes(0, 1) * sign[:, None, None, None]
    maps, choices = [signed.sum(axis=0)], [ALL]
    found = [_CHANNEL.fullmatch(name) for name in names]
    degrees = np.array([float(match[1]) for match in found if match])
    if len(degrees) == len(signed):
        for value in np.unique(degrees):
            maps.append(signed[degrees == value].sum(axis=0))
            choices.append(f"{value:g}°")
    return WeightMaps(labels, tuple(choices), np.stack(maps))


def feature_maps(message: Any) -> dict[int, FeatureMap]:
    """Read the features of a FaceFeaturesArray by face id, without faces that have none.

    Raises
    ------
    MessageError
        if features and shape are inconsistent.
    """
    shape = (message.channels, message.rows, message.cols)
    found = _ORIENTATIONS.search(message.feature_spec)
    count = int(found[1]) if found else 1
    if not count or message.channels % count:
        count = 1
    maps = {}
    for face in message.faces:
        features = np.asarray(face.features, np.float32)
        if features.size not in (0, np.prod(shape, dtype=int)):
            raise MessageError(
                f"face {face.id} has {features.size} features: "
                f"{'x'.join(map(str, shape))} (channels, rows, cols) were announced"
            )
        if features.size:
            maps[face.id] = FeatureMap(features.reshape(-1, count, *shape[1:]).mean(axis=0))
    return maps
