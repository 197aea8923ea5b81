"""Connection parameters and lists of hosts work as in libpq, with either driver."""

import asyncio
import socket
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from peewee import OperationalError
from pydantic import SecretStr

from {{ cookiecutter.project_slug }}.foundation.database import Database, driver, make_database
from {{ cookiecutter.project_slug }}.foundation.settings import SettingsError
from {{ cookiecutter.project_slug }}.foundation.testing import isolated_settings

from .example import ExampleSettings
from .relay import Relay
from .support import free_port

PASSWORD = "p@ss:w/o?rd#%41 '\"\\é+&=[]"


async def test_keywords_of_libpq(database_url: str) -> None:
    keywords = urlencode({"application_name": "a name", "options": "-c geqo=off -c geqo_effort=1"}, quote_via=quote)
    database = database_on(f"{database_url}?{keywords}")
    assert await setting(database, "application_name") == "a name"
    assert await setting(database, "geqo") == "off"
    assert await setting(database, "geqo_effort") == "1"
    assert await setting(database, "statement_timeout") == "10s"


async def test_connections_have_the_name_of_the_package(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGAPPNAME", raising=False)
    database = database_on(database_url)
    package = driver.__name__.partition(".")[0]
    assert await setting(database, "application_name") == package
    with database.allow_sync():
        assert database.execute_sql("SHOW application_name").fetchone() == (package,)


async def test_name_that_is_given_comes_first(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGAPPNAME", "by libpq")
    assert await setting(database_on(database_url), "application_name") == "by libpq"


def test_idle_connections_are_kept_alive(database_url: str) -> None:
    """A firewall may forget them, without a word to either side."""
    assert database_on(database_url).connect_params["keepalives_idle"] == 60
    assert database_on(f"{database_url}?keepalives_idle=5").connect_params["keepalives_idle"] == "5"


async def test_any_character_whatever_the_clients_encoding(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    assert await setting(database_on(database_url), "client_encoding") == "UTF8"


async def test_no_options_for_poolers_that_refuse_them(database_url: str) -> None:
    database = database_on(f"{database_url}?options=")
    assert await setting(database, "statement_timeout") == "0"


@pytest.mark.parametrize("where", ["in the URL", "apart"])
async def test_any_character_in_a_password(settings: ExampleSettings, database_url: str, where: str) -> None:
    url = urlsplit(database_url)
    role = url.path.removeprefix("/")  # unique to this run, like its database
    owner = make_database(settings)
    escaped = "".join(rf"\u{ord(character):04x}" for character in PASSWORD)
    with owner.allow_sync():
        owner.execute_sql(f"CREATE ROLE {role} LOGIN PASSWORD E'{escaped}'")
    try:
        if where == "in the URL":
            netloc = f"{role}:{quote(PASSWORD, safe='')}@{url.hostname}:{url.port or 5432}"
            database = database_on(url._replace(netloc=netloc).geturl())
        else:
            apart: dict[str, Any] = {"database_host": url.hostname, "database_port": url.port or 5432}
            apart |= {"database_name": role, "database_user": role, "database_password": SecretStr(PASSWORD)}
            database = make_database(ExampleSettings.model_construct(**apart))
        assert await setting(database, "session_authorization") == role
        with database.allow_sync():
            assert database.execute_sql("SELECT current_user").fetchone() == (role,)
    finally:
        with owner.allow_sync():
            owner.execute_sql(f"DROP ROLE {role}")


async def test_host_that_refuses_is_passed_over(database_url: str) -> None:
    database = database_on(on_hosts(database_url, f"127.0.0.1:{free_port()}"))
    assert await setting(database, "transaction_read_only") == "off"


async def test_silent_host_leaves_time_for_the_next(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = on_hosts(database_url, f"127.0.0.1:{silent.getsockname()[1]}")
        database = database_on(url, pool_max_size=1, pool_timeout=1)
        await database.aio_connect()
        await database.aio_close()


async def test_silent_host_is_tried_last_from_then_on(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = on_hosts(database_url, f"127.0.0.1:{silent.getsockname()[1]}")
        database = database_on(url, pool_max_size=1, pool_timeout=1)
        await database.is_read_only(1)
        silent.settimeout(0)
        while True:  # accept the connections so far
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
        await database.is_read_only(1)
        with pytest.raises(BlockingIOError):
            silent.accept()


async def test_given_up_connection_is_closed_at_once() -> None:
    """Even while somebody keeps the exception, as a traceback's frames and logs do."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(TimeoutError) as kept:
            async with asyncio.timeout(0.2):
                await driver.connect(hostaddr="127.0.0.1", port=silent.getsockname()[1])
        given_up, _ = silent.accept()
        given_up.settimeout(2)
        with given_up:
            while given_up.recv(4096):
                pass
        assert kept.value


async def test_host_with_the_wrong_attributes(database_url: str) -> None:
    read_write = database_on(f"{database_url}?target_session_attrs=prefer-standby")
    assert await setting(read_write, "transaction_read_only") == "off"
    read_only = database_on(f"{database_url}?target_session_attrs=read-only")
    with pytest.raises(OperationalError, match="read-only"):
        await setting(read_only, "transaction_read_only")


async def test_address_that_refuses_is_passed_over(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` often has two addresses, and PostgreSQL may listen only on the second."""
    loop = asyncio.get_running_loop()
    look_up = loop.getaddrinfo

    async def addresses(host: str, *arguments: Any, **keywords: Any) -> list[tuple[Any, ...]]:
        if host != "postgres.invalid":
            return list(await look_up(host, *arguments, **keywords))
        found = [(socket.AF_INET6, ("::1", 0)), (socket.AF_INET, ("127.0.0.1", 0))]
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]

    monkeypatch.setattr(loop, "getaddrinfo", addresses)
    async with Relay(database_url) as relay:
        database = database_on(relay.url.replace("127.0.0.1", "postgres.invalid"))
        assert await setting(database, "transaction_read_only") == "off"


async def test_name_that_no_server_has(database_url: str) -> None:
    database = database_on(urlsplit(database_url)._replace(netloc="postgres.invalid").geturl())
    with pytest.raises(OperationalError, match=r"postgres\.invalid"):
        await setting(database, "transaction_read_only")


async def test_any_of_several_hosts(database_url: str) -> None:
    async with Relay(database_url) as first, Relay(database_url) as second:
        url = on_hosts(first.url, f"127.0.0.1:{second.port}")
        database = database_on(f"{url}?load_balance_hosts=random")
        for _ in range(30):
            await setting(database, "transaction_read_only")
        assert first.connections
        assert second.connections


async def test_server_that_fails_at_tls(database_url: str) -> None:
    """libpq's default, `sslmode=prefer`, then connects without it, on another socket."""
    async with Relay(database_url, fails_at_tls=True) as relay:
        database = database_on(relay.url)
        assert await setting(database, "transaction_read_only") == "off"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@secret@127.0.0.1/name",
        "postgresql://user:secret/secret@127.0.0.1/name",
        "postgresql://user:any@any/secret@127.0.0.1/name",
        "postgresql://user:12/secret=@127.0.0.1/name",
        "postgresql://user:%ff@127.0.0.1/name",
        "host=one,two,three port=1,2 password=secret",
        "postgresql://127.0.0.1/name?connect_timeout=secret",
        "postgresql://user:secret@127.0.0.1/name?no_such_keyword=secret",
        "host=127.0.0.1 no_such_keyword=1",
        "host=127.0.0.1 password=any secret=y user=user",
    ],
)
def test_bad_urls_are_refused_without_a_part_of_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as refused:
        database_on(url)
    assert "secret" not in str(refused.value).replace("connect_timeout='secret'", "")


async def setting(database: Database, name: str) -> str:
    """Return a setting of PostgreSQL, read on a new connection."""
    connection = await database.pool_backend.connect_one(5)
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT current_setting(%s)", (name,))
            return str((await cursor.fetchall())[0][0])
    finally:
        await connection.close()


def database_on(url: str, **others: Any) -> Database:
    return make_database(isolated_settings(ExampleSettings, url, **others))


def on_hosts(url: str, first: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}@{first},{host}").geturl()
