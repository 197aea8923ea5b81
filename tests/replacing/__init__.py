"""A service of one's own in place of the example breaks no test of the foundation and no check."""
