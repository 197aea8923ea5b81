"""A database that is away or overloaded is a 503, and no request waits for ever."""

import asyncio
from urllib.parse import urlsplit

import peewee
import pytest
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.settings import Settings

from .service import Service, problem, serve_for_test


async def test_connections_that_died_while_idle_are_not_handed_out(service: Service) -> None:
    database = service.application.database
    with database.allow_sync():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    # At once, before the event loop could tell the driver what there is to read.
    async with asyncio.TaskGroup() as group:
        for _ in range(database.pool_backend.size):
            group.create_task(database.aio_execute_sql("SELECT 1"))


async def test_lost_and_found(settings: Settings) -> None:
    async with serve_for_test(settings):
        pass  # migrated and seeded now: nothing synchronous can go through a relay that runs in the same thread
    assert settings.database_url is not None
    url = urlsplit(settings.database_url.get_secret_value())
    async with Relay(url.hostname or "127.0.0.1", url.port or 5432) as relay:
        through_relay = url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{relay.port}").geturl()
        cut_off = {"database_url": SecretStr(through_relay), "pool_max_size": 2, "migrate": False, "seed": False}
        async with serve_for_test(settings.model_copy(update=cut_off)) as service:
            assert (await service.get("/?id=1")).code == 200
            relay.cut()
            for path in ("/?id=1", "/create?id=9", "/readyz"):
                response = await service.get(path)
                assert response.code == 503
                assert response.headers["Retry-After"] == "1"
                assert "detail" not in problem(response) or path == "/readyz"
            await relay.mend()
            assert (await service.get("/?id=1")).code == 200
            assert (await service.get("/readyz")).code == 200


async def test_statement_is_bounded(settings: Settings) -> None:
    async with serve_for_test(settings.model_copy(update={"statement_timeout": 0.1})) as service:
        with pytest.raises(peewee.OperationalError):
            await service.application.database.aio_execute_sql("SELECT pg_sleep(60)")
        assert (await service.get("/?id=1")).code == 200


class Relay:
    """A way to PostgreSQL that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> "Relay":
        await self.mend()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._open |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()
