"""What `fer up` shows while it runs, and the summary of a run."""
