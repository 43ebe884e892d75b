"""What is drawn and how, without ROS: messages as plain data, history, scenes, pictures."""
