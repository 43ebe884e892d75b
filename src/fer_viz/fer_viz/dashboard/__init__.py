"""The dashboard: one Qt widget for rqt and for a window of its own.

Its data are `core.scene_builder`, its drawing is `core.drawing.board`, and its
connection to ROS is `ros.dashboard_client`.
"""
