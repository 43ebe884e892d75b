"""NumPy in, NumPy out: nothing here imports ROS."""
