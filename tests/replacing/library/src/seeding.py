"""The first author."""

from .foundation.database import Database
from .models import Author


def seed(database: Database) -> None:
    with database.allow_sync():
        Author.insert(name="Ada Lovelace").on_conflict_ignore().execute()
