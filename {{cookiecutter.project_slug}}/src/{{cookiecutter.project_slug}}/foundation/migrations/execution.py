"""Executes the statements of migrations as they are written."""

import peewee

from ..database import Database
from ..database.errors import one_line, peewee_errors
from .errors import MigrationError

# A migration can SET anything for the session; pg_dump empties the search path. So each migration ends with a reset of
# all settings, and then those of the runner, the reader of tables and psycopg2 are restored.
RESET = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
TRANSACTION_AND_SETTINGS = """
SELECT CAST(pg_current_xact_id() AS text), current_setting('statement_timeout'), current_setting('lock_timeout'),
    current_setting('search_path'), current_setting('datestyle')
"""
RESTORE = """
SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
    set_config('search_path', %s, true), set_config('datestyle', %s, false)
"""


def execute_migration(database: Database, name: str, sql: str) -> None:
    """Execute the statements of a migration, and end what they set. Raises MigrationError when one fails."""
    transaction, *settings = database.execute_sql(TRANSACTION_AND_SETTINGS).fetchone()
    execute(database, name, sql)
    if database.execute_sql(TRANSACTION_AND_SETTINGS).fetchone()[0] != transaction:
        raise MigrationError(
            f"{name} ended its transaction early, as COMMIT does: the statements before that are committed"
        )
    # What a commit would check is checked here, for an error with this name.
    execute(database, name, f"SET CONSTRAINTS ALL IMMEDIATE; {RESET}")
    database.execute_sql(RESTORE, settings)


def execute(database: Database, name: str, sql: str) -> None:
    """Execute statements as they are. Raises MigrationError, with this name, when one fails."""
    try:
        with peewee_errors:
            # Not with peewee's execute_sql(), for which % marks a parameter. psycopg2 refuses a text without a
            # statement, so there is one in front.
            cursor = database.cursor()  # type: ignore[no-untyped-call]  # peewee doesn't declare its type
            cursor.execute(f"SELECT 1; {sql}")
    except peewee.PeeweeException as error:
        raise MigrationError(f"{name}: {one_line(error)}") from error
