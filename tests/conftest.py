"""Bakes, the environments they run in, and a PostgreSQL for all of them."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .baked import TEMPLATE, UV, Project
from .postgres import Server, folder_of_servers
from .serving import Service

Bake = Callable[..., Project]
Figures = list[str]

FIGURES = pytest.StashKey[Figures]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what tests measured: a figure is for people, and no test fails for it."""
    if config.stash.get(FIGURES, []):
        terminalreporter.section("figures")
        for line in config.stash[FIGURES]:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Lines to print at the end."""
    return pytestconfig.stash.setdefault(FIGURES, [])


@pytest.fixture(scope="session")
def bake(cookies_session: Any) -> Bake:
    """Bakes a project with the answers that are given, and the defaults for the others."""

    def bake_with(**answers: str) -> Project:
        result = cookies_session.bake(extra_context=answers)
        assert result.exception is None, result.exception
        return Project(Path(result.project_path))

    return bake_with


@pytest.fixture(scope="session")
def python_for(bake: Bake) -> Callable[[str], Path]:
    """The Python of an environment with the dependencies of a driver's projects, and no project in it."""

    @functools.cache
    def make(driver: str) -> Path:
        environment = TEMPLATE / "build" / "environments" / driver
        bake(driver=driver).run(UV, "sync", "--no-install-project", UV_PROJECT_ENVIRONMENT=str(environment))
        return environment / "bin" / "python"

    return make


@pytest.fixture(scope="session")
def postgres(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    keeper = bake().path / "src" / "name_service" / "embedded" / "keeper.py"
    folder = tmp_path_factory.mktemp("postgres")
    with subprocess.Popen(
        [sys.executable, "-P", keeper, folder, "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        answer = json.loads(server.stdout.readline())
        yield answer["url"]


@pytest.fixture(scope="session", params=["aiopg", "psycopg"])
def service(bake: Bake, python_for: Callable[[str], Path], request: pytest.FixtureRequest) -> Service:
    return Service(bake(driver=request.param), python_for(request.param), request.param)


@pytest.fixture(scope="session")
def servers() -> Iterator[Path]:
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture(scope="session")
def server(servers: Path) -> Iterator[Server]:
    """One for all tests: each leaves it running."""
    server = Server(servers / "postgres")
    server.create()
    server.start()
    yield server
    server.stop()
