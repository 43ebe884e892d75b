"""The status that `fer up` shows, and the summary of a run."""
