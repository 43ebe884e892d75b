"""The names by which nodes, commands and windows find a graph."""

from __future__ import annotations

import re

from fer_common.core.errors import ConfigurationError

NAMESPACE = "fer"
#: The node that learns, whose services the commands call.
SNN = "snn"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*"


def absolute(namespace: str) -> str:
    """Return a namespace with a leading and without a trailing slash; "/" for the empty one.

    Raises
    ------
    ConfigurationError
        if it is not a ROS name.
    """
    _check("namespace", namespace, f"/?({_NAME})?/?")
    return "/" + namespace.strip("/")


def check_topic(name: str) -> None:
    """Refuse a name that no topic can have, absolute or not.

    Raises
    ------
    ConfigurationError
        if it is not a ROS name.
    """
    _check("topic", name, f"/?{_NAME}")


def resolve(namespace: str, name: str) -> str:
    """Return the absolute form of a name: below the namespace unless it begins with a slash.

    Raises
    ------
    ConfigurationError
        as `absolute`.
    """
    return name if name.startswith("/") else f"{absolute(namespace).rstrip('/')}/{name}"


def _check(kind: str, name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise ConfigurationError(
            f"{kind} '{name}' is no ROS name: use letters, digits and '_', parts joined by '/'"
        )
