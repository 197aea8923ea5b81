"""Conversions of a column to another type: which of them need a USING, and which may alter values."""

import re

import peewee

from ..database import Database

TEXT = re.compile(r"(text|character varying|character)(?:\((\d+)\))?")
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
        if old == new or (old, new) in SAFE or _is_longer_text(old, new):
            return ""
        loss = "values may be rounded or cut without an error"
        if TEXT.fullmatch(old) and TEXT.fullmatch(new):
            loss = "blanks at the end may be cut without an error"
        elif {"timestamp with time zone", "timestamp without time zone"} == {old, new}:
            loss = "the session's time zone decides what becomes of the values"
        return f"-- {old} to {new}: {loss}. Look at the rows first.\n"

    def _is_assignable(self, old: str, new: str) -> bool:
        with self._database.atomic() as savepoint:
            self._database.execute_sql(f"CREATE TEMPORARY TABLE conversion (value {old})")
            try:
                self._database.execute_sql(f"ALTER TABLE conversion ALTER COLUMN value TYPE {new}")
            except peewee.ProgrammingError:
                return False
            finally:
                savepoint.rollback()
        return True


def _is_longer_text(old: str, new: str) -> bool:
    """Return whether each text of the old type stays as it is; a character(n) loses its blanks."""
    was, becomes = TEXT.fullmatch(old), TEXT.fullmatch(new)
    if not was or not becomes or "character" in (was[1], becomes[1]):
        return False
    return becomes[2] is None or (was[2] is not None and int(was[2]) <= int(becomes[2]))
