"""ROS: nodes, messages, topics and services. What they do stands in `core`."""
