"""The test harness: what the tests and the benchmarks bake, run, load and measure with."""

import os

# Images of containers set it: every program that is started would compile all that it imports, at each start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
