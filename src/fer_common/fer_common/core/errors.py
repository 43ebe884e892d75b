"""The root of all errors that fer raises on purpose.

Every message says what is wrong, where, and what to do, in one sentence that can be shown to a user
as it is.
"""


class FerError(Exception):
    """Anything that fer refuses."""


class ParameterError(FerError):
    """A parameter that does not exist, has the wrong type or lies outside its range."""


class ConfigurationError(FerError):
    """Something that a node cannot start with: a file that is missing, a model that doesn't fit."""


class ImageError(FerError):
    """An image message that cannot be read: encoding, size, step or data do not go together."""


class MessageError(FerError):
    """A message of another kind whose fields do not go together."""
