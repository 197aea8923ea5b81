"""What can be configured: environment variables first, then `.env`, then these defaults."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .logs import LogFormat

DAY = 24 * 60 * 60
Seconds = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)]
Timeout = Annotated[float, Field(ge=0.001, le=DAY, allow_inf_nan=False)]
LogLevel = Literal["debug", "info", "warning", "error"]


def _split(given: object) -> object:
    return given.replace(",", " ").split() if isinstance(given, str) else given


class SettingsError(Exception):
    """A variable has a value that is not allowed; the message is one line for whoever set it."""


class Settings(BaseSettings):
    """Each field is read from the variable of its name in capitals. Durations are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    database_host: str | None = None
    database_port: int = Field(default={{ cookiecutter.database_port }}, ge=1, le=65535)
    database_name: str = "{{ cookiecutter.database_name }}"
    database_user: str | None = None
    database_password: SecretStr | None = None
    pool_max_size: PositiveInt = 10
    pool_timeout: Timeout = 5
    statement_timeout: Timeout = 10

    host: str = "127.0.0.1"
    port: int = Field(default={{ cookiecutter.port }}, ge=0, le=65535)
    max_body_size: PositiveInt = 1024 * 1024
    shutdown_delay: Seconds = 0
    shutdown_grace: Seconds = 10

    migrate: bool = True
    seed: bool = True
    trusted_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_split)] = frozenset()
    log_level: Annotated[LogLevel, BeforeValidator(str.lower)] = "info"
    log_format: LogFormat | None = None
    sentry_dsn: SecretStr | None = None

    @property
    def names_a_database(self) -> bool:
        """Whether there is a database to connect to, or an embedded one has to be started."""
        return self.database_url is not None or self.database_host is not None


def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError where a value is not allowed."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(map(_describe, error.errors()))) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f".env is not in UTF-8: {error}") from None


def _describe(wrong: ErrorDetails) -> str:
    """One line: the variable, its value and what is allowed."""
    return f"{str(wrong['loc'][0]).upper()}={wrong['input']!r}: {wrong['msg']}"
