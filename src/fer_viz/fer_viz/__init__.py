"""Visualisation of the network: pictures on topics, and the dashboard in rqt or a window."""
