"""PostgreSQL through peewee-async: connections, the tasks that hold them, and their transactions."""

from .database import Database, make_database
from .errors import PoolTimeout
from .model import Model

__all__ = ["Database", "Model", "PoolTimeout", "make_database"]
