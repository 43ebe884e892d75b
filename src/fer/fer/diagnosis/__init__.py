"""What `fer doctor` checks, on the machine and in the graph."""
