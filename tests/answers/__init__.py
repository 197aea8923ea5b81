"""Proves that each answer arrives unchanged in every file, or is refused in one line."""
