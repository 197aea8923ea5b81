"""Proves that the service of a baked project does what its README promises, in operation and under failure."""
