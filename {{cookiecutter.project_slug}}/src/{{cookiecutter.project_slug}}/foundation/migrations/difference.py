"""Writes the next migration, from the difference between the models and the migrations."""

import copy
import dataclasses
import textwrap
from pathlib import Path

from ..database import Database
from .conversions import Conversions
from .errors import MigrationError
from .execution import execute, execute_migration
from .files import new_file, read_migrations, write_migration
from .models import Models, create_tables, values_for_old_rows, with_through_models
from .scratch import empty_database, empty_schema
from .statements import statements
from .tables import Tables, read_tables

MOST_READINGS = 3
DEFER = """
SELECT 'SET CONSTRAINTS ' || quote_ident(nspname) || '.' || quote_ident(conname) || ' DEFERRED'
FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace WHERE has_schema_privilege(n.oid, 'USAGE')
GROUP BY nspname, conname HAVING bool_or(condeferred) AND bool_and(condeferrable)
"""


def write_new(database: Database, models: Models, name: str, folder: Path) -> Path:
    """Write the migration that brings the tables to the models; return its file.

    Raises MigrationError when there is no difference, or one that the tool can't write.
    """
    file = new_file(name, folder)
    try:
        up, down = difference(database, models, folder)
    except MigrationError as error:
        raise MigrationError(f"{file.name} can't be written: {error}") from error
    by_hand = [f"-- Left to you, because of its schema: {model.__name__}." for model in models if model._meta.schema]
    if not up:
        raise MigrationError(
            "the migrations already make the models' tables; for a change that models don't show, or a model with a "
            f"schema, write {file} by hand, with the lines '-- migrate:up' and '-- migrate:down'"
        )
    write_migration(file, by_hand + up, down)
    return file


def difference(database: Database, models: Models, folder: Path) -> tuple[list[str], list[str]]:
    """Return the statements to go forward and back; none when the models and the migrations agree.

    Builds both in a transaction that is rolled back, and compares them; the database's own tables don't matter, nor do
    models with a schema. Raises MigrationError for a difference that the tool can't write.
    """
    moved = {model._meta.table_name: model._meta.schema for model in models if model._meta.schema}
    models = [model for model in with_through_models(models) if not model._meta.schema]
    with empty_database(database), database.bind_ctx(models):
        for migration in read_migrations(folder):
            execute_migration(database, migration.name, migration.up)
            for (defer,) in database.execute_sql(DEFER).fetchall():  # as at the beginning of a transaction
                database.execute_sql(defer)
        with empty_schema(database):
            create_tables(database, models)
            modelled = read_tables(database)
        migrated = read_tables(database)
        if migrated == modelled:
            return [], []
        migrated, modelled = _settled(database, migrated), _settled(database, modelled)
        if migrated == modelled:
            return [], []
        conversions = Conversions(database)
        values = values_for_old_rows(database, models, migrated, modelled)
        up = statements(migrated, modelled, conversions, values, moved)
        made = _make(database, up, modelled)
        down = statements(_with_sequences(modelled, made), migrated, conversions)
        _make(database, down, migrated)
    return up, down


def _settled(database: Database, tables: Tables) -> Tables:
    """Return the tables after PostgreSQL has parsed its own output.

    It prints some expressions, such as IN, differently the second time.
    """
    for _ in range(MOST_READINGS):
        before = tables
        with empty_schema(database):
            execute(database, "the tables", "\n".join(statements({}, before, Conversions(database))))
            tables = _with_sequences(read_tables(database), before)
        if tables == before:
            break
    return tables


def _with_sequences(tables: Tables, others: Tables) -> Tables:
    """Return the tables with the sequences of the others: a copy has its own, and a rename leaves the old name."""
    tables = copy.deepcopy(tables)
    for name, table in tables.items():
        for column, definition in table.columns.items():
            other = others[name].columns[column]
            table.columns[column] = dataclasses.replace(
                definition, sequence=other.sequence, sequence_name=other.sequence_name
            )
    return tables


def _make(database: Database, sql: list[str], wanted: Tables) -> Tables:
    """Execute the statements; return what they made. Raises MigrationError when that isn't what they should."""
    for statement in sql:
        _execute(database, statement)
    made = read_tables(database)
    if made != wanted:
        _check(_settled(database, made), wanted)
    return made


def _execute(database: Database, statement: str) -> None:
    """Execute a statement that the tool wrote. Raises MigrationError with its beginning."""
    code = " ".join(line for line in statement.splitlines() if not line.startswith("--"))
    execute(database, textwrap.shorten(code, 120).rstrip(";"), statement)


def _check(made: Tables, wanted: Tables) -> None:
    """Raises MigrationError when the statements don't make the tables that they should."""
    for table in sorted(wanted.keys() | made.keys()):
        there, right = (tables[table].parts() if table in tables else {} for tables in (made, wanted))
        for name in sorted(there.keys() | right.keys()):
            if there.get(name) != right.get(name):
                raise MigrationError(
                    f"can't change {table}, {name}, from {there.get(name) or 'nothing'} to "
                    f"{right.get(name) or 'nothing'}: write the migration by hand"
                )
