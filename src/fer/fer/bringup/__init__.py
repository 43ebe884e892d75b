"""What the graph consists of, and how it is started."""
