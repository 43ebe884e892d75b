"""Checks before any process is started: one error instead of the logs of four nodes.

Values that the user leaves at their default are not checked, and the libraries that this would
need are not imported, so that a plain start loses no time here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fer.bringup.graph import CAMERA, Settings, parameter_tables
from fer_common.core.errors import ConfigurationError
from fer_common.core.graph_names import SNN, absolute
from fer_common.core.parameters import Value
from fer_snn.core.label_files import label_file, read_labels

#: Sources that are not paths.
DEMO = "demo"
AUTO = "auto"
#: The weights in the package.
DEFAULT_WEIGHTS = "default"


def print_warning(text: str) -> None:
    """Print a warning for the user."""
    print(f"warning: {text}", file=sys.stderr)


def check(settings: Settings, warn: Callable[[str], None] = print_warning) -> None:
    """Refuse settings with which a node could not start.

    Parameters
    ----------
    warn : called with a sentence for each setting that has no effect.

    Raises
    ------
    FerError
        for a source that cannot be opened, a parameter file or a weights file that cannot be used.
    """
    given: Mapping[str, Mapping[str, Value]] = {}
    if settings.params_file is not None:
        from fer_common.core.parameter_files import read_parameter_file

        namespace = absolute(settings.namespace)
        given = read_parameter_file(settings.params_file, parameter_tables(), namespace, warn)
    if "robot" in settings.hosts and settings.camera:
        _check_source(settings.source or str(given.get(CAMERA, {}).get("source", "")))
    elif settings.source:
        warn(f"source '{settings.source}' has no effect: the camera node is not started here")
    if "workstation" in settings.hosts:
        own = given.get(SNN, {})
        weights = settings.weights or str(own.get("weights", ""))
        _check_weights(weights, str(own.get("weights_dir", "")), given.get("features", {}))


def resolved_source(source: str) -> str:
    """Return a source with its path made absolute, so that it means the same to every process."""
    if source in ("", DEMO, AUTO) or source.isdecimal() or "://" in source:
        return source
    return str(Path(source).expanduser().absolute())


def resolved_weights(weights: str) -> str:
    """Return weights with a path made absolute; a name in the weights folder stays as it is.

    A name with a suffix is a file in the current folder if there is one, as for the node.
    """
    path = Path(weights).expanduser()
    if "/" in weights or (path.suffix and path.is_file()):
        return str(path.absolute())
    return weights


def label_file_of(source: str) -> Path | None:
    """Return the label file beside a source, None for a source without.

    Parameters
    ----------
    source : as in `FrameInfo.source`.
    """
    if not source or source.isdecimal() or source == AUTO or "://" in source:
        return None
    if source != DEMO:
        return label_file(Path(source))
    from fer_camera.core.sources import demo_path

    return label_file(demo_path())


def _check_source(source: str) -> None:
    if source in ("", DEMO, AUTO):
        return
    from fer_camera.core.sources import open_source

    opened = open_source(source)
    if opened is not None:
        opened.close()
    labels = label_file_of(source)
    if labels is not None:
        read_labels(labels)


def _check_weights(weights: str, weights_dir: str, features: Mapping[str, Value]) -> None:
    if weights in ("", DEFAULT_WEIGHTS):
        return
    from fer_features.core.parameters import TABLE, feature_parameters
    from fer_snn.core.weights import weights_file, weights_folder

    folder = weights_folder.folder(weights_dir) if weights_dir else weights_folder.default_folder()
    path = weights_folder.resolve(weights, folder)
    model = weights_file.load(path)
    spec = feature_parameters(TABLE.merged(TABLE.defaults(), features)).feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"weights file {path} has learnt from features '{model.feature_spec}', this graph "
            f"makes '{spec}': name another file, or train one with `fer train`"
        )
