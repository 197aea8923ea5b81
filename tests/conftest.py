"""Fixtures of bakes, their environments and PostgreSQL, and the order of the tests."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from harness.baked import BUILD, UV, Bake, Project
from harness.figures import Figures
from harness.postgres import PostgresOf, Server, folder_of_servers
from harness.progress import Progress
from harness.pythons import THIS_VERSION, PythonFor, interpreter_or_skip
from harness.serving import Service
from harness.sharing import Once, locked

# The same examples everywhere; `pytest --hypothesis-profile explore` draws others.
settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=300)
settings.register_profile("explore", database=None, deadline=None, max_examples=5000)
settings.load_profile("same")

NEED_SERVERS = {"postgres", "server", "servers"}
# How the name of a test ends that leaves the cores to others for ten seconds or more.
WAITS = "waits]"
LEFT_OUT = "left out: what runs a service, upgrades, other ways to answer; `make test` has them"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only what bakes and checks, and runs no service")


def pytest_configure(config: pytest.Config) -> None:
    BUILD.mkdir(exist_ok=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Progress(terminal))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start more processes than cores, except for bakes: the tests of a service mostly wait."""
    cores = os.cpu_count() or 1
    return cores if config.getoption("quick") else 2 * cores


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives all tests that wait to one process, and each other test to the first that is free.

    xdist's own groups have no effect with pytest 9.2, in which a plugin can't change the name of a test.
    """

    def _split_scope(self, nodeid: str) -> str:
        return WAITS if nodeid.endswith(WAITS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those that mostly wait and the longest tests first, and those that run alone last."""
    if config.getoption("quick"):
        quick = [item for item in items if is_quick(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in quick])
        items[:] = quick
    items.sort(key=turn)


def turn(item: pytest.Item) -> int:
    """Return when the test begins: the lower, the earlier."""
    if item.nodeid.endswith(WAITS):
        return 0
    return 1 if is_marked(item, "early") else 3 if is_marked(item, "alone") else 2


def is_marked(item: pytest.Item, *names: str) -> bool:
    return any(item.get_closest_marker(name) for name in names)


def is_quick(item: pytest.Item) -> bool:
    return not is_marked(item, "alone", "slow") and not NEED_SERVERS & set(getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test marked `alone` while no other process runs a test."""
    with locked(BUILD / "turns.lock", shared=not is_marked(item, "alone")):
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what tests measured, for people to read; no test fails for a figure."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    called = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"]
    lines = [str(value) for report in called for name, value in report.user_properties if name == "figure"]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(set(lines)):
            terminalreporter.line(line)
    if config.getoption("quick"):
        terminalreporter.line(LEFT_OUT)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Collect lines to print at the end of the session."""
    return Figures(request.node.user_properties)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Share work between the processes: one does it for all."""
    folder = tmp_path_factory.getbasetemp()
    return Once(folder if worker_id == "master" else folder.parent)


@pytest.fixture(scope="session")
def bake(cookies_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Bake a project with the given answers, and the defaults for the others: a new copy each time."""
    baked: dict[frozenset[tuple[str, str]], Path] = {}

    def bake_with(**answers: str) -> Project:
        key = frozenset(answers.items())
        if key not in baked:
            result = cookies_session.bake(extra_context=answers)
            assert result.exception is None, result.exception
            baked[key] = Path(result.project_path)
        copy = tmp_path_factory.mktemp("project") / baked[key].name
        return Project(Path(shutil.copytree(baked[key], copy)))

    return bake_with


@pytest.fixture(scope="session")
def python_for(bake: Bake, once: Once) -> PythonFor:
    """Make an environment with the dependencies of a driver's projects, without a project, and return its Python.

    A test that asks for a version that this machine lacks is skipped.
    """

    def python_for(driver: str, version: str = THIS_VERSION, resolution: str = "highest") -> Path:
        base = interpreter_or_skip(version)
        environment = BUILD / "environments" / f"{driver}-{version}-{resolution}"

        def make() -> None:
            command = (UV, "sync", "--no-install-project", "--no-python-downloads", "--python", str(base))
            bake(driver=driver).run(*command, UV_PROJECT_ENVIRONMENT=str(environment), UV_RESOLUTION=resolution)

        once(f"environment {environment}", make)
        return environment / "bin" / "python"

    return python_for


@pytest.fixture(scope="session")
def postgres(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a PostgreSQL server, and yield its URL.

    Each process of pytest has one of its own, because its connections suffice for a suite or two.
    """
    keeper = bake().path / "src" / "name_service" / "foundation" / "embedded" / "keeper.py"
    folder = tmp_path_factory.mktemp("postgres")
    with subprocess.Popen(
        [sys.executable, "-P", keeper, folder, "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def postgres_of(postgres: str) -> PostgresOf:
    """Return the URL of a server by its major version: TEST_DATABASE_URL_14 for 14, without that the embedded one's."""
    return lambda version: os.environ.get(f"TEST_DATABASE_URL_{version}", postgres)


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Create an empty database, and yield its URL."""
    name = f"template_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session", params=["aiopg", "psycopg"])
def service(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> Service:
    return Service(bake(driver=request.param), python_for(request.param), request.param)


@pytest.fixture(scope="session")
def servers() -> Iterator[Path]:
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture(scope="session")
def server(servers: Path) -> Iterator[Server]:
    """Start a server for all tests; a test that stops it has to start it again."""
    server = Server(servers / "postgres")
    server.create()
    server.start()
    yield server
    server.stop()
