"""Conversions of a column to another type: which of them need a USING, and which may alter values."""

import peewee

from ..database import Database

TEXTS = ("character(", "character varying", "text")
INTEGERS = ("smallint", "integer", "bigint")
# Changes that keep each value, or fail. Others alter some in silence: a timestamp becomes a date, a number is rounded.
SAFE = {(old, new) for old in INTEGERS for new in (*INTEGERS, "numeric")} | {("real", "double precision")}


class Conversions:
    """Asks a database how it converts types, in a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def using(self, column: str, old: str, new: str) -> str:
        """Return the USING that a change of type needs, if it needs one.

        A cast that is written out cuts a text that is too long, in silence; without it, PostgreSQL refuses.
        """
        return "" if self._is_assignable(old, new) else f" USING {column}::{new}"

    def warning(self, old: str, new: str) -> str:
        """Return a comment for a change of type that may alter values without an error."""
        if (old, new) in SAFE or (old.startswith(TEXTS) and new.startswith(TEXTS)):
            return ""
        return f"-- {old} to {new}: values may be rounded or cut without an error. Look at the rows first.\n"

    def _is_assignable(self, old: str, new: str) -> bool:
        with self._database.atomic() as savepoint:
            try:
                self._database.execute_sql(f"CREATE TEMPORARY TABLE conversion (value {old})")
                self._database.execute_sql(f"ALTER TABLE conversion ALTER COLUMN value TYPE {new}")
            except peewee.ProgrammingError:
                return False
            finally:
                savepoint.rollback()
        return True
