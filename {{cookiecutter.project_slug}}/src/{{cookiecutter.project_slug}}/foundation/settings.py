"""Settings: environment variables come first, then `.env`, then files in /run/secrets, then the defaults."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    PositiveInt,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.errors import PydanticUserError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from .logs import LogFormat, LogLevel

__all__ = ["ListenPort", "Port", "Seconds", "ServiceSettings", "SettingsError", "Timeout", "load_settings"]

SECRETS = Path("/run/secrets")  # where Docker and Kubernetes mount them, a file for each
SERVICE_LINK = "tcp://"  # Kubernetes sets DATABASE_PORT to one where a Service is called "database"
PARTS_OF_URL = {"database_host", "database_port", "database_name", "database_user", "database_password"}
DAY = 24 * 60 * 60

ORIGIN = re.compile(
    r"(?!http://.*:80$|https://.*:443$)[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"
)

Seconds = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)]
Timeout = Annotated[float, Field(ge=0.001, le=DAY, allow_inf_nan=False)]  # seconds
Port = Annotated[int, Field(ge=1, le=65535)]
ListenPort = Annotated[int, Field(ge=0, le=65535)]  # 0 is any free port
Networks: TypeAlias = frozenset[IPvAnyNetwork]


class SettingsError(Exception):
    """A setting has a value that is not allowed. The message is one line for whoever set it."""


def _split(given: object) -> object:
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _check_origin(given: str) -> str:
    if not ORIGIN.fullmatch(given):
        raise PydanticCustomError(
            "origin",
            "not as a browser sends it: scheme://host or scheme://host:port, in lower case, "
            "without a slash at the end or the scheme's own port",
        )
    return given


Origin = Annotated[str, AfterValidator(_check_origin)]


class ServiceSettings(BaseSettings):
    """Base of the service's settings. Each field is read from the variable of its name in capitals.

    Durations are in seconds, sizes in bytes. The subclass sets the defaults of `database_name`, `database_port` and
    `port`.
    """

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    database_host: str | None = None
    database_port: Port = 5432
    database_name: str
    database_user: str | None = None
    database_password: SecretStr | None = None
    pool_max_size: Annotated[int, Field(ge=1, le=10_000)] = 10
    pool_timeout: Timeout = 5
    statement_timeout: Timeout = 10

    listen_host: str = "127.0.0.1"
    port: ListenPort
    reuse_port: bool = False
    max_body_size: PositiveInt = 1024 * 1024
    trusted_origins: Annotated[frozenset[Origin], NoDecode, BeforeValidator(_split)] = frozenset()
    trusted_proxies: Annotated[Networks, NoDecode, BeforeValidator(_split)] = frozenset()
    shutdown_delay: Seconds = 0
    shutdown_grace: Seconds = 10

    migrate_on_start: bool = True
    seed_on_start: bool = True
    log_level: Annotated[LogLevel, BeforeValidator(str.lower)] = "info"
    log_format: LogFormat | None = None

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Strip the values, and drop those that are empty, that are service links, or that DATABASE_URL replaces."""
        values = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
        for name, value in values.items():
            if isinstance(value, str) and value.encode(errors="replace").decode() != value:
                raise PydanticCustomError("encoding", f"{name.upper()}: should be in UTF-8")
        has_url = bool(values.get("database_url"))
        return {
            name: value
            for name, value in values.items()
            if value != "" and not (name in PARTS_OF_URL and (has_url or str(value).startswith(SERVICE_LINK)))
        }

    @property
    def names_a_database(self) -> bool:
        """Whether the settings name a database; without one the service uses an embedded server."""
        return self.database_url is not None or self.database_host is not None


AnySettings = TypeVar("AnySettings", bound=ServiceSettings)


def load_settings(settings_class: type[AnySettings]) -> AnySettings:
    """Read the settings of this process. Raises SettingsError where a value is not allowed."""
    try:
        _check_env_file(Path(str(settings_class.model_config["env_file"])))
        return settings_class(_secrets_dir=SECRETS if SECRETS.is_dir() else None)  # type: ignore[call-arg]  # pydantic's
    except ValidationError as error:
        raise SettingsError("; ".join(_describe(wrong, settings_class) for wrong in error.errors())) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f".env is not in UTF-8: {error}") from None
    except OSError as error:  # .env or a secret that this user can't read, for instance
        raise SettingsError(f"{error.filename} can't be read: {error.strerror}") from None
    except SourceError as error:  # such as a list that is not written as JSON
        raise SettingsError(str(error)) from None


def _check_env_file(file: Path) -> None:
    """Refuse a line that python-dotenv would leave out with a warning."""
    if file.is_file():
        with file.open(encoding="utf-8") as stream:
            for binding in parse_stream(stream):
                if binding.error:
                    raise SettingsError(f"{file}: line {binding.original.line} is not of the form NAME=value")


def _describe(wrong: ErrorDetails, settings_class: type[ServiceSettings]) -> str:
    """Return one line with the variable, its value unless it is a secret, and what is allowed."""
    if not wrong["loc"]:  # of a validator of the whole
        return wrong["msg"]
    name = str(wrong["loc"][0])
    value = f"={wrong['input']!r}" if _may_be_shown(name, settings_class) else ""
    return f"{name.upper()}{value}: {wrong['msg']}"


def _may_be_shown(name: str, settings_class: type[ServiceSettings]) -> bool:
    """Return whether the field is known, and neither a secret nor something with a secret in it."""
    if name not in settings_class.model_fields:  # an alias, for instance
        return False
    annotation: Any = settings_class.model_fields[name].annotation
    try:
        schema = TypeAdapter(annotation).json_schema()
    except PydanticUserError:  # a type that only the settings class knows
        return False
    return "writeOnly" not in str(schema)
