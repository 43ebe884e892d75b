"""What users ask of a running network: each request is done whole or refused with the reason."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from fer_common.core.errors import FerError
from fer_snn.core.labels import canonical
from fer_snn.core.model import Model
from fer_snn.core.recogniser import LARGEST, Recogniser
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models

MAX_LESSON_S = 60.0
UNDECIDED = "undecided"
"""What answers say without an opinion: no label."""

MAX_LABEL = 40
"""Most letters of the name of a new label."""


class RequestError(FerError):
    """A request that is refused."""


def teach(
    recogniser: Recogniser, label: str, new_label: bool, face_id: int, duration: float
) -> str:
    """Begin to learn that a face (or `LARGEST`) shows a label; return what will be learnt.

    Raises
    ------
    RequestError
        if the network does not learn from labels now, or the request makes no sense.
    """
    if recogniser.parameters.learning is not Learning.SUPERVISED:
        raise RequestError(
            f"learning is '{recogniser.parameters.learning.value}': "
            "set the parameter learning to 'supervised' first"
        )
    if not (math.isfinite(duration) and 0 < duration <= MAX_LESSON_S):
        raise RequestError(
            f"duration is {duration:g} s: give more than 0 and at most {MAX_LESSON_S:g} s"
        )
    if face_id != LARGEST and not recogniser.sees(face_id):
        raise RequestError(
            f"face {face_id} is not in view: give the id of one that is, "
            f"or {LARGEST} for the largest"
        )
    name = canonical(label)
    model = recogniser.network.model
    if name not in model.labels:
        _check_new(label, name, new_label, model)
        recogniser.load(model.with_label(name))
    recogniser.teach(recogniser.network.model.labels.index(name), face_id, duration)
    who = "the largest face" if face_id == LARGEST else f"face {face_id}"
    return f"learning '{name}' from {who} for {duration:g} s"


def save(recogniser: Recogniser, name: str, folder: Path) -> str:
    """Save the present weights under a name in the weights folder; return where they are.

    Raises
    ------
    FerError
        if the name could lead elsewhere, or the folder cannot be written.
    """
    path = models.path_to_save(name, folder)
    weights_file.save(replace(recogniser.network.model, name=path.stem), path)
    return str(path)


def load(recogniser: Recogniser, name: str, folder: Path) -> str:
    """Take the weights of that name; return what was loaded. A refusal changes nothing.

    Raises
    ------
    FerError
        if there is no such file, it is not whole, or its network has other features or labels.
    """
    path = models.path_of_name(name, folder)
    model = weights_file.load(path)
    _check_fit(model, recogniser.network.model, path)
    recogniser.load(model)
    return f"{path}: {', '.join(model.labels)}"


def _check_new(label: str, name: str, new_label: bool, model: Model) -> None:
    if not new_label:
        known = ", ".join(model.labels)
        raise RequestError(
            f"'{label}' is not known (known: {known}): choose one of them, or set new_label"
        )
    if not (name.isprintable() and 0 < len(name) <= MAX_LABEL) or name == UNDECIDED:
        raise RequestError(
            f"{label!r} is no name for an expression: give 1 to {MAX_LABEL} letters, "
            f"and not '{UNDECIDED}'"
        )


def _check_fit(new: Model, present: Model, path: Path) -> None:
    for what, theirs, ours in (
        ("features", new.feature_spec, present.feature_spec),
        ("feature map", new.feature_shape, present.feature_shape),
        ("labels", new.labels, present.labels),
    ):
        if theirs != ours:
            raise RequestError(
                f"weights file {path} has {what} {theirs}, the running network has {ours}: "
                "start the node with these weights instead"
            )
