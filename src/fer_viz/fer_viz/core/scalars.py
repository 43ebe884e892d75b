"""Scores, rates and potentials of one face as plain numbers. Neither ROS nor drawing.

They are made for tools that plot any number, such as rqt_plot: `/fer/rates/data[0]`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fer_viz.core.history import PotentialFrame
from fer_viz.core.messages import Answers
from fer_viz.core.scene import Face, Indices


class Numbers(NamedTuple):
    """One number for each label."""

    labels: tuple[str, ...]
    values: tuple[float, ...]


def chosen(answers: Answers, wanted: int) -> Face | None:
    """Return the wanted face, the largest where that is not there, None where nobody is."""
    by_id = {face.id: face for face in answers.faces}
    return by_id.get(wanted) or max(answers.faces, key=lambda face: face.area_px, default=None)


def potentials_of_labels(
    frame: PotentialFrame, labels: tuple[str, ...], neuron_label: Indices
) -> Numbers | None:
    """Return for each label the mean potential of its neurons at the end of a frame, volts.

    NaN for a label without neurons; None where the frame has no steps or another network's size.
    """
    if not len(frame.potential_v) or frame.size != len(neuron_label):
        return None
    last = frame.potential_v[-1]
    means = []
    for label in range(len(labels)):
        own = last[neuron_label == label]
        means.append(float(own.mean()) if own.size else float(np.nan))
    return Numbers(labels, tuple(means))
