"""Teaches the neurons that tell whether an expression can be read: `fer_snn.core.familiarity`.

    ./fer exec python3 -m fer_train.familiarity FOLDER ... --nothing unreadable

writes the file that the package ships. A fifth of the pictures is held out: for the thresholds, and
for the rates that are printed.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_common.core.images import read_image
from fer_features.core.pipeline import FaceObservation, FeatureParameters, FeaturePipeline, largest
from fer_features.core.search import SearchParameters
from fer_snn.core import familiarity
from fer_snn.core.familiarity import WINDOW, Familiarity, Inputs
from fer_snn.core.neurons.encoding import mirrored, orientations_in
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import Floats
from fer_train.drawings import DRAWINGS, SIDE_PX, Picture, Points
from fer_train.stylised import FACE_LIKE
from fer_train.unreadable import SPOILT

MADE_OF_FACES = SPOILT | FACE_LIKE
DECAY = 0.3
"""Decay of the weights, with faces and the other kind weighted equally."""
HIDDEN, SPREAD = 96, 1.6
"""Number of hidden neurons, and the standard deviation of their drive by independent features."""
SPOILT_EACH, SPOILT_OF = 3, 2
"""Three kinds of unreadable pictures are made of every second picture of a face."""
REFUSED = 0.025
"""Largest share of the held-out faces that is refused."""
REFUSED_BY_EACH = 0.0005
"""Share of them that each neuron may refuse in any case."""
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


def teach(
    faces: Sequence[Examples],
    others: Sequence[Examples],
    feature_spec: str,
    face_like: Sequence[Examples] = (),
) -> Familiarity:
    """Return the neurons at which the delta rule comes to rest, one for each kind but of faces.

    Parameters
    ----------
    faces, others : each kind of picture in which an expression can be read, or cannot.
    face_like : each kind of which only those least like faces are refused.
    """
    known = [each for kind in faces for each in kind.learnt]
    inputs = _inputs(np.stack(known), feature_spec)
    of_faces = _of(inputs, known)
    centre, gram = of_faces.mean(axis=0, dtype=np.float64), of_faces.T @ of_faces / len(known)
    kinds = [*others, *face_like]
    weights = np.stack([_taught(centre, gram, _of(inputs, kind.learnt)) for kind in kinds])
    held_out = _of(inputs, [each for kind in faces for each in kind.held_out])
    weights /= (held_out @ weights.T).std(axis=0)[:, None]
    outputs = [_of(inputs, kind.held_out) @ own for kind, own in zip(others, weights, strict=False)]
    bias = -_thresholds(held_out @ weights.T, outputs)
    arrays = (inputs.mean, inputs.deviation, inputs.hidden, inputs.threshold)
    return Familiarity(feature_spec, *arrays, weights.astype(np.float32), bias.astype(np.float32))


def _inputs(known: Float32s, feature_spec: str) -> Inputs:
    """Return the inputs for maps of faces (faces, channels, rows, cols)."""
    orientations = orientations_in(feature_spec, known.shape[1])
    moments = [known.mean(axis=0, dtype=np.float64), (known**2).mean(axis=0, dtype=np.float64)]
    mean, square = ((each + mirrored(each, orientations)) / 2 for each in moments)
    rng, window = np.random.default_rng(0), known.shape[1] * WINDOW**2
    hidden = rng.normal(0, SPREAD / np.sqrt(window), (window, HIDDEN))
    arrays = (mean, np.sqrt(np.maximum(square - mean**2, 0)) + 1e-3, hidden, rng.random(HIDDEN))
    return Inputs(feature_spec, *(each.astype(np.float32) for each in arrays))


def _of(inputs: Inputs, maps: Sequence[Float32s]) -> Float32s:
    """Return the inputs for maps in single precision (maps, inputs)."""
    return np.concatenate(
        [inputs(np.stack(maps[k : k + 500])).astype(np.float32) for k in range(0, len(maps), 500)]
    )


def _taught(centre: Floats, gram: Float32s, unknown: Float32s) -> Floats:
    """Return the weights at which the delta rule comes to rest, with both kinds equally often.

    Parameters
    ----------
    centre, gram : mean of the inputs of faces (inputs), and of their products (inputs, inputs).
    unknown : inputs of the other kind (pictures, inputs).
    """
    other = unknown.mean(axis=0, dtype=np.float64)
    mean = (centre + other) / 2
    products = (gram + unknown.T @ unknown / len(unknown)) / 2 - np.outer(mean, mean)
    products[np.diag_indices(len(products))] += DECAY
    return np.asarray(np.linalg.solve(products, (centre - other) / 2))


def _thresholds(faces: Floats, others: Sequence[Floats]) -> Floats:
    """Return the threshold of each neuron: each refuses about the same share of its own kind.

    Thresholds that depend on faces alone would refuse few of the kinds that look most like faces.

    Parameters
    ----------
    faces : outputs of all neurons for faces (faces, neurons).
    others : outputs of each neuron for its own kind (pictures). The last neurons may have none:
        they refuse `REFUSED_BY_EACH` of the faces.
    """
    least = np.quantile(faces, REFUSED_BY_EACH, axis=0)
    thresholds = least
    for share in np.linspace(0, 1, 1001):
        raised = least.copy()
        own = [np.quantile(outputs, share) for outputs in others]
        raised[: len(own)] = np.maximum(least[: len(own)], own)
        if (faces < raised).any(axis=1).mean() > REFUSED:
            break
        thresholds = raised
    return np.asarray(thresholds)


def enlarged(picture: Picture, landmarks_px: Points) -> tuple[Picture, Points]:
    """Return a picture with enough pixels to draw on, and the landmarks in it."""
    scale = max(SIDE_PX / min(picture.shape[:2]), 1.0)
    large = cv2.resize(picture, None, fx=scale, fy=scale)
    return np.asarray(large, np.uint8), scale * landmarks_px


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
        """Return the faces of a folder; add pictures that are made of some to `others`."""
        faces, names = Examples([], []), itertools.cycle(MADE_OF_FACES)
        for k, picture, face in self.folder(folder, limit):
            is_held_out = k % TURN >= LEARNT
            faces.add(face.features, is_held_out)
            if k % SPOILT_OF or not len(face.landmarks_px):
                continue
            large, landmarks_px = enlarged(picture, face.landmarks_px)
            for name in itertools.islice(names, SPOILT_EACH):
                spoilt = MADE_OF_FACES[name](large, landmarks_px, rng)
                others[name].add(self.look(spoilt).features, is_held_out)
        return faces

    def drawings(self, number: int, others: dict[str, Examples]) -> None:
        """Add so many drawings of each kind to `others`."""
        rng = np.random.default_rng(0)
        for name, draw in DRAWINGS.items():
            for k in range(max(number, TURN)):
                others[name].add(self.look(draw(rng)).features, k % TURN >= LEARNT)


def collect(
    folders: Sequence[Path], nothing: Path | None, limit: int
) -> tuple[dict[str, Examples], dict[str, Examples], str]:
    """Return faces by folder, pictures in which nothing can be read by kind, and the features."""
    collector = Collector()
    others = {name: Examples([], []) for name in (*MADE_OF_FACES, *DRAWINGS)}
    faces = {
        str(folder): collector.faces(folder, limit, others, np.random.default_rng(seed))
        for seed, folder in enumerate(folders)
    }
    collector.drawings(limit // 10, others)
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
    parser.add_argument("--limit", type=int, default=8000, metavar="N", help="faces of each folder")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    faces, others, feature_spec = collect(given.folders, given.nothing, given.limit)
    face_like = [others[name] for name in FACE_LIKE]
    unlike = [kind for name, kind in others.items() if name not in FACE_LIKE]
    neurons = teach(list(faces.values()), unlike, feature_spec, face_like)
    for name, kind in {**faces, **others}.items():
        if kind.held_out:
            refused = (neurons.fits(np.stack(kind.held_out)) < 0).mean()
            print(
                f"{name}: {len(kind.learnt)} learnt, {refused:.1%} of {len(kind.held_out)} refused"
            )
    neurons.save(given.output)


if __name__ == "__main__":
    main()
