"""Proves that the service of a baked project does what its documentation promises, in operation and under failure."""
