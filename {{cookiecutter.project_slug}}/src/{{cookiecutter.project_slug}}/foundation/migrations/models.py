"""The tables of peewee's models."""

import re
from collections.abc import Sequence
from typing import Any

import peewee

from ..database import Database, one_line
from .errors import MigrationError
from .execution import execute
from .tables import Tables

LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer ones

Models = Sequence[type[peewee.Model]]


def with_through_models(models: Models) -> Models:
    """Return the models, and those that many-to-many fields made between them."""
    through = (field.through_model for model in models for field in model._meta.manytomany.values())
    return list(dict.fromkeys([*models, *through]))


def create_tables(database: Database, models: Models) -> None:
    """Create the tables, indexes and foreign keys of models that are bound to the database. Raises MigrationError."""
    for model in models:
        _check(model)
    try:
        _create_tables(database, peewee.sort_models(models))  # type: ignore[attr-defined]  # peewee doesn't declare it
    except MigrationError as error:
        for other in {key.rel_model for model in models for key in model._meta.refs} - {*models}:
            if f'"{other._meta.table_name}"' in str(error):
                raise MigrationError(f"{error}: MODELS lacks {other.__name__}") from error
        raise


def _create_tables(database: Database, ordered: Sequence[Any]) -> None:
    for model in ordered:
        for ddl in (model._schema._create_table(safe=False), *model._schema._create_indexes(safe=False)):
            _execute(database, model, ddl)
    for model in ordered:
        for field in model._meta.sorted_fields:
            if isinstance(field, peewee.ForeignKeyField) and field.deferred:  # peewee leaves its constraint out
                _execute(database, model, model._schema._create_foreign_key(field))


def values_for_old_rows(
    database: Database, models: Models, migrated: Tables, modelled: Tables
) -> dict[tuple[str, str], str]:
    """Return literals for new NOT NULL columns, by table and column. Raises MigrationError."""
    values = {}
    for model in models:
        table = model._meta.table_name
        for field in model._meta.sorted_fields:
            column = modelled[table].columns[field.column_name]
            if table not in migrated or field.column_name in migrated[table].columns or not column.needs_a_value:
                continue
            default = field.default
            if default is None or (callable(default) and not isinstance(default, type)):
                gone = ", ".join(name for name in migrated[table].columns if name not in modelled[table].columns)
                renamed = f"; or, if {gone} was renamed, write ALTER TABLE … RENAME COLUMN … by hand" if gone else ""
                raise MigrationError(
                    f"{model.__name__}.{field.name}: existing rows need a value: "
                    'null=True, constraints=[SQL("DEFAULT …")], or a default that is no function (list is fine)'
                    f"{renamed}"
                )
            try:
                value = field.db_value(default() if isinstance(default, type) else default)  # list, dict
                values[table, field.column_name] = _literal(database, value, column.type_alone)
            except (peewee.PeeweeException, TypeError, ValueError) as error:
                raise MigrationError(
                    f"{model.__name__}.{field.name}: its default {default!r}: {one_line(error)}"
                ) from error
    return values


def _check(model: type[peewee.Model]) -> None:
    for name in (model._meta.table_name, *model._meta.columns):
        if len(name.encode()) > LONGEST_NAME:
            raise MigrationError(
                f"{model.__name__}: the name {name} has more than {LONGEST_NAME} bytes: set table_name or column_name"
            )
    for field in model._meta.sorted_fields:
        if isinstance(field, peewee.DeferredForeignKey):
            raise MigrationError(f"{model.__name__}.{field.name}: there is no model {field.rel_model_name!r}")


def _execute(database: Database, model: type[peewee.Model], ddl: Any) -> None:
    sql, parameters = ddl.query()
    try:
        if parameters:
            database.execute_sql(sql, parameters)
        else:  # execute_sql() would take a % in the model's own SQL for a parameter; it may be doubled because of that
            execute(database, model.__name__, sql.replace("%%", "%"))
    except peewee.PeeweeException as error:
        raise MigrationError(f"{model.__name__}: {one_line(error)}") from error


def _literal(database: Database, value: Any, type_: str) -> str:
    """Return the value as PostgreSQL writes it.

    The cast is to the type without its length, to which a cast would cut the value.
    """
    unbounded = re.sub(r"^character\b(?! varying)", "bpchar", re.sub(r"\(.*?\)", "", type_))
    cast = peewee.Cast(peewee.AsIs(value, converter=False), unbounded)
    query = peewee.Select(columns=[peewee.fn.quote_literal(cast.cast("text"))])
    row = database.execute(query).fetchone()  # type: ignore[no-untyped-call]  # peewee doesn't declare it
    return str(row[0])
