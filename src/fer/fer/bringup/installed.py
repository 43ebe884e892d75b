"""Files that this package installs."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory


def config_folder() -> Path:
    """Return the folder of the parameter file and the profiles of Fast DDS."""
    return Path(get_package_share_directory("fer")) / "config"


def default_parameter_file() -> Path:
    """Return the parameter file that is used when the user names none."""
    return config_folder() / "fer.yaml"
