"""YAML from anybody: read whole and plain, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fer_common.core.errors import ConfigurationError

#: No parameter file and no calibration is larger.
MAX_BYTES = 1_000_000


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that takes no aliases: a few lines of them stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported: write the value out")
        return super().compose_node(parent, index)


def read_yaml(path: Path, what: str) -> object:
    """Return the document in a file.

    Parameters
    ----------
    path : the file.
    what : how to call it in the error.

    Raises
    ------
    ConfigurationError
        if it is no regular file that can be read, too large, or no YAML.
    """
    try:
        # Not from a pipe or a device, which may have no end.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigurationError(f"{what} is no file: name a file that can be read")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{what}: {error.strerror}: name a file that can be read"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{what}: {error}: name a file that can be read") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{what} has more than {MAX_BYTES} bytes: name another file")
    try:
        return yaml.load(data.decode("utf-8"), Loader=_PlainLoader)
    # All that the constructors of numbers, dates and flags let through.
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{what} is not valid YAML: {reason}") from error
