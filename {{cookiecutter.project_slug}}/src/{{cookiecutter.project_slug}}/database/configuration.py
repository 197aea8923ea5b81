"""The settings as a database object."""

import math
import re
from typing import Any

import peewee

from ..settings import Settings, SettingsError
from . import driver
from .database import Database
from .errors import peewee_errors

# Seconds beyond `statement_timeout` in which the server itself should say that it was reached.
ANSWER_MARGIN = 1
FORM = "postgresql://user:password@host:port/name, with %40 for @ and %2F for / in a password"


def make_database(settings: Settings) -> Database:
    """The database that the settings name. Nothing connects yet. Raises SettingsError."""
    keywords = _connection_keywords(settings)
    return Database(
        keywords.pop("dbname", settings.database_name),
        answer_timeout=settings.statement_timeout + ANSWER_MARGIN,
        pool_params={"size": settings.pool_max_size, "timeout": settings.pool_timeout},
        **keywords,
    )


def _connection_keywords(settings: Settings) -> dict[str, Any]:
    """As in https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS."""
    keywords = _given_keywords(settings)
    keywords.setdefault("connect_timeout", math.ceil(settings.pool_timeout))
    # The server ends a statement at statement_timeout. That the client is gone it notices by
    # client_connection_check_interval only: when a statement is cancelled, aiopg closes the connection and leaves it at
    # that. PgBouncer refuses `options`; an empty one in DATABASE_URL leaves them out.
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
        with peewee_errors:
            keywords: dict[str, Any] = driver.parse_dsn(settings.database_url.get_secret_value())
    except (peewee.ProgrammingError, UnicodeDecodeError) as error:
        # Of its text, which may have a part of the password, no more is said than that.
        unknown = re.search("invalid (URI query parameter|connection option).*", str(error))
        raise SettingsError(f"DATABASE_URL is not of the form {FORM}{': ' + unknown[0] if unknown else ''}") from None
    _check(keywords)
    return keywords


def _check(keywords: dict[str, Any]) -> None:
    """What libpq would find when it connects, and then show a part of the password in its message."""
    hosts = [name for name in ("host", "hostaddr", "port") if keywords.get(name)]
    numbers = {name: keywords[name].count(",") + 1 for name in hosts}
    if not re.fullmatch("[0-9,]*", keywords.get("port", "")) or "@" in keywords.get("host", "")[1:]:
        raise SettingsError(f"DATABASE_URL is not of the form {FORM}")
    if len({number for name, number in numbers.items() if (name, number) != ("port", 1)}) > 1:
        raise SettingsError(f"DATABASE_URL has {' and '.join(f'{n} of {name}' for name, n in numbers.items())}")
    if not re.fullmatch("[0-9]{1,6}", keywords.get("connect_timeout", "0")):
        timeout = keywords["connect_timeout"]
        raise SettingsError(f"DATABASE_URL: connect_timeout={timeout!r}: should be a whole number of seconds")
