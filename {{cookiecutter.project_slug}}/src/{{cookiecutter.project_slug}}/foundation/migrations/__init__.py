"""Numbered migrations in SQL, forward and back: the runner, and the writer of the next one from the models."""

from .difference import difference, write_new
from .errors import MigrationError
from .history import migrate, status

__all__ = ["MigrationError", "difference", "migrate", "status", "write_new"]
