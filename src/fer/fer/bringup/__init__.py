"""The nodes of the graph, and how they are started."""
