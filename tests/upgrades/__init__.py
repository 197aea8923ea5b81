"""Proves that a project of an older template takes over the newest one and keeps its user's code."""
