"""Settings come from the environment, `.env` and secrets, and a bad value is refused in one line."""

import os
import pwd
from ipaddress import ip_network
from pathlib import Path
from typing import Self

import pytest
from pydantic import BaseModel, Field, SecretStr, model_validator

from {{ cookiecutter.project_slug }}.foundation import settings as settings_module
from {{ cookiecutter.project_slug }}.foundation.settings import SettingsError, load_settings

from .example import ExampleSettings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ExampleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ExampleSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(ExampleSettings)


NOT_ORIGINS = [
    "*",
    "null",
    "www.example.com",
    "https://*.example.com",
    "https://x/",
    "https://x/path",
    "https://x?query",
    "https://u:p@x",
    "HTTPS://x",
    "https://X",
    "https://x:443",
    "http://x:80",
    "https://x:0443",
    "https://",
    "//x",
    "https://b\u00fccher.example",
]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "http", "integer"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("DATABASE_PORT", "0", "greater than or equal to 1"),
        ("POOL_MAX_SIZE", "0", "greater than or equal to 1"),
        ("POOL_MAX_SIZE", "99999999999999999999", "less than or equal to 10000"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("STATEMENT_TIMEOUT", "0.0001", "greater than or equal to 0.001"),
        ("POOL_TIMEOUT", "inf", "finite"),
        *(("TRUSTED_ORIGINS", origin, "as a browser sends it") for origin in NOT_ORIGINS),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "IPv4 or IPv6 network"),
        ("TRUSTED_PROXIES", "localhost", "IPv4 or IPv6 network"),
        ("TRUSTED_PROXIES", "*", "IPv4 or IPv6 network"),
    ],
)
def test_bad_value_is_refused_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, **{name: value})
    assert str(refused.value).startswith(f"{name}={value!r}: ")
    assert allowed in str(refused.value)
    assert "\n" not in str(refused.value)


def test_spaces_and_line_ends_around_a_value_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DATABASE_URL=" postgresql://host/name\n", PORT="80\n", LOG_LEVEL=" Debug")
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://host/name"
    assert (settings.port, settings.log_level) == (80, "debug")


def test_lists_are_separated_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ["https://x", "http://localhost:3000", "http://[::1]:8080", "https://x:80", "capacitor://localhost"]
    settings = load(monkeypatch, TRUSTED_ORIGINS=",".join(origins), TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1 ::1\n")
    assert settings.trusted_origins == {*origins}
    assert settings.trusted_proxies == {*map(ip_network, ("10.0.0.0/8", "127.0.0.1/32", "::1/128"))}


def test_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = load_settings(ExampleSettings)
    assert load(monkeypatch, PORT="", DATABASE_URL=" ") == unset


def test_environment_comes_before_env_file_and_that_before_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings_module, "SECRETS", tmp_path)
    for name in ("database_name", "database_user", "database_password"):
        (tmp_path / name).write_text("from a secret\n")
    (tmp_path / ".env").write_text("DATABASE_NAME=from the file\nDATABASE_USER=from the file\n")
    settings = load(monkeypatch, DATABASE_NAME="from the environment")
    assert settings.database_password is not None
    assert settings.database_password.get_secret_value() == "from a secret"
    assert (settings.database_name, settings.database_user) == ("from the environment", "from the file")


def test_other_database_settings_are_ignored_beside_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DATABASE_URL="postgresql://host/name", DATABASE_PORT="none", DATABASE_HOST="other")
    assert (settings.database_port, settings.database_host) == (5432, None)


def test_service_link_of_kubernetes_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, DATABASE_PORT="tcp://10.0.0.1:5432").database_port == 5432


class Mail(BaseModel):
    host: str
    password: SecretStr


class OwnSettings(ExampleSettings):
    api_token: SecretStr = Field(default=SecretStr("long enough"), min_length=8)
    names: list[str] = Field(default_factory=list)
    database_replica_url: str = ""
    service_token: SecretStr = Field(default=SecretStr("long enough"), min_length=8, validation_alias="TOKEN_OF_OURS")
    mail: Mail | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.names == ["refused"]:
            raise ValueError("names: not this one")
        return self


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("API_TOKEN", "secret", "API_TOKEN: Value should have at least 8 items"),
        ("TOKEN_OF_OURS", "secret", "TOKEN_OF_OURS: Value should have at least 8 items"),
        ("MAIL", '{"password": "secret"}', "MAIL: Field required"),
        ("NAMES", "a, b", "names"),
        ("NAMES", '["refused"]', "Value error, names: not this one"),
    ],
)
def test_own_fields_are_refused_in_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings(OwnSettings)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_own_field_with_a_similar_name_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://host/name")
    monkeypatch.setenv("DATABASE_REPLICA_URL", "postgresql://replica/name")
    assert load_settings(OwnSettings).database_replica_url == "postgresql://replica/name"


def test_secrets_are_not_shown() -> None:
    url = "postgresql://user:a-secret@127.0.0.1/name"
    shown = repr(ExampleSettings(database_url=url, database_password="a-secret"))  # type: ignore[arg-type]
    assert "a-secret" not in shown


def test_env_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff")
    with pytest.raises(SettingsError, match=r"^\.env is not in UTF-8: "):
        load_settings(ExampleSettings)


def test_env_file_that_is_not_readable(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0)
    user = os.geteuid()
    if user == 0:  # root reads anything
        tmp_path.chmod(0o711)  # from Python 3.14 on, a file in a folder that can't be entered counts as missing
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(SettingsError, match=r"^\.env can't be read: Permission denied$"):
            load_settings(ExampleSettings)
    finally:
        os.seteuid(user)


def test_line_of_the_env_file_that_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('PORT=1\nDATABASE_URL="postgresql://user:secret@host/name\n')
    with pytest.raises(SettingsError, match=r"^\.env: line 2 is not of the form NAME=value$"):
        load_settings(ExampleSettings)


@pytest.mark.parametrize("name", ["DATABASE_PASSWORD", "DATABASE_URL", "LISTEN_HOST"])
def test_value_that_is_not_in_utf_8(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: should be in UTF-8$"):
        load(monkeypatch, **{name: "secret\udcff"})
