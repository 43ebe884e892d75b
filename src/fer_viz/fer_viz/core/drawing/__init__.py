"""Drawing with OpenCV and Pillow: pictures for the topics, and panels that the dashboard shares."""
