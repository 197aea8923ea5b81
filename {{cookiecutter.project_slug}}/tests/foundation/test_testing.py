"""The fixtures give each test an empty database, whatever the test before it left."""

import pytest
from pydantic import AnyUrl, Field, ValidationError

from {{ cookiecutter.project_slug }}.foundation.database import make_database
from {{ cookiecutter.project_slug }}.foundation.testing import EMPTY, isolated_settings

from .example import ExampleSettings


def test_database_is_emptied(settings: ExampleSettings) -> None:
    database = make_database(settings)
    with database.allow_sync():
        database.execute_sql("CREATE SCHEMA other CREATE TABLE a (b integer)")
        database.execute_sql("CREATE TYPE mood AS ENUM ('fine')")
        database.execute_sql(EMPTY)
        found = database.execute_sql("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'").fetchall()
        assert {name for (name,) in found} == {"public", "information_schema"}
        assert database.execute_sql("SELECT to_regtype('mood')").fetchone() == (None,)


def test_sessions_of_the_test_before_are_ended(settings: ExampleSettings) -> None:
    before, database = make_database(settings), make_database(settings)
    with before.allow_sync(), database.allow_sync():
        (pid,) = before.execute_sql("SELECT pg_backend_pid()").fetchone()
        database.execute_sql(EMPTY)
        assert database.execute_sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall() == []


class OwnSettings(ExampleSettings):
    upstream: AnyUrl = Field(default="https://example.com/")  # type: ignore[assignment]  # pydantic makes it a URL


def test_settings_are_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM", "https://elsewhere.example.com/")
    settings = isolated_settings(OwnSettings, "postgresql://host/name")
    assert isinstance(settings, OwnSettings)
    assert settings.upstream.host == "example.com"
    with pytest.raises(ValidationError):
        isolated_settings(OwnSettings, "postgresql://host/name", pool_max_size=0)
