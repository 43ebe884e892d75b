"""What can be refused before a process is started: one error instead of four nodes' logs.

What a user leaves at its default is not looked at, and its libraries are not imported, so that a
plain start loses no time here.
"""

from __future__ import annotations

from pathlib import Path

from fer.bringup.graph import Settings, parameter_tables
from fer.report.labels import label_file, read_labels
from fer_common.core.errors import ConfigurationError
from fer_common.core.parameters import Value

#: Names of sources that are no paths.
DEMO = "demo"
AUTO = "auto"
#: Names of weights files end so; anything else without a slash is a name in the weights folder.
_WEIGHTS_SUFFIX = ".npz"


def check(settings: Settings) -> None:
    """Refuse settings with which a node could not start.

    Raises
    ------
    FerError
        for a source that cannot be opened, a parameter file or a weights file that cannot be used.
    """
    given: dict[str, dict[str, Value]] = {}
    if settings.params_file is not None:
        from fer_common.core.parameter_files import read_parameter_file

        given = read_parameter_file(settings.params_file, parameter_tables())
    if "robot" in settings.hosts and settings.camera:
        source = settings.source or given.get("camera", {}).get("source", "")
        _check_source(str(source))
    if "workstation" in settings.hosts:
        weights = settings.weights or given.get("snn", {}).get("weights", "")
        _check_weights(str(weights), given.get("features", {}))


def resolved_source(source: str) -> str:
    """Return a source with its path made absolute, so that it means the same to every process."""
    if source in ("", DEMO, AUTO) or source.isdecimal():
        return source
    return str(Path(source).expanduser().absolute())


def resolved_weights(weights: str) -> str:
    """Return a weights file with its path made absolute; a name in the weights folder stays one."""
    if "/" in weights or weights.endswith(_WEIGHTS_SUFFIX):
        return str(Path(weights).expanduser().absolute())
    return weights


def label_file_of(source: str) -> Path | None:
    """Return the label file beside a source, None for a source without.

    Parameters
    ----------
    source : as in `FrameInfo.source`.
    """
    if not source or source.isdecimal() or source == AUTO:
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


def _check_weights(weights: str, features: dict[str, Value]) -> None:
    if "/" not in weights:
        return
    from fer_features.core.parameters import TABLE, feature_parameters
    from fer_snn.core.weights import weights_file

    model = weights_file.load(Path(weights))
    spec = feature_parameters(TABLE.merged(TABLE.defaults(), features)).feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"weights file {weights} has learnt from features '{model.feature_spec}', this graph "
            f"makes '{spec}': name another file, or train one with `fer train`"
        )
