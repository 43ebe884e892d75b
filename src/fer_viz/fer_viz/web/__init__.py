"""A web page that shows what the viz node draws. Without ROS."""
