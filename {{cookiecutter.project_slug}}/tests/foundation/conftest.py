"""The tests of this folder run on the example, not on your service."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from {{ cookiecutter.project_slug }}.foundation import command_line
from {{ cookiecutter.project_slug }}.foundation.server import STOP_SIGNALS
from {{ cookiecutter.project_slug }}.foundation.testing import MakeApplication

from . import example
from .example import ExampleSettings

Command = Callable[..., tuple[object, str]]


@pytest.fixture(scope="session")
def make_application() -> MakeApplication:
    return example.make_application


@pytest.fixture(scope="session")
def settings_class() -> type[ExampleSettings]:
    return ExampleSettings


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Run a command in this process, in an empty folder; return its exit code or message, and what it printed.

    The test can't be async: the command runs an event loop.
    """
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "configure_logging", lambda *_: None)
    for name in {*os.environ}:
        if name.lower() in ExampleSettings.model_fields:
            monkeypatch.delenv(name)

    def run(*arguments: str, **environment: str) -> tuple[object, str]:
        code: object = 0
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                command_line.run("example", example.make_application, ExampleSettings, arguments)
            except SystemExit as ended:
                code = ended.code
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
