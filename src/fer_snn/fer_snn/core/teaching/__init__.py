"""Learning from labels on a running network: lessons, rehearsal, undo and reports."""
