"""PostgreSQL through peewee-async: connections, the tasks that hold them, and their transactions."""

from .database import Database, make_database
from .model import Model
from .pool import PoolTimeout

__all__ = ["Database", "Model", "PoolTimeout", "make_database"]
