"""PostgreSQL through peewee-async: connections, the tasks that own them, and transactions."""

from .compiled import compiled
from .configuration import make_database
from .database import Database
from .errors import DATABASE_ERRORS, PoolTimeout, ReadOnlyServer, one_line, sqlstate_of
from .mixed_ids import MixedIdModel
from .model import Model
from .pool import Pool

__all__ = [
    "DATABASE_ERRORS",
    "Database",
    "MixedIdModel",
    "Model",
    "Pool",
    "PoolTimeout",
    "ReadOnlyServer",
    "compiled",
    "make_database",
    "one_line",
    "sqlstate_of",
]
