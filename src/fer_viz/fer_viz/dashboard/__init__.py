"""The dashboard: one Qt widget for rqt and for a window of its own.

Its data are `core.dashboard_state`, its connection to ROS is `ros.dashboard_client`.
"""
