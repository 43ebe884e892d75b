"""The verbs of the command `fer`, one module each."""
