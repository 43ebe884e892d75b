"""Training sets: labelled faces as quantised features, and random draws from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_snn import (
    Architecture,
    FeatureStatistics,
    Model,
    NetworkParameters,
    Stage,
    untrained_model,
)
from fer_snn.core.neurons.encoding import mirrored
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import Floats

LEVELS = 255
"""Features from 0 to 1 are stored in this many steps, which takes a quarter of the memory."""
BLOCKS = 10
"""Held-out faces are neighbours by name, so that most faces of a person are on the same side."""
UNCHANGED = 0.6
"""Probability of showing a face as it is. Otherwise it or one of its variants is drawn. With
variants alone, the network learns them at the expense of ordinary faces."""
UNCLEAR = -1
"""Stands for the label of a face of which people said no label most often."""

Bytes = NDArray[np.uint8]
"""Quantised features."""


@dataclass(frozen=True)
class Source:
    """Faces of one folder or table.

    Attributes
    ----------
    features : quantised features of each face and of its variants (faces, 1 + variants, channels,
        rows, cols).
    truth : index of the label of each face (faces); `UNCLEAR` for none. Such faces are learnt, and
        never held out.
    shares : what the teacher says: the share of every label in each face (faces, labels), sum 1.
    """

    features: Bytes
    truth: NDArray[np.int64]
    shares: Float32s

    def shown(self, label: int) -> NDArray[np.bool_]:
        """Return which faces stand for a label (faces): by their own label, or else by shares."""
        most = self.shares[:, label] == self.shares.max(axis=1)
        return (self.truth == label) | ((self.truth == UNCLEAR) & most)

    def majority(self) -> Source:
        """Return the faces with a label, which is all that the teacher says."""
        known = self.part(np.flatnonzero(self.truth != UNCLEAR))
        return replace(known, shares=np.eye(self.shares.shape[1], dtype=np.float32)[known.truth])

    def part(self, chosen: NDArray[np.int64]) -> Source:
        """Return some of the faces."""
        return replace(
            self,
            features=self.features[chosen],
            truth=self.truth[chosen],
            shares=self.shares[chosen],
        )


@dataclass(frozen=True)
class TrainingSet:
    """Sources of faces, their labels, and the specification of their features."""

    sources: tuple[Source, ...]
    labels: tuple[str, ...]
    feature_spec: str
    orientations: int

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the feature map."""
        channels, rows, cols = self.sources[0].features.shape[2:]
        return channels, rows, cols

    def untrained(
        self,
        constants: NetworkParameters,
        architecture: Architecture,
        rng: np.random.Generator,
        hidden: Stage | None = None,
    ) -> Model:
        """Return an untrained network for these features and labels; see `untrained_model`."""
        return untrained_model(
            self.labels,
            self.feature_spec,
            self.feature_shape,
            statistics_of(self.sources),
            constants,
            architecture,
            rng,
            hidden,
        )


def quantised(features: Float32s) -> Bytes:
    """Return features from 0 to 1 as bytes."""
    return np.rint(features * LEVELS).clip(0, LEVELS).astype(np.uint8)


def restored(features: Bytes) -> Float32s:
    """Return features from bytes."""
    return features.astype(np.float32) / np.float32(LEVELS)


def split(source: Source, n_labels: int, rng: np.random.Generator) -> tuple[Source, Source]:
    """Return the held-out part, a tenth of each label and at least one face, and the rest."""
    held_out = []
    for label in range(n_labels):
        runs = np.array_split(np.flatnonzero(source.truth == label), BLOCKS)
        runs = [run for run in runs if len(run)]
        if len(runs) > 1:
            held_out.append(runs[rng.integers(len(runs))])
    chosen = np.sort(np.concatenate(held_out)) if held_out else np.zeros(0, dtype=np.int64)
    return source.part(chosen), source.part(np.setdiff1d(np.arange(len(source.truth)), chosen))


def statistics_of(sources: tuple[Source, ...]) -> FeatureStatistics:
    """Return the statistics of all unchanged faces."""
    faces = np.concatenate([s.features[:, 0].reshape(len(s.features), -1) for s in sources])
    mean = faces.mean(axis=0, dtype=np.float64) / LEVELS
    variance = faces.var(axis=0, dtype=np.float64) / LEVELS**2
    return FeatureStatistics(mean.astype(np.float32), variance.astype(np.float32), len(faces))


class Sampler:
    """Draws random faces: label and source, face, variant, and whether to mirror it.

    Parameters
    ----------
    balance : how much more often rare labels are drawn than they come; 0 for the frequency of one
        source, 1 for all labels and sources equally often; see `_odds`.
    """

    def __init__(self, training_set: TrainingSet, balance: float, rng: np.random.Generator) -> None:
        self._orientations = training_set.orientations
        self._rng = rng
        shown = [
            (source, np.flatnonzero(source.shown(label)))
            for label in range(len(training_set.labels))
            for source in training_set.sources
        ]
        self._groups = [(source, faces) for source, faces in shown if len(faces)]
        sizes = np.reshape([len(faces) for _, faces in shown], (len(training_set.labels), -1))
        self._odds = _odds(sizes, balance)

    def __call__(self) -> tuple[Float32s, Float32s]:
        """Return the features of a face, and the share of every label in it."""
        rng = self._rng
        source, faces = self._groups[rng.choice(len(self._groups), p=self._odds)]
        number = faces[rng.integers(len(faces))]
        variants = source.features[number]
        face = variants[0 if rng.random() < UNCHANGED else rng.integers(len(variants))]
        if rng.random() < 0.5:  # noqa: PLR2004 (a fair coin)
            face = mirrored(face, self._orientations)
        return restored(face), source.shares[number]


def _odds(sizes: NDArray[np.int64], balance: float) -> Floats:
    """Return how likely each label and source is drawn, without those that have no faces (groups).

    The n faces of one label in one source weigh n^(1 - balance). A label weighs as much as its
    mean source: sources with few labels do not make these more likely.

    Parameters
    ----------
    sizes : number of faces (labels, sources).
    """
    weight = np.where(sizes > 0, sizes.astype(np.float64) ** (1 - balance), 0.0)
    sources = np.maximum((sizes > 0).sum(axis=1, keepdims=True), 1)
    odds = weight / sources
    return np.asarray((odds / odds.sum())[sizes > 0])
