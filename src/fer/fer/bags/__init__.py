"""Bags: recordings of topics as rosbag2 writes them, for machines with and without `ros2 bag`.

`storage`, `writer`, `finishing`, `reading` and `difference` know files and no ROS; `recorder` and
`player` are the nodes.
"""
