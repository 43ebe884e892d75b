"""True labels of a clip: `NAME_labels.csv` beside `NAME.mp4` or a folder NAME."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from fer_common.core.errors import ConfigurationError
from fer_snn.core.labels import canonical

#: Label of frames between two expressions, which count nowhere.
TRANSITION = "transition"


def label_file(source: Path) -> Path | None:
    """Return the label file beside a source, None if there is none."""
    name = source.name if source.is_dir() else source.stem
    path = source.with_name(f"{name}_labels.csv")
    return path if path.is_file() else None


def read_labels(path: Path) -> Mapping[int, str]:
    """Read the label of every frame that has one; frames in transition are left out.

    Returns
    -------
    Label by index of the frame in the source, from 0.

    Raises
    ------
    ConfigurationError
        if the file cannot be read or has no columns `frame` and `label`.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        labels = {int(row["frame"]): row["label"] for row in rows}
    except OSError as error:
        raise ConfigurationError(
            f"label file {path}: {error.strerror}: make it readable or move it away"
        ) from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ConfigurationError(
            f"label file {path} cannot be read: "
            "it needs a column 'frame' of whole numbers and a column 'label'"
        ) from error
    return {
        frame: canonical(label) for frame, label in labels.items() if label and label != TRANSITION
    }
