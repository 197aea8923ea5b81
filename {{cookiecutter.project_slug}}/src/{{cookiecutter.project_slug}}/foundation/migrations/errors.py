"""Errors of migrations."""


class MigrationError(Exception):
    """A migration can't be applied or written, and left nothing behind. The message is one line."""
