"""All that libpq can do to connect, whatever the driver."""

import asyncio
import socket
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from peewee import OperationalError
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.database import Database, make_database
from {{ cookiecutter.project_slug }}.settings import Settings, SettingsError

from .relay import Relay
from .service import defaults, run, serve_for_test, start

PASSWORD = "p@ss:w/o?rd#%41 '\"\\é+&=[]"


async def test_keywords_of_libpq(database_url: str) -> None:
    keywords = urlencode({"application_name": "a name", "options": "-c geqo=off -c geqo_effort=1"}, quote_via=quote)
    database = make_database(defaults(f"{database_url}?{keywords}"))
    assert await setting(database, "application_name") == "a name"
    assert await setting(database, "geqo") == "off"
    assert await setting(database, "geqo_effort") == "1"
    assert await setting(database, "statement_timeout") == "10s"


async def test_no_options_for_poolers_that_refuse_them(database_url: str) -> None:
    database = make_database(defaults(f"{database_url}?options="))
    assert await setting(database, "statement_timeout") == "0"


@pytest.mark.parametrize("where", ["in the URL", "apart"])
async def test_any_character_in_a_password(settings: Settings, database_url: str, where: str) -> None:
    url = urlsplit(database_url)
    role = url.path.removeprefix("/")  # of this run alone, like its database
    owner = make_database(settings)
    escaped = "".join(rf"\u{ord(character):04x}" for character in PASSWORD)
    with owner.allow_sync():
        owner.execute_sql(f"CREATE ROLE {role} LOGIN PASSWORD E'{escaped}'")
    try:
        if where == "in the URL":
            netloc = f"{role}:{quote(PASSWORD, safe='')}@{url.hostname}:{url.port or 5432}"
            database = make_database(defaults(url._replace(netloc=netloc).geturl()))
        else:
            apart: dict[str, Any] = {"database_host": url.hostname, "database_port": url.port or 5432}
            apart |= {"database_name": role, "database_user": role, "database_password": SecretStr(PASSWORD)}
            database = make_database(Settings.model_construct(**apart))
        assert await setting(database, "session_authorization") == role
        with database.allow_sync():
            assert database.execute_sql("SELECT current_user").fetchone() == (role,)
    finally:
        with owner.allow_sync():
            owner.execute_sql(f"DROP ROLE {role}")


async def test_first_host_refuses(database_url: str) -> None:
    database = make_database(defaults(on_hosts(database_url, f"127.0.0.1:{free_port()}")))
    assert await setting(database, "transaction_read_only") == "off"


async def test_first_host_is_silent(database_url: str) -> None:
    """There is time for the second within POOL_TIMEOUT."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = on_hosts(database_url, f"127.0.0.1:{silent.getsockname()[1]}")
        database = make_database(defaults(url, pool_max_size=1))
        await database.aio_connect()
        await database.aio_close()


async def test_host_with_the_wrong_attributes(database_url: str) -> None:
    read_write = make_database(defaults(f"{database_url}?target_session_attrs=prefer-standby"))
    assert await setting(read_write, "transaction_read_only") == "off"
    read_only = make_database(defaults(f"{database_url}?target_session_attrs=read-only"))
    with pytest.raises(OperationalError, match="read-only"):
        await setting(read_only, "transaction_read_only")


async def test_first_address_refuses(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `localhost` often has two, and PostgreSQL listens on the second. Looking them up stops nobody else."""

    async def addresses(*_: object, **__: object) -> list[tuple[Any, ...]]:
        found = [(socket.AF_INET6, ("::1", 0)), (socket.AF_INET, ("127.0.0.1", 0))]
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses)
    async with Relay(database_url) as relay:
        database = make_database(defaults(relay.url.replace("127.0.0.1", "postgres.invalid")))
        assert await setting(database, "transaction_read_only") == "off"


async def test_name_that_no_server_has(database_url: str) -> None:
    database = make_database(defaults(urlsplit(database_url)._replace(netloc="postgres.invalid").geturl()))
    with pytest.raises(OperationalError, match=r"postgres\.invalid"):
        await setting(database, "transaction_read_only")


async def test_any_of_several_hosts(database_url: str) -> None:
    async with Relay(database_url) as first, Relay(database_url) as second:
        url = on_hosts(first.url, f"127.0.0.1:{second.port}")
        database = make_database(defaults(f"{url}?load_balance_hosts=random"))
        for _ in range(30):
            await setting(database, "transaction_read_only")
        assert first.connections
        assert second.connections


async def test_server_that_fails_at_tls(database_url: str) -> None:
    """libpq's default, `sslmode=prefer`, then connects without it, on another socket."""
    async with Relay(database_url, fails_at_tls=True) as relay:
        database = make_database(defaults(relay.url))
        assert await setting(database, "transaction_read_only") == "off"


async def test_connect_timeout_that_is_no_number(database_url: str) -> None:
    with pytest.raises(SettingsError, match="connect_timeout='abc'"):
        make_database(defaults(f"{database_url}?connect_timeout=abc"))


async def test_wait_for_the_database(settings: Settings, database_url: str) -> None:
    async with serve_for_test(settings):
        pass
    async with Relay(database_url) as relay:
        relay.cut()
        process = await start("seed", "--wait", "60", DATABASE_URL=relay.url)
        assert process.stdout is not None
        assert b"waiting for the database" in await process.stdout.readline()
        await relay.mend()
        printed, _ = await process.communicate()
    assert (process.returncode, printed) == (0, b"")


async def test_wait_ends() -> None:
    url = f"postgresql://user:password@127.0.0.1:{free_port()}/name"
    code, printed = await run("serve", "--wait", "0.1", DATABASE_URL=url, LOG_LEVEL="error")
    assert code == 1
    assert printed.count("\n") == 1
    assert "refused" in printed


async def test_wait_wants_seconds() -> None:
    code, printed = await run("serve", "--wait", "-1")
    assert code == 2
    assert "argument --wait" in printed


async def setting(database: Database, name: str) -> str:
    """PostgreSQL's setting of that name, on one more connection."""
    connection = await database.pool_backend.connect_one()
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT current_setting(%s)", (name,))
            return str((await cursor.fetchall())[0][0])
    finally:
        await connection.close()


def on_hosts(url: str, first: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}@{first},{host}").geturl()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
