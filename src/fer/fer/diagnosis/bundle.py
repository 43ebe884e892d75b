"""What a bug report needs, in one file, without images and weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fer_common.core.atomic import check_writable, write_result

if TYPE_CHECKING:
    from fer_common.ros.graph_client import NodeHealth

#: The part of the environment that is written: nothing that could be a secret.
_PREFIXES = ("ROS_", "RMW_", "RCUTILS_", "FASTDDS_", "FASTRTPS_", "CYCLONEDDS_", "FER_", "OMP_")
_SECRETS = ("ROS_SECURITY_",)
_NAMES = ("AMENT_PREFIX_PATH", "LANG", "LC_ALL", "PYTHONPATH")
_LOGS, _LOG_BYTES = 20, 200_000


def write(
    path: Path,
    report: str,
    versions: Mapping[str, str],
    heard: Mapping[str, NodeHealth],
    environment: Mapping[str, str],
    logs: Path,
) -> None:
    """Write the bundle.

    Raises
    ------
    ConfigurationError
        if the file cannot be written.
    """
    check_writable(path)
    reports = {
        name: {"level": health.level[0], "message": health.message, "facts": dict(health.facts)}
        for name, health in heard.items()
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.txt", report + "\n")
        archive.writestr("versions.json", _json(versions))
        archive.writestr("diagnostics.json", _json(reports))
        archive.writestr("environment.json", _json(public_environment(environment)))
        for log in _newest_logs(logs):
            archive.writestr(f"logs/{log.name}", _tail(log))
    write_result(path, data.getvalue())


def public_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the environment that matters and holds no secrets."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name in _NAMES or (name.startswith(_PREFIXES) and not name.startswith(_SECRETS))
    }


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _newest_logs(folder: Path) -> list[Path]:
    try:
        logs = [path for path in folder.glob("*.log") if path.is_file()]
        return sorted(logs, key=lambda path: path.stat().st_mtime)[-_LOGS:]
    except OSError:
        return []


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _LOG_BYTES, 0))
            return file.read()
    except OSError as error:
        return f"cannot be read: {error.strerror}\n".encode()
