"""Hours of one face: what a network that learns without labels forgets, at the usual speed.

    ./fer exec sh -c 'cd bench && exec python3 -m fer_bench.staring FOLDER'

Each of three heads of the demo clip looks at the network with a neutral face for four hours of
simulated time at 30 Hz: 432,000 frames. It moves, and the camera has noise. FOLDER holds the
pictures of labelled faces that are recognised before and afterwards.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from math import pi, sin
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.errors import FerError
from fer_features.core.pipeline import FeaturePipeline
from fer_snn import Network, load_weights
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.parameters import (
    DEFAULT_WEIGHTS,
    network_parameters,
    readout_parameters,
    trained_values,
)
from fer_snn.core.readout import label_means
from fer_snn.core.weights import weights_folder
from fer_testing.heads import Head, Stage
from fer_train import dataset, evaluation, faces
from fer_train.faces import CropParameters
from fer_train.progress import Progress, no_progress, shown_progress

RATE_HZ = 30
HEADS = (0, 1, 2)
CLIP = 240
"""Frames of a clip. It is shown there and back, so that it has no jump."""
GLANCE = 2
"""Frames of a glance: 60 ms at `RATE_HZ`."""

_STILL = 18
"""Number of frames at the beginning of each head's part of the demo clip that are neutral."""
_NOISE = 3.0


def clip(person: int, frames: int = CLIP) -> Float32s:
    """Return the features of a head that moves a little (frames, channels, rows, columns).

    Raises
    ------
    FerError
        if the face is lost.
    """
    stage, pipeline, rng = Stage(320, 240), FeaturePipeline(), np.random.default_rng(person)
    phases = rng.uniform(0, 2 * pi, 3)
    features = []
    for k in range(frames):
        # Swaying of the head takes seconds.
        time_s = k / RATE_HZ
        x, y, size = (
            sin(2 * pi * time_s / s + phase) for s, phase in zip((5, 3, 7), phases, strict=True)
        )
        moment = abs((k // 3) % (2 * _STILL) - _STILL)
        drawn = stage.picture([Head(person, 160 + 8 * x, 120 + 5 * y, 120 + 4 * size, moment)])
        noisy = np.clip(drawn + rng.normal(0, _NOISE, drawn.shape), 0, 255).astype(np.uint8)
        seen = pipeline.process(noisy, k * 10**9 // RATE_HZ)
        if len(seen) != 1 or seen[0].features is None:
            raise FerError(f"head {person} is lost in frame {k}: run the tests of fer_features")
        features.append(seen[0].features)
    return np.stack(features)


@dataclass(frozen=True)
class Stared:
    """What hours of one face did.

    Attributes
    ----------
    said : index of the label that each glance was answered with (glances).
    outside : number of frames after which a weight lay outside its bounds.
    """

    said: NDArray[np.int64]
    outside: int

    def most_frequent(self, glances: slice) -> int:
        """Return the label that most of some glances were answered with."""
        return int(np.bincount(self.said[glances]).argmax())


def stare(
    network: Network, features: Float32s, frames: int, progress: Progress = no_progress
) -> Stared:
    """Show a clip (n, channels, rows, columns) there and back while the network learns."""
    model, weights = network.model, network.model.stages[-1].weights
    bounds = network.parameters.stdp
    low, high = np.float32(bounds.w_min), np.float32(bounds.w_max)
    said = np.empty(frames // GLANCE, np.int64)
    outside = 0
    for glance in range(len(said)):
        state, counts = network.new_face(), np.zeros(len(model.neuron_label), np.int32)
        for k in range(GLANCE * glance, GLANCE * (glance + 1)):
            # 33 or 34 steps of 1 ms.
            n_steps = 1000 * (k + 1) // RATE_HZ - 1000 * k // RATE_HZ
            shown = features[_there_and_back(k, len(features))]
            counts += network.advance(state, shown, n_steps, plastic=True).counts[-1]
            outside += not low <= weights.min() <= weights.max() <= high
        said[glance] = label_means(counts, model.neuron_label, len(model.labels)).argmax()
        progress(GLANCE * (glance + 1), frames)
    return Stared(said, outside)


def _there_and_back(k: int, length: int) -> int:
    return length - 1 - abs(k % (2 * length - 2) - (length - 1))


def main() -> None:
    """Measure, and print a line for each head."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python3 -m fer_bench.staring")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="FOLDER/LABEL/PICTURE")
    parser.add_argument("--weights", default=DEFAULT_WEIGHTS, metavar="FILE")
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument(
        "--head", type=int, choices=HEADS, action="append", help="this head only (default: all)"
    )
    given = parser.parse_args()
    cv2.setNumThreads(1)
    path = weights_folder.resolve(given.weights, weights_folder.default_folder())
    model = load_weights(path)
    values, _ = trained_values(model)
    network, readout = Network(model, network_parameters(values)), readout_parameters(values)
    frames = round(given.hours * 3600 * RATE_HZ)
    with shown_progress() as report:
        read = faces.load(
            dataset.find(given.folder), CropParameters(), progress=partial(report, "faces")
        )
        features, truth = (
            faces.features_of(read.crops[:, 0]),
            dataset.indices(read.labels, model.labels),
        )
        before = evaluation.evaluate(network, features, truth, readout)[0]
        for person in given.head or HEADS:
            network.load(model)
            seen = stare(network, clip(person), frames, partial(report, f"head {person}"))
            after = evaluation.evaluate(network, features, truth, readout)[0]
            minute = 60 * RATE_HZ // GLANCE
            first, last = (
                model.labels[seen.most_frequent(part)]
                for part in (slice(minute), slice(-minute, None))
            )
            same = (seen.said == seen.most_frequent(slice(minute))).mean()
            print(
                f"head {person}: {first} at the start, {last} at the end; {same:.2%} of "
                f"{len(seen.said)} glances as at the start; weights out of bounds in "
                f"{seen.outside} frames; balanced accuracy {before.balanced_accuracy:.3f} before, "
                f"{after.balanced_accuracy:.3f} afterwards",
                flush=True,
            )


if __name__ == "__main__":
    main()
