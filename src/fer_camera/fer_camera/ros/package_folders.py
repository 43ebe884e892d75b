"""Where ROS packages keep their files."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory


def share_folder(package: str) -> Path:
    """Return the share folder of a package.

    Raises
    ------
    LookupError
        if it is not installed.
    """
    try:
        return Path(get_package_share_directory(package))
    except (LookupError, ValueError) as error:
        raise LookupError(f"package '{package}' is not installed") from error
