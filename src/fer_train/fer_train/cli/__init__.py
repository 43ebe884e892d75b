"""The verbs of the `fer` command for offline work: `train`, `evaluate`, `ablate`.

Every verb is a module with `add_arguments(parser)` and `run(args)`, which returns the exit code and
raises FerError for what it refuses.
"""
