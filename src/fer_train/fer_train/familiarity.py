"""Teaches the neurons that tell whether an expression can be read: `fer_snn.core.familiarity`.

    ./fer exec python3 -m fer_train.familiarity fer2013/train lfw-expr/train --nothing unreadable

writes the file that the package ships. A fifth of the pictures is held out: for the threshold, and
for the rates that are printed.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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

DECAY = 3.0
"""Decay of the weights, with the two kinds weighted equally."""
SPOILT_EACH = 3
"""Number of kinds of unreadable pictures that are made of each picture of a face."""
REJECTED = 0.042
"""Largest share of the held-out faces of a folder that lies below 0."""
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
    """Return the neurons at which the delta rule comes to rest, one for each kind of `others`.

    Parameters
    ----------
    faces, others : each kind of picture in which an expression can be read, or cannot.
    """
    known = _flat([each for kind in faces for each in kind.learnt])
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-3
    standard = partial(_standardised, mean=mean, deviation=deviation)
    known, held_out = standard(known), [standard(_flat(kind.held_out)) for kind in faces]
    gram = known @ known.T
    weights, centres = [], []
    for kind in others:
        neuron = _taught(known, gram, standard(_flat(kind.learnt)))
        outputs = np.concatenate(held_out) @ neuron
        weights.append(neuron / outputs.std())
        centres.append(outputs.mean() / outputs.std())
    fits = [(each @ np.transpose(weights) - centres).min(axis=1) for each in held_out]
    lowest = min(float(np.quantile(fit, REJECTED)) for fit in fits)
    return Familiarity(
        feature_spec,
        mean,
        deviation,
        np.array(weights, np.float32),
        np.array(-lowest - np.array(centres), np.float32),
    )


def _taught(known: Float32s, gram: Float32s, unknown: Float32s) -> NDArray[np.float64]:
    """Return the weights at which the delta rule comes to rest, with both kinds equally often.

    Parameters
    ----------
    known, unknown : standardised maps (faces, features).
    gram : inner products of `known` (faces, faces).
    """
    z, across = np.concatenate([known, unknown]), known @ unknown.T
    products = np.block([[gram, across], [across.T, unknown @ unknown.T]]).astype(np.float64)
    target = np.repeat([1.0, -1.0], [len(known), len(unknown)])
    share = np.repeat([0.5 / len(known), 0.5 / len(unknown)], [len(known), len(unknown)])
    means, root = products @ share, np.sqrt(share)
    products += share @ means - means - means[:, None]
    system = root * products * root[:, None] + DECAY * np.eye(len(z))
    dual = root * np.linalg.solve(system, root * (target - share @ target))
    return np.asarray(dual @ z - dual.sum() * (share @ z))


def _standardised(maps: Float32s, mean: Float32s, deviation: Float32s) -> Float32s:
    return np.asarray(np.clip((maps - mean) / deviation, -LIMIT, LIMIT), np.float32)


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

    def folder(self, folder: Path, limit: int) -> Iterator[tuple[int, Picture, FaceObservation]]:
        """Yield number, picture and face of up to `limit` pictures of a folder."""
        paths = sorted(path for path in folder.rglob("*.*") if path.is_file())
        chosen = np.linspace(0, len(paths) - 1, min(limit, len(paths))).astype(int)
        for k, path in enumerate(paths[i] for i in chosen):
            picture = read_image(path)
            if picture is not None:
                yield k, picture, self.look(picture)

    def faces(
        self, folder: Path, limit: int, others: dict[str, Examples], rng: np.random.Generator
    ) -> Examples:
        """Return the faces of a folder; add pictures that are made of every other to `others`."""
        faces, names = Examples([], []), itertools.cycle(unreadable.SPOILT)
        for k, picture, face in self.folder(folder, 2 * limit - 1):
            is_spoilt, is_held_out = k % 2 == 0, k // 2 % TURN >= LEARNT
            # Many of those in between are held out, because the threshold lies at the rarest ones.
            faces.add(face.features, is_held_out if is_spoilt else k % 4 == 1)
            if not (is_spoilt and len(face.landmarks_px)):
                continue
            # What is drawn needs pixels.
            scale = max(unreadable.SIDE_PX / min(picture.shape[:2]), 1.0)
            large = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)
            for name in itertools.islice(names, SPOILT_EACH):
                spoilt = unreadable.SPOILT[name](large, scale * face.landmarks_px, rng)
                others[name].add(self.look(spoilt).features, is_held_out)
        return faces

    def drawings(self, number: int, others: dict[str, Examples]) -> None:
        """Add so many drawings of each kind to `others`."""
        rng = np.random.default_rng(0)
        for name, draw in unreadable.DRAWINGS.items():
            for k in range(max(number, TURN)):
                others[name].add(self.look(draw(rng)).features, k % TURN >= LEARNT)


def collect(
    folders: Sequence[Path], nothing: Path | None, limit: int
) -> tuple[dict[str, Examples], dict[str, Examples], str]:
    """Return faces by folder, pictures in which nothing can be read by kind, and the features."""
    collector = Collector()
    others = {name: Examples([], []) for name in (*unreadable.SPOILT, *unreadable.DRAWINGS)}
    faces = {
        str(folder): collector.faces(folder, limit, others, np.random.default_rng(seed))
        for seed, folder in enumerate(folders)
    }
    collector.drawings(limit // 3, others)
    for folder in sorted(nothing.iterdir()) if nothing else ():
        kind = others.setdefault(folder.name, Examples([], []))
        for k, _, face in collector.folder(folder, limit):
            kind.add(face.features, k % TURN >= LEARNT)
    return faces, others, collector.feature_spec


def main(arguments: Sequence[str] | None = None) -> None:
    """Teach the neurons, print the rates of held-out pictures, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python3 -m fer_train.familiarity")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="pictures of faces")
    parser.add_argument(
        "--nothing",
        type=Path,
        metavar="FOLDER",
        help="more pictures in which no expression can be read: FOLDER/KIND/picture.png",
    )
    parser.add_argument("--output", type=Path, default=familiarity.PATH, metavar="NPZ")
    parser.add_argument("--limit", type=int, default=1000, metavar="N", help="faces of each folder")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    faces, others, feature_spec = collect(given.folders, given.nothing, given.limit)
    neurons = teach(list(faces.values()), list(others.values()), feature_spec)
    for name, kind in {**faces, **others}.items():
        if kind.held_out:
            refused = (neurons.fits(np.stack(kind.held_out)) < 0).mean()
            print(
                f"{name}: {len(kind.learnt)} learnt, {refused:.1%} of {len(kind.held_out)} refused"
            )
    neurons.save(given.output)


if __name__ == "__main__":
    main()
