"""ROS: nodes, messages, topics and services."""
