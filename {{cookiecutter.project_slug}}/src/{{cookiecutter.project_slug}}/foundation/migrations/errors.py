"""Errors of migrations."""


class MigrationError(Exception):
    """A migration can't be applied or written. It left nothing behind, unless the message, one line, says so."""
