"""PostgreSQL through peewee-async: connections, the tasks that hold them, and their transactions."""

from .compiled import compiled
from .configuration import make_database
from .database import Database
from .errors import PoolTimeout
from .model import Model
from .pool import Pool

__all__ = ["Database", "Model", "Pool", "PoolTimeout", "compiled", "make_database"]
