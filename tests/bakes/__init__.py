"""Proves that each combination of choices bakes a complete, valid and reproducible project whose tests pass."""
