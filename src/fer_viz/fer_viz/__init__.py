"""What the network sees and says, drawn into the picture: the overlay topic."""
