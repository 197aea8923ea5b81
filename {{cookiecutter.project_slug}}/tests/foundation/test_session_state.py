"""What a statement leaves in its session is gone before another task gets the connection."""

from collections.abc import AsyncIterator

import pytest

from {{ cookiecutter.project_slug }}.foundation.database import Database

from .example import ExampleSettings
from .support import running_with


@pytest.fixture
async def database(settings: ExampleSettings) -> AsyncIterator[Database]:
    async with running_with(settings, pool_max_size=1) as service:
        yield service.database


async def session(database: Database) -> int:
    found = await database.aio_execute_sql("SELECT pg_backend_pid()", fetch_results=lambda _, cursor: cursor.fetchone())
    return int(found[0])


@pytest.mark.parametrize(
    "statement",
    [
        "SET geqo = off",
        "set session geqo to off",
        "SET TIME ZONE 'UTC'",
        "-- a comment\n/* and * another */ SET geqo = off",
        "SELECT 1; SET geqo = off",
        "SELECT set_config('geqo', 'off', false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock_shared(1)",
        "LISTEN channel",
        "PREPARE statement AS SELECT 1",
        "CREATE TEMPORARY TABLE t (n int)",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
        "SELECT 1 AS n INTO TEMP t",
        "CREATE TABLE pg_temp.t (n int)",
        f"SELECT '{'long' * 1000}', pg_advisory_lock(1)",
    ],
)
async def test_session_ends(database: Database, statement: str) -> None:
    before = await session(database)
    await database.aio_execute_sql(statement)
    assert await session(database) != before


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL geqo = off",
        "SET\n  LOCAL geqo = off",
        "SELECT set_config('geqo', 'off', true)",
        "SELECT pg_advisory_xact_lock(1)",
        "CREATE TEMP TABLE t (n int) ON COMMIT DROP",
        "UPDATE item SET name = 'a temp; set_config or hold'",
        "SHOW geqo",
    ],
)
async def test_session_stays(database: Database, statement: str) -> None:
    before = await session(database)
    async with database.aio_atomic():
        await database.aio_execute_sql(statement)
    assert await session(database) == before


async def test_state_stays_for_the_task_that_set_it(database: Database) -> None:
    async with database.aio_connection():
        before = await session(database)
        await database.aio_execute_sql("SET geqo = off")
        assert await session(database) == before
    assert await session(database) != before
