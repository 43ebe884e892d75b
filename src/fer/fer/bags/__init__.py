"""Bags: recordings of topics as rosbag2 writes them, for machines with and without `ros2 bag`.

`recorder` and `player` are the nodes; the others know files and no ROS.
"""
