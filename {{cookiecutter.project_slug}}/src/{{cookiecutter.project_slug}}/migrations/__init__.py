"""The numbered changes of the tables, forward and back: doing them, and writing the next one out of the models."""

from .difference import difference, write_new
from .errors import MigrationError
from .history import migrate, status

__all__ = ["MigrationError", "difference", "migrate", "status", "write_new"]
