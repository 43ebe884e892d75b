"""Face detection, tracking, alignment and Gabor features for a spiking network."""
