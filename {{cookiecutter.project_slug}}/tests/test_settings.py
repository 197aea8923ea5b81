"""What can be configured is written down, and what is not allowed is said."""

import re
import shutil
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }}.settings import Settings, load_settings

from .service import run, start_in

EXAMPLE = Path(__file__).parent.parent / ".env.example"


def test_example_has_every_setting_with_a_line_on_it() -> None:
    settings = re.findall(r"^# .+\n([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(settings) == sorted(name.upper() for name in Settings.model_fields)


def test_example_shows_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    defaults = load_settings()
    shutil.copy(EXAMPLE, ".env")
    assert load_settings() == defaults


def test_secrets_are_not_shown() -> None:
    url = "postgresql://user:a-secret@127.0.0.1/name"
    shown = repr(Settings.model_validate({"database_url": url, "database_password": "a-secret"}))
    assert "a-secret" not in shown


async def test_env_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff")
    process = await start_in(tmp_path, "serve")
    printed, _ = await process.communicate()
    assert process.returncode == 1
    assert re.fullmatch(rb"\w+: \.env is not in UTF-8: .*\n", printed)


async def test_host_that_is_no_name(database_url: str) -> None:
    code, printed = await run("serve", DATABASE_URL=database_url, HOST="a..b", MIGRATE="false", SEED="false")
    assert code == 1
    assert re.fullmatch(r"\w+: HOST=a\.\.b PORT=\d+ can't be listened on: .*\n", printed)
