"""From the settings to a connection."""

import asyncio
from typing import Any

import peewee
import structlog

from ..settings import Settings, SettingsError
from . import driver
from .database import Database
from .errors import peewee_errors

logger = structlog.get_logger()

LEAST_CONNECT_TIMEOUT = 2  # seconds; libpq takes 1 for 2
WAIT_BETWEEN_PINGS = 0.5  # seconds


def make_database(settings: Settings) -> Database:
    """The database that the settings name. Nothing connects yet. Raises SettingsError."""
    keywords = _connection_keywords(settings)
    return Database(
        keywords.pop("dbname", settings.database_name),
        statement_timeout=settings.statement_timeout,
        pool_params={"size": settings.pool_max_size, "timeout": settings.pool_timeout},
        **keywords,
    )


async def wait_for_database(database: Database, seconds: float) -> None:
    """Wait until the server answers. Raises the OperationalError of its last refusal after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    reported = ""
    while True:
        try:
            await database.ping(database.pool_backend.timeout)
        except peewee.OperationalError as error:
            if loop.time() + WAIT_BETWEEN_PINGS > deadline:
                raise
            if str(error) != reported:
                reported = str(error)
                logger.info("waiting for the database", refused=" ".join(reported.split()))
            await asyncio.sleep(WAIT_BETWEEN_PINGS)
        else:
            return


def _connection_keywords(settings: Settings) -> dict[str, Any]:
    """As in https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS."""
    keywords = _given_keywords(settings)
    hosts = str(keywords.get("host") or "").count(",") + 1
    # One host that is lost leaves time for the next.
    keywords.setdefault("connect_timeout", max(int(settings.pool_timeout / hosts), LEAST_CONNECT_TIMEOUT))
    # The server ends a statement that takes too long, and one whose client is gone: killed, or cancelled (aiopg closes
    # the connection then, and leaves it at that). PgBouncer takes no options: for it DATABASE_URL has them empty.
    bounds = f"-c statement_timeout={settings.statement_timeout * 1000:.0f} -c client_connection_check_interval=1s"
    given_options = keywords.get("options")
    keywords["options"] = None if given_options == "" else f"{bounds} {given_options or ''}".strip()
    return {name: value for name, value in keywords.items() if value is not None}


def _given_keywords(settings: Settings) -> dict[str, Any]:
    if settings.database_url is None:
        password = settings.database_password
        return {
            "host": settings.database_host,
            "port": settings.database_port,
            "user": settings.database_user,
            "password": password and password.get_secret_value(),
        }
    try:
        with peewee_errors():
            keywords: dict[str, Any] = driver.parse_dsn(settings.database_url.get_secret_value())
    except peewee.ProgrammingError:  # its text may have a part of the password
        raise SettingsError("DATABASE_URL is not of the form postgresql://user:password@host:port/name") from None
    timeout = keywords.get("connect_timeout", "0")
    if not timeout.isdecimal():
        raise SettingsError(f"DATABASE_URL: connect_timeout={timeout!r}: should be a whole number of seconds")
    return keywords
