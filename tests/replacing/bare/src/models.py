"""There are no tables."""

MODELS = ()
