"""A change of a column's type loses nothing in silence: PostgreSQL refuses, or the migration warns."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee
import pytest
from playhouse import postgres_ext

from {{ cookiecutter.project_slug }}.foundation.database import Database, Model, make_database
from {{ cookiecutter.project_slug }}.foundation.migrations import MigrationError, migrate, write_new
from {{ cookiecutter.project_slug }}.foundation.testing import isolated_settings

from .example import ExampleSettings
from .support import role_with_one_connection

postgres: Any = postgres_ext  # its fields aren't typed

WARNING = "values may be rounded or cut without an error"


@pytest.fixture
def database(settings: ExampleSettings) -> Database:
    return make_database(settings)


def model_with(field: peewee.Field) -> type[Model]:
    class Thing(Model):
        id = peewee.AutoField()
        value = field

    return Thing


def change(database: Database, folder: Path, old: peewee.Field, new: peewee.Field, value: str) -> str:
    """Change the type of a column with this value; return the migration's text."""
    write_new(database, [model_with(old)], "create", folder)
    migrate(database, folder)
    with database.allow_sync():
        database.execute_sql(f"INSERT INTO thing (value) VALUES ({value})")
    return write_new(database, [model_with(new)], "change", folder).read_text()


def stored(database: Database) -> Any:
    with database.allow_sync():
        return database.execute_sql("SELECT value::text FROM thing").fetchone()[0]


@pytest.mark.parametrize("is_way_back", [False, True])
def test_text_that_is_too_long_is_refused(database: Database, tmp_path: Path, is_way_back: bool) -> None:
    short, long = peewee.CharField(max_length=5), peewee.CharField(max_length=255)
    old, new = (short, long) if is_way_back else (long, short)
    assert WARNING not in change(database, tmp_path, old, new, "'short'")
    if is_way_back:
        migrate(database, tmp_path)
    with database.allow_sync():
        database.execute_sql("UPDATE thing SET value = 'much too long'")
    with pytest.raises(MigrationError, match="too long"):
        migrate(database, tmp_path, 1 if is_way_back else None)
    assert stored(database) == "much too long"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (peewee.DoubleField(), peewee.IntegerField()),
        (peewee.DoubleField(), peewee.FloatField()),
        (peewee.DecimalField(max_digits=10, decimal_places=4), peewee.DecimalField(max_digits=10, decimal_places=2)),
        (peewee.BigIntegerField(), peewee.DoubleField()),
    ],
)
def test_values_that_are_rounded_are_warned_of(
    database: Database, tmp_path: Path, old: peewee.Field, new: peewee.Field
) -> None:
    assert WARNING in change(database, tmp_path, old, new, "1").partition("-- migrate:down")[0]


FixedCharField: Any = peewee.FixedCharField  # its max_length isn't typed
BLANKS = "blanks at the end may be cut"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (peewee.TextField(), peewee.CharField(max_length=3), BLANKS),
        (peewee.CharField(max_length=5), peewee.CharField(max_length=3), BLANKS),
        (FixedCharField(max_length=5), peewee.TextField(), BLANKS),
        (peewee.TextField(), postgres.ArrayField(peewee.TextField, index=False), WARNING),
    ],
)
def test_text_that_may_be_cut_is_warned_of(
    database: Database, tmp_path: Path, old: peewee.Field, new: peewee.Field, expected: str
) -> None:
    assert expected in change(database, tmp_path, old, new, "'{}'").partition("-- migrate:down")[0]


def test_timestamp_whose_time_zone_changes_is_warned_of(database: Database, tmp_path: Path) -> None:
    text = change(database, tmp_path, peewee.DateTimeField(), postgres.DateTimeTZField(), "now()")
    assert text.count("the session's time zone decides") == 2


def test_timestamp_that_becomes_a_date_is_warned_of(database: Database, tmp_path: Path) -> None:
    assert WARNING in change(database, tmp_path, peewee.DateTimeField(), peewee.DateField(), "now()")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        (peewee.IntegerField(), peewee.BigIntegerField(), "7"),
        (peewee.CharField(max_length=5), peewee.TextField(), "'seven'"),
        (peewee.CharField(max_length=5), peewee.CharField(max_length=6), "'seven'"),
        (peewee.FloatField(), peewee.DoubleField(), "7"),
    ],
)
def test_values_that_are_kept_need_no_warning(
    database: Database, tmp_path: Path, old: peewee.Field, new: peewee.Field, value: str
) -> None:
    text = change(database, tmp_path, old, new, value)
    assert "--" not in text.partition("-- migrate:down")[0].removeprefix("-- migrate:up")
    assert "USING" not in text.partition("-- migrate:down")[0]
    migrate(database, tmp_path)
    assert stored(database) == value.strip("'")


def test_cast_is_written_where_there_is_no_other_way(database: Database, tmp_path: Path) -> None:
    text = change(database, tmp_path, peewee.TextField(), peewee.IntegerField(), "'7'")
    assert 'TYPE integer USING "value"::integer;' in text
    migrate(database, tmp_path)
    assert stored(database) == "7"


async def test_role_without_temporary_tables(
    settings: ExampleSettings, database: Database, database_url: str, tmp_path: Path
) -> None:
    """Whether PostgreSQL converts can't be asked for, which is not the same as that it doesn't."""
    write_new(database, [model_with(peewee.CharField(max_length=255))], "create", tmp_path)
    migrate(database, tmp_path)
    name = f'"{database.database}"'
    async with role_with_one_connection(settings, database_url) as url:
        role = f'"{urlsplit(url).username}"'
        with database.allow_sync():
            database.execute_sql(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
            database.execute_sql(f"GRANT CREATE ON DATABASE {name} TO {role}")
            database.execute_sql(f"ALTER SCHEMA public OWNER TO {role}; ALTER TABLE thing OWNER TO {role}")
        poor = make_database(isolated_settings(ExampleSettings, url))
        try:
            with pytest.raises(peewee.ProgrammingError, match="permission denied to create temporary tables"):
                write_new(poor, [model_with(peewee.CharField(max_length=5))], "change", tmp_path)
        finally:
            with database.allow_sync():
                database.execute_sql(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")
                database.execute_sql(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}")
