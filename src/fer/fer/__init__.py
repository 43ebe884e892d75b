"""Bring-up of the fer graph: the command `fer`, the launch files and the configuration."""

from __future__ import annotations

__version__: str


def __getattr__(name: str) -> str:
    """Read `__version__` from what package.xml was installed as, when it is asked for."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Costs as much as a third of the start of a short command.
    from importlib import metadata

    return metadata.version(__name__)
