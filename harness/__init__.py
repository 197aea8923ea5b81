"""The test harness: what the tests and the benchmarks bake, run, load and measure with."""
