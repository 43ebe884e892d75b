"""The dashboard: everything that the graph does, in one Qt widget.

`state` and what it uses import neither Qt nor ROS; `link` is all of ROS; the rest is Qt.
"""
