"""The history of applied migrations, and the runner."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from ..database import Database
from ..database.configuration import PACKAGE
from .errors import MigrationError
from .execution import execute_migration
from .files import Migration, read_migrations

logger = structlog.get_logger()

# The package's name is in it, for several services in a database.
TABLE = f"{PACKAGE}_migrations"
CREATE_TABLE = f"CREATE TABLE {TABLE} (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"

# The name in earlier versions. dbmate and Rails have a table of that name, with other columns.
OLD_TABLE = "schema_migrations"
FIND_OLD_TABLE = f"""
SELECT 1 FROM pg_class WHERE oid = to_regclass('{OLD_TABLE}') AND relkind = 'r' AND ARRAY['name', 'applied_at'] =
    ARRAY(SELECT CAST(attname AS text) FROM pg_attribute WHERE attrelid = oid AND attnum > 0 ORDER BY attnum)
"""
RENAME = f"ALTER TABLE {OLD_TABLE} RENAME TO {TABLE}"
CREATE_VIEW = f"CREATE VIEW {OLD_TABLE} AS TABLE {TABLE}"  # replicas of earlier versions read and write it

# Any number, the same in every replica.
LOCK = 20140501


def migrate(database: Database, folder: Path, number: int | None = None) -> None:
    """Go forward to the newest migration, or forward or back to `number`; 0 is none.

    Each migration runs in a transaction of its own. Safe in several replicas at once. Raises MigrationError.
    """
    migrations = read_migrations(folder)
    if number not in (None, 0, *(migration.number for migration in migrations)):
        newest = migrations[-1].name if migrations else "none"
        raise MigrationError(f"there is no migration {number}; the newest is {newest}")
    names = {migration.name for migration in migrations}
    with database.allow_sync():
        with _exclusive_transaction(database, names):
            back, forward = _plan(migrations, _applied(database), number)
        for migration in back:
            with _exclusive_transaction(database, names):
                if there := migration.name in _applied(database):
                    logger.info("rolling back migration", name=migration.name)
                    execute_migration(database, migration.name, migration.down or "")
                    database.execute_sql(f"DELETE FROM {TABLE} WHERE name = %s", (migration.name,))
            if there:  # and committed
                logger.info("rolled back migration", name=migration.name)
        for migration in forward:
            with _exclusive_transaction(database, names):
                if missing := migration.name not in _applied(database):  # not applied by another replica meanwhile
                    logger.info("applying migration", name=migration.name)
                    execute_migration(database, migration.name, migration.up)
                    database.execute_sql(f"INSERT INTO {TABLE} (name) VALUES (%s)", (migration.name,))
            if missing:
                logger.info("applied migration", name=migration.name)


def status(database: Database, folder: Path) -> list[str]:
    """Return a line for each migration in the folder or the history. Raises MigrationError."""
    here = {migration.name for migration in read_migrations(folder)}
    with database.allow_sync():
        table = _history(database, here)
        applied = _applied(database, table) if table else {}
    return [
        f"{name}: {f'applied {applied[name]:%Y-%m-%d %H:%M:%S%z}' if name in applied else 'not applied'}"
        f"{'' if name in here else ', and not in this version of the service'}"
        for name in sorted(here | applied.keys())
    ]


def _plan(
    migrations: list[Migration], applied: dict[str, datetime], number: int | None
) -> tuple[list[Migration], list[Migration]]:
    """Return the migrations to roll back and those to apply, in their order."""
    forward = [m for m in migrations if m.name not in applied and (number is None or m.number <= number)]
    if number is None:
        return [], forward
    unknown = sorted(applied.keys() - {migration.name for migration in migrations})
    if unknown:
        raise MigrationError(
            f"{unknown[-1]} is applied, but not in this version of the service: go back with the version that has it"
        )
    back = [migration for migration in reversed(migrations) if migration.name in applied and migration.number > number]
    for migration in back:
        if migration.down is None:
            raise MigrationError(f"{migration.name}.sql has no '-- migrate:down', so it can't be rolled back")
    return back, forward


def _applied(database: Database, table: str = TABLE) -> dict[str, datetime]:
    return dict(database.execute_sql(f"SELECT name, applied_at FROM {table}").fetchall())


def _history(database: Database, names: set[str]) -> str | None:
    """Return the table with the history of these migrations, if there is one. Raises MigrationError."""
    if database.execute_sql("SELECT to_regclass(%s)", (TABLE,)).fetchone()[0] is not None:
        return TABLE
    if not database.execute_sql(FIND_OLD_TABLE).fetchone():
        return None
    applied = _applied(database, OLD_TABLE).keys()
    if not applied & names:  # another service's
        return None
    if unknown := sorted(applied - names):
        raise MigrationError(
            f"{OLD_TABLE} has {unknown[-1]}, but this version of the service doesn't. Execute, if that is its history "
            f"all the same: {RENAME}; or if it is another service's: {CREATE_TABLE}"
        )
    return OLD_TABLE


@contextmanager
def _exclusive_transaction(database: Database, names: set[str]) -> Iterator[None]:
    """A transaction that only one replica can be in, with the table of the history created.

    The lock and the settings belong to the transaction: PgBouncer would pass those of a session on to others.
    """
    with database.atomic():
        # Each statement has to see what other replicas have committed meanwhile, whatever the role's default is.
        database.execute_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        # The wait for another replica and the migration itself are unbounded. The wait for a table is bounded: all
        # other statements on the table wait behind it.
        unbounded = "set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)"
        bound = database.execute_sql(f"SELECT current_setting('statement_timeout'), {unbounded}").fetchone()[0]
        if not database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()[0]:
            logger.info("waiting for another migration")
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        database.execute_sql("SELECT set_config('lock_timeout', %s, true)", (bound,))
        table = _history(database, names)
        if table == OLD_TABLE:
            database.execute_sql(RENAME)
            database.execute_sql(CREATE_VIEW)
        elif table is None:
            database.execute_sql(CREATE_TABLE)
        yield
