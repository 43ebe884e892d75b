"""Child processes: supervision, signals, resources and shared memory."""
