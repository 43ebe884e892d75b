"""Bring-up of the fer graph: the command `fer`, the launch files and the configuration."""

__version__ = "0.1.0"
