"""Makes the database object from the settings."""

import math
import re
from typing import Any

import peewee

from ..settings import ServiceSettings, SettingsError
from . import driver
from .database import Database
from .errors import peewee_errors

ANSWER_MARGIN = 1  # seconds after `statement_timeout` in which the server should report it
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}  # seconds, seconds, probes
PACKAGE = __name__.partition(".")[0]
FORM = "postgresql://user:password@host:port/name, with %40 for @ and %2F for / in a password"


def make_database(settings: ServiceSettings) -> Database:
    """Return the database that the settings name, not yet connected. Raises SettingsError."""
    keywords = _connection_keywords(settings)
    return Database(
        keywords.pop("dbname", settings.database_name),
        answer_timeout=settings.statement_timeout + ANSWER_MARGIN,
        pool_params={"size": settings.pool_max_size, "timeout": settings.pool_timeout},
        **keywords,
    )


def _connection_keywords(settings: ServiceSettings) -> dict[str, Any]:
    """Return libpq's keywords: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS."""
    # A firewall may forget an idle connection without a word. libpq's default notices that after two hours.
    keywords = KEEPALIVES | _given_keywords(settings)
    keywords.setdefault("connect_timeout", math.ceil(settings.pool_timeout))
    # For pg_stat_activity. `application_name` in DATABASE_URL and PGAPPNAME come first.
    keywords.setdefault("fallback_application_name", PACKAGE)
    # Else it is the database's encoding, or PGCLIENTENCODING, in which the driver can't write every character.
    keywords.setdefault("client_encoding", "UTF8")
    # The server ends a statement at statement_timeout. It notices a client that left only by
    # client_connection_check_interval: aiopg cancels a statement by closing its connection. PgBouncer refuses
    # `options`; an empty one in DATABASE_URL leaves them out.
    bounds = f"-c statement_timeout={settings.statement_timeout * 1000:.0f} -c client_connection_check_interval=1s"
    given_options = keywords.get("options")
    keywords["options"] = None if given_options == "" else f"{bounds} {given_options or ''}".strip()
    return {name: value for name, value in keywords.items() if value is not None}


def _given_keywords(settings: ServiceSettings) -> dict[str, Any]:
    if settings.database_url is None:
        password = settings.database_password
        return {
            "host": settings.database_host,
            "port": settings.database_port,
            "user": settings.database_user,
            "password": password and password.get_secret_value(),
        }
    url = settings.database_url.get_secret_value()
    if re.match("[a-z]+://[^/?]*/[^?]*@", url):  # the password has an unquoted /, and libpq shows the rest as a name
        raise SettingsError(f"DATABASE_URL is not of the form {FORM}")
    try:
        with peewee_errors:
            keywords: dict[str, Any] = driver.parse_dsn(url)
    except (peewee.ProgrammingError, UnicodeDecodeError) as error:
        # libpq's message may quote the password, so only this match is shown.
        unknown = re.search("invalid URI query parameter.*", str(error))
        raise SettingsError(f"DATABASE_URL is not of the form {FORM}{': ' + unknown[0] if unknown else ''}") from None
    _check(keywords)
    return keywords


def _check(keywords: dict[str, Any]) -> None:
    """Refuse what libpq would only refuse when it connects, with a part of the password in its message."""
    hosts = [name for name in ("host", "hostaddr", "port") if keywords.get(name)]
    numbers = {name: keywords[name].count(",") + 1 for name in hosts}
    if not re.fullmatch("[0-9,]*", keywords.get("port", "")) or "@" in keywords.get("host", "")[1:]:
        raise SettingsError(f"DATABASE_URL is not of the form {FORM}")
    if len({number for name, number in numbers.items() if (name, number) != ("port", 1)}) > 1:
        raise SettingsError(f"DATABASE_URL has {' and '.join(f'{n} of {name}' for name, n in numbers.items())}")
    if not re.fullmatch("[0-9]{1,6}", keywords.get("connect_timeout", "0")):
        timeout = keywords["connect_timeout"]
        raise SettingsError(f"DATABASE_URL: connect_timeout={timeout!r}: should be a whole number of seconds")
