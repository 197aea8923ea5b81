"""What goes wrong with migrations."""


class MigrationError(Exception):
    """A migration can't be done or written, and nothing of it was; the message is one line for whoever wanted it."""
