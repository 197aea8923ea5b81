"""Proves that the tests of a baked project fail when its code is broken."""
