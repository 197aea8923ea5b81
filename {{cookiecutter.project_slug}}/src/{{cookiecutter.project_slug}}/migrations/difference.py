"""The next migration, out of what the models say and the migrations don't."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peewee

from ..database import Database
from .errors import MigrationError
from .files import FOLDER, new_file, read_migrations, write_migration
from .history import execute
from .schema import Schema, read_schema, statements

MIGRATED, MODELLED = "difference_migrated", "difference_modelled"  # schemas that are never committed

Models = Sequence[type[peewee.Model]]


def write_new(database: Database, models: Models, name: str, folder: Path = FOLDER) -> Path:
    """Write the migration from what the migrations make to what the models want; gives its file.

    Raises MigrationError where there is no difference, or one that can't be written.
    """
    file = new_file(name, folder)
    up, down = difference(database, models, folder)
    if not up:
        raise MigrationError(
            "the migrations make what the models want; for a change that models don't show, write "
            f"{file} by hand, with the lines '-- migrate:up' and '-- migrate:down'"
        )
    write_migration(file, up, down)
    return file


def difference(database: Database, models: Models, folder: Path = FOLDER) -> tuple[list[str], list[str]]:
    """The statements to go forward and back; none where the models and the migrations agree.

    Both are built in a transaction that is rolled back, and compared. Whatever the tables of the database are, they
    don't matter. Raises MigrationError where no statements make the difference.
    """
    with _rolled_back(database):
        path = _enter(database, MIGRATED)
        for migration in read_migrations(folder):
            execute(database, migration.name, migration.up)
        migrated = read_schema(database, MIGRATED)
        _enter(database, MODELLED)
        _create(database, models)
        modelled = read_schema(database, MODELLED)
        up = statements(migrated, modelled, _values_for_old_rows(database, models, migrated, modelled))
        down = statements(modelled, migrated, {})
        database.execute_sql(f"SET LOCAL search_path TO {path}")
        for sql, wanted in ((up, modelled), (down, migrated)):
            execute(database, "the migration that would do it", "\n".join(sql))
            made = read_schema(database, MIGRATED)
            for table in wanted.keys() | made.keys():
                if made.get(table) != wanted.get(table):
                    raise MigrationError(f"the change of {table} is none that the tool can write: write it by hand")
    return up, down


@contextmanager
def _rolled_back(database: Database) -> Iterator[None]:
    with database.allow_sync(), database.atomic() as transaction:
        try:
            yield
        finally:
            transaction.rollback()


def _enter(database: Database, schema: str) -> str:
    """Create in a new schema from now on; what is outside, types for instance, is found as before. Gives the path."""
    database.execute_sql(f"CREATE SCHEMA {schema}")
    before = database.execute_sql("SELECT current_setting('search_path')").fetchone()[0]
    path = f"{schema}, {before}" if before else schema
    database.execute_sql(f"SET LOCAL search_path TO {path}")
    return path


def _create(database: Database, models: Models) -> None:
    for model in models:
        if model._meta.schema:
            raise MigrationError(f"{model.__name__} has a schema of its own, so its migrations are written by hand")
    try:
        with database.bind_ctx(models):
            database.create_tables(models, safe=False)
    except peewee.PeeweeException as error:
        raise MigrationError(f"the models: {' '.join(str(error).split())}") from error


def _values_for_old_rows(
    database: Database, models: Models, migrated: Schema, modelled: Schema
) -> dict[tuple[str, str], str]:
    """Literals for the new columns that may not be NULL, by table and column. Raises MigrationError."""
    values = {}
    for model in models:
        table = model._meta.table_name
        for field in model._meta.sorted_fields:
            column = modelled[table].columns[field.column_name]
            if table not in migrated or field.column_name in migrated[table].columns or not column.needs_a_value:
                continue
            if field.default is None or callable(field.default):
                raise MigrationError(
                    f"{model.__name__}.{field.name}: rows that are there already need a value: "
                    "null=True, or a default that is no function"
                )
            values[table, field.column_name] = _literal(database, field, column.type)
    return values


def _literal(database: Database, field: peewee.Field, type_: str) -> str:
    """The default of a field, which has a value, as PostgreSQL writes it."""
    value = peewee.Cast(field.to_value(field.default), type_)
    query = peewee.Select(columns=[peewee.fn.quote_literal(value.cast("text"))])
    row = database.execute(query).fetchone()  # type: ignore[no-untyped-call]  # peewee doesn't declare it
    return str(row[0])
