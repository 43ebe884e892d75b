"""The viz node, and the connection of the dashboard to the graph."""
