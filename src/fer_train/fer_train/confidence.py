"""Whether the confidence holds on each kind of picture: table and figure of the model card.

    ./fer exec python3 -m fer_train.confidence web=fer2013/validation video=demo.mp4 --plot PNG

A source is a folder or table as for `fer evaluate`, or a video of one face at a time with its
labels beside it (`demo.mp4` and `demo_labels.csv`), which is recognised as live. Frames that follow
each other are alike, so the intervals of a video are too narrow.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from fer_common.core.atomic import check_writable, write_result
from fer_features.core.pipeline import FeaturePipeline, largest
from fer_snn import FaceInput, FeatureFrame, Model, Network, Recogniser, load_weights
from fer_snn.core.label_files import label_file, read_labels
from fer_snn.core.parameters import DEFAULT_WEIGHTS, recogniser_parameters, trained_values
from fer_snn.core.recogniser import RecogniserParameters
from fer_snn.core.weights import weights_folder
from fer_train import dataset, evaluation, faces, figures, metrics
from fer_train.clips import VIDEOS, frames
from fer_train.faces import CropParameters
from fer_train.metrics import ReliabilityBin
from fer_train.progress import Progress, shown_progress
from fer_train.tables import DatasetError


@dataclass(frozen=True)
class Kind:
    """Answers to one kind of picture.

    Attributes
    ----------
    n : number of pictures.
    undecided : share of them without an answer.
    ece : expected calibration error of the answers.
    bins : their reliability diagram.
    """

    n: int
    undecided: float
    ece: float
    bins: Sequence[ReliabilityBin]

    def as_row(self) -> str:
        """Return the cells of a Markdown table."""
        size = np.array([each.n for each in self.bins])
        right, confidence = (
            float(size @ np.array([getattr(each, name) for each in self.bins]) / max(size.sum(), 1))
            for name in ("accuracy", "confidence")
        )
        return (
            f"{self.n} | {self.undecided:.1%} | {right:.3f} | {confidence:.3f} | {self.ece:.3f} |"
        )


def of_stills(
    model: Model, parameters: RecogniserParameters, source: Path, progress: Progress
) -> Kind:
    """Return the answers to labelled pictures whose label the model knows."""
    found = [each for each in dataset.find(source) if each.label in model.labels]
    read = faces.load(found, CropParameters(), progress=progress)
    result, _ = evaluation.evaluate(
        Network(model, parameters.network),
        faces.features_of(read.crops[:, 0]),
        dataset.indices(read.labels, model.labels),
        parameters.readout,
        mirror=parameters.mirror,
    )
    return Kind(result.n, result.undecided_rate, result.ece, result.reliability)


def of_video(
    model: Model, parameters: RecogniserParameters, source: Path, progress: Progress
) -> Kind:
    """Return the answers to the frames of a video whose label the model knows.

    Raises
    ------
    DatasetError
        if the labels are missing, or nothing is recognised.
    """
    labels, said = label_file(source), []
    if labels is None:
        raise DatasetError(
            f"{source} has no {source.stem}_labels.csv beside it, with the columns frame and label"
        )
    truth = read_labels(labels)
    pipeline, recogniser = FeaturePipeline(), Recogniser(model, parameters)
    for k, (stamp_ns, picture) in enumerate(frames(source)):
        face = largest(pipeline.process(picture, stamp_ns))
        inputs = []
        if face is not None and face.features is not None:
            inputs = [FaceInput(face.id, face.roi.width * face.roi.height, face.features)]
        for result in recogniser.process(FeatureFrame(stamp_ns, inputs)).faces:
            answer = result.answer
            if truth.get(k) in model.labels:
                is_right = model.labels[answer.best] == truth[k]
                said.append((answer.decided, answer.confidence, is_right))
        progress(k + 1, max(len(truth), k + 1))
    if not said:
        raise DatasetError(f"{source} shows no face with a label that the network knows")
    decided, confidence, right = (np.array(column) for column in zip(*said, strict=True))
    bins = metrics.reliability(confidence[decided], right[decided])
    undecided = float((~decided).mean())
    return Kind(len(said), undecided, metrics.expected_calibration_error(bins), bins)


def _named(text: str) -> tuple[str, Path]:
    name, equals, source = text.partition("=")
    if not (name and equals and source):
        raise argparse.ArgumentTypeError(f"{text}: give NAME=SOURCE")
    return name, Path(source)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python3 -m fer_train.confidence")
    parser.add_argument("sources", type=_named, nargs="+", metavar="NAME=SOURCE")
    parser.add_argument("--weights", default=DEFAULT_WEIGHTS, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the reliability diagrams")
    given = parser.parse_args(arguments)
    check_writable(given.plot)
    cv2.setNumThreads(1)
    model = load_weights(weights_folder.resolve(given.weights, weights_folder.default_folder()))
    parameters = recogniser_parameters(trained_values(model)[0])
    kinds = {}
    with shown_progress() as report:
        for name, source in given.sources:
            measure = of_video if source.suffix.lower() in VIDEOS else of_stills
            kinds[name] = measure(model, parameters, source, partial(report, name))
    print("| pictures | number | undecided | right | confidence | calibration error |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, kind in kinds.items():
        print(f"| {name} | {kind.as_row()}")
    if given.plot:
        drawn = figures.reliability({name: kind.bins for name, kind in kinds.items()})
        write_result(given.plot, figures.encoded(drawn))


if __name__ == "__main__":
    main()
