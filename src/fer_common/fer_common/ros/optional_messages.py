"""Message packages that fer can do without."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from fer_common.core.errors import ConfigurationError


def messages_of(package: str, parameter: str) -> ModuleType:
    """Return the messages of a package that only a parameter asks for.

    Raises
    ------
    ConfigurationError
        if the package is not installed.
    """
    try:
        return importlib.import_module(f"{package}.msg")
    except ImportError as error:
        distribution = os.environ.get("ROS_DISTRO", "<distribution>")
        debian = f"ros-{distribution}-{package.replace('_', '-')}"
        raise ConfigurationError(
            f"parameter '{parameter}' needs the package {package}, which is not installed here: "
            f"install {debian}, or leave the parameter off"
        ) from error
