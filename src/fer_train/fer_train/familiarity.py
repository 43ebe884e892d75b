"""Teaches the neuron that tells whether an expression can be read; see `fer_snn.core.familiarity`.

    ./fer exec python3 -m fer_train.familiarity fer2013/train lfw-expr/train

writes the file that the package ships. A fifth of the pictures is held out: for the threshold, and
for the rates that are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.images import read_image
from fer_features.core.pipeline import FaceObservation, FeatureParameters, FeaturePipeline, largest
from fer_features.core.search import SearchParameters
from fer_snn.core import familiarity
from fer_snn.core.familiarity import LIMIT, Familiarity
from fer_snn.core.neurons.lif import Float32s
from fer_train import unreadable
from fer_train.unreadable import Picture

DECAY = 10.0
"""Decay of the weights, with the two kinds weighted equally."""
REJECTED = 0.02
"""Share of held-out faces that lie below 0."""
TURN, LEARNT = 50, 40
"""Of each `TURN` pictures in the order of their names, so many are learnt; the others, held out."""


@dataclass
class Examples:
    """Feature maps of one kind of picture, for learning and held out."""

    learnt: list[Float32s]
    held_out: list[Float32s]

    def add(self, features: Float32s | None, is_held_out: bool) -> None:
        """Add a map (channels, rows, cols), if there is one."""
        if features is not None:
            (self.held_out if is_held_out else self.learnt).append(features)


def teach(faces: Sequence[Examples], others: Sequence[Examples], feature_spec: str) -> Familiarity:
    """Return the neuron at which the delta rule comes to rest.

    Parameters
    ----------
    faces, others : each kind of picture in which an expression can be read, or cannot.
    """
    known = _flat([each for kind in faces for each in kind.learnt])
    unknown = _flat([each for kind in others for each in kind.learnt])
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-3
    z = np.clip((np.concatenate([known, unknown]) - mean) / deviation, -LIMIT, LIMIT)
    target = np.repeat([1.0, -1.0], [len(known), len(unknown)])
    share = np.repeat([0.5 / len(known), 0.5 / len(unknown)], [len(known), len(unknown)])
    centred = (z - share @ z) * np.sqrt(share)[:, None]
    gram = centred @ centred.T + DECAY * np.eye(len(z))
    weights = centred.T @ np.linalg.solve(gram, np.sqrt(share) * (target - share @ target))
    raw = Familiarity(feature_spec, mean, deviation, weights.astype(np.float32), 0.0)
    outputs = [raw.fits(np.stack(kind.held_out)) for kind in faces]
    scale = float(np.concatenate(outputs).std())
    bias = -min(float(np.quantile(each, REJECTED)) for each in outputs) / scale
    return Familiarity(feature_spec, mean, deviation, raw.weights / np.float32(scale), bias)


def _flat(maps: Sequence[Float32s]) -> NDArray[np.float32]:
    return np.stack(maps).reshape(len(maps), -1).astype(np.float32)


class Collector:
    """Describes pictures as live images are, but without a second look at each face."""

    def __init__(self) -> None:
        search = SearchParameters(still_turns_deg=())
        self._pipeline = FeaturePipeline(FeatureParameters(search=search))
        self.feature_spec = self._pipeline.parameters.feature_spec

    def look(self, picture: Picture) -> FaceObservation:
        """Return the largest face of a picture; the whole picture if none is found."""
        found = largest(self._pipeline.process_still(picture))
        return found or self._pipeline.process_crop(picture)

    def folder(
        self, folder: Path, limit: int, others: dict[str, Examples], rng: np.random.Generator
    ) -> Examples:
        """Return the faces of a folder; add pictures that are made of them to `others`."""
        paths = sorted(path for path in folder.rglob("*.*") if path.is_file())
        chosen = np.linspace(0, len(paths) - 1, min(limit, len(paths))).astype(int)
        faces = Examples([], [])
        names = list(unreadable.SPOILT)
        for k, path in enumerate(paths[i] for i in chosen):
            is_held_out = k % TURN >= LEARNT
            picture = read_image(path)
            if picture is None:
                continue
            face = self.look(picture)
            faces.add(face.features, is_held_out)
            if len(face.landmarks_px) and min(picture.shape[:2]) >= unreadable.SIDE_PX // 2:
                name = names[k % len(names)]
                spoilt = unreadable.SPOILT[name](picture, face.landmarks_px, rng)
                others[name].add(self.look(spoilt).features, is_held_out)
        return faces


def main(arguments: Sequence[str] | None = None) -> None:
    """Teach the neuron, print the rates of held-out pictures, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python3 -m fer_train.familiarity")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="pictures of faces")
    parser.add_argument("--output", type=Path, default=familiarity.PATH, metavar="NPZ")
    parser.add_argument("--limit", type=int, default=1000, metavar="N", help="faces of each folder")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    rng, collector = np.random.default_rng(0), Collector()
    others = {name: Examples([], []) for name in (*unreadable.SPOILT, *unreadable.DRAWINGS)}
    faces = {
        str(folder): collector.folder(folder, given.limit, others, rng) for folder in given.folders
    }
    for name, draw in unreadable.DRAWINGS.items():
        for k in range(max(given.limit // 6, TURN)):
            others[name].add(collector.look(draw(rng)).features, k % TURN >= LEARNT)
    neuron = teach(list(faces.values()), list(others.values()), collector.feature_spec)
    for name, kind in {**faces, **others}.items():
        if kind.held_out:
            refused = (neuron.fits(np.stack(kind.held_out)) < 0).mean()
            print(
                f"{name}: {len(kind.learnt)} learnt, {refused:.1%} of {len(kind.held_out)} refused"
            )
    neuron.save(given.output)


if __name__ == "__main__":
    main()
