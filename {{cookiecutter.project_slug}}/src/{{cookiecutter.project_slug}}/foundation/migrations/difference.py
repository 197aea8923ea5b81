"""Writes the next migration, from the difference between the models and the migrations."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peewee

from ..database import Database
from .conversions import Conversions
from .errors import MigrationError
from .files import new_file, read_migrations, write_migration
from .history import execute
from .schema import Schema, read_schema, statements

MIGRATED, MODELLED = "difference_migrated", "difference_modelled"  # schemas that are never committed

Models = Sequence[type[peewee.Model]]


def write_new(database: Database, models: Models, name: str, folder: Path) -> Path:
    """Write the migration that brings the tables to the models; return its file.

    Raises MigrationError when there is no difference, or one that the tool can't write.
    """
    file = new_file(name, folder)
    up, down = difference(database, models, folder)
    if not up:
        raise MigrationError(
            "the migrations already make the models' tables; for a change that models don't show, write "
            f"{file} by hand, with the lines '-- migrate:up' and '-- migrate:down'"
        )
    write_migration(file, up, down)
    return file


def difference(database: Database, models: Models, folder: Path) -> tuple[list[str], list[str]]:
    """Return the statements to go forward and back; none when the models and the migrations agree.

    Builds both in a transaction that is rolled back, and compares them; the database's own tables don't matter. Raises
    MigrationError for a difference that the tool can't write.
    """
    with _rolled_back(database):
        path = _enter(database, MIGRATED)
        for migration in read_migrations(folder):
            execute(database, migration.name, migration.up)
        migrated = read_schema(database, MIGRATED)
        _enter(database, MODELLED)
        _create(database, models)
        modelled = read_schema(database, MODELLED)
        values, conversions = _values_for_old_rows(database, models, migrated, modelled), Conversions(database)
        up = statements(migrated, modelled, values, conversions)
        down = statements(modelled, migrated, {}, conversions)
        database.execute_sql(f"SET LOCAL search_path TO {path}")
        for sql, wanted in ((up, modelled), (down, migrated)):
            execute(database, "the migration that would do it", "\n".join(sql))
            made = read_schema(database, MIGRATED)
            for table in wanted.keys() | made.keys():
                if made.get(table) != wanted.get(table):
                    raise MigrationError(f"can't generate the change to {table}: write it by hand")
    return up, down


@contextmanager
def _rolled_back(database: Database) -> Iterator[None]:
    with database.allow_sync(), database.atomic() as transaction:
        try:
            yield
        finally:
            transaction.rollback()


def _enter(database: Database, schema: str) -> str:
    """Make a new schema the first of the search path; return the path. Types outside of it are still found."""
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
    """Return literals for new NOT NULL columns, by table and column. Raises MigrationError."""
    values = {}
    for model in models:
        table = model._meta.table_name
        for field in model._meta.sorted_fields:
            column = modelled[table].columns[field.column_name]
            if table not in migrated or field.column_name in migrated[table].columns or not column.needs_a_value:
                continue
            if field.default is None or callable(field.default):
                raise MigrationError(
                    f"{model.__name__}.{field.name}: existing rows need a value: "
                    "null=True, or a default that is no function"
                )
            values[table, field.column_name] = _literal(database, field, column.type)
    return values


def _literal(database: Database, field: peewee.Field, type_: str) -> str:
    """Return the field's default as PostgreSQL writes it."""
    value = peewee.Cast(field.to_value(field.default), type_)
    query = peewee.Select(columns=[peewee.fn.quote_literal(value.cast("text"))])
    row = database.execute(query).fetchone()  # type: ignore[no-untyped-call]  # peewee doesn't declare it
    return str(row[0])
