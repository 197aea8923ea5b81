"""The SQLSTATE of a database error decides the status, and no SQL reaches the client."""

import json
from collections.abc import AsyncIterator

import pytest

from {{ cookiecutter.project_slug }}.foundation.testing import Service, running
from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings, make_application
from .support import problem

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'a secret' USING ERRCODE = '{}'; END $$"


class RaiseHandler(Handler):
    """Executes a statement that fails with the SQLSTATE of the path."""

    async def get(self, sqlstate: str) -> None:
        await self.application.database.aio_execute_sql(RAISE.format(sqlstate))

    async def post(self, sqlstate: str) -> None:
        await self.get(sqlstate)


@pytest.fixture
async def raising(settings: ExampleSettings) -> AsyncIterator[Service]:
    application = make_application(settings)
    application.add_handlers(".*", [("/raise/([0-9A-Z]{5})", RaiseHandler)])
    async with running(application, settings) as service:
        yield service


STATUSES = {
    503: ["08006", "25006", "25P03", "25P04", "40001", "40P01", "53300", "55P03", "57P01", "57P03"],
    409: ["23503", "23505", "23P01"],
    400: ["22001", "22003", "54000"],
    500: ["22012", "2200H", "23502", "42P01", "P0001", "XX000"],
}


@pytest.mark.parametrize("status", STATUSES)
async def test_status(raising: Service, status: int) -> None:
    for sqlstate in STATUSES[status]:
        response = await raising.get(f"/raise/{sqlstate}")
        assert response.code == status, sqlstate
        assert "secret" not in json.dumps(problem(response)), sqlstate


async def test_only_safe_methods_are_told_to_try_again(raising: Service) -> None:
    assert (await raising.get("/raise/53300")).headers["Retry-After"] == "1"
    posted = await raising.post("/raise/53300")
    assert (posted.code, "Retry-After" in posted.headers) == (503, False)
