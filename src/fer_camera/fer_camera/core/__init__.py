"""Core: NumPy in, NumPy out. Imports neither rclpy nor message packages."""
