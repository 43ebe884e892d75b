"""The errors that fer raises on purpose.

Every message is a sentence for the user that says what is wrong, where, and what to do.
"""


class FerError(Exception):
    """Root of all errors of fer."""


class ParameterError(FerError):
    """A parameter does not exist, has the wrong type or is out of range."""


class ConfigurationError(FerError):
    """A node cannot start: a file is missing, or a model does not fit."""


class ImageError(FerError):
    """An image message is invalid: encoding, size, step and data are inconsistent."""


class MessageError(FerError):
    """The fields of another message are inconsistent."""
