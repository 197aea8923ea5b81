"""The service keeps its promises while its database doesn't: real servers, restarted, killed and cut off."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .baked import Project
from .conftest import Bake, Figures
from .load import Load, load
from .postgres import Server, folder_of_servers, free_port

POOL_TIMEOUT = 2
STATEMENT_TIMEOUT = 2
# Waiting for a connection, a statement, the second in which the server may say that it took too long; and this machine.
LONGEST_ANSWER = POOL_TIMEOUT + STATEMENT_TIMEOUT + 1 + 2
LONGEST_RECOVERY = 5


@dataclass
class Service:
    """The service of a baked project as a process of its own."""

    project: Project
    python: Path
    driver: str

    @contextlib.contextmanager
    def serving(self, url: str) -> Iterator[str]:
        """Its address, while it serves on this database."""
        variables = {"PORT": "0", "POOL_TIMEOUT": str(POOL_TIMEOUT), "STATEMENT_TIMEOUT": str(STATEMENT_TIMEOUT)}
        with subprocess.Popen(
            [self.python, "-m", "name_service", "serve"],
            cwd=self.project.path,
            env=os.environ | variables | {"DATABASE_URL": url, "PYTHONPATH": "src", "LOG_LEVEL": "error"},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                banner = process.stdout.readline()
                assert banner.startswith("Serving on "), banner
                yield banner.removeprefix("Serving on ").strip()
            finally:
                process.terminate()
                process.communicate()
        assert process.returncode == 0


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def service(bake: Bake, python_for: Callable[[str], Path], request: pytest.FixtureRequest) -> Service:
    return Service(bake(driver=request.param), python_for(request.param), request.param)


@pytest.fixture(scope="module")
def servers() -> Iterator[Path]:
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture(scope="module")
def postgres(servers: Path) -> Iterator[Server]:
    """One for all tests: each leaves it running."""
    server = Server(servers / "postgres")
    server.create()
    server.start()
    yield server
    server.stop()


def restart(server: Server) -> None:
    server.stop()
    server.start()


def kill(server: Server) -> None:
    server.kill()
    server.start()


def be_away(server: Server) -> None:
    server.stop()
    time.sleep(5)
    server.start()


@pytest.mark.parametrize("trouble", [restart, kill, be_away])
def test_under_load(service: Service, postgres: Server, figures: Figures, trouble: Callable[[Server], None]) -> None:
    with service.serving(postgres.url) as address:
        seen = asyncio.run(load(address, lambda: trouble(postgres)))
    check(seen, postgres)
    report(figures, f"{service.driver}, {trouble.__name__}", seen, postgres.accepted)
    assert seen.recovered_after(postgres.accepted) < LONGEST_RECOVERY


def test_restarted_while_idle(service: Service, postgres: Server, figures: Figures) -> None:
    with service.serving(postgres.url) as address:
        asyncio.run(load(address, lambda: None, after=0))  # every connection has been used
        restart(postgres)
        seen = asyncio.run(load(address, lambda: None, after=0))
    assert set(seen.statuses()) == {200, 201}
    figures.append(f"{service.driver}, restarted while idle: {dict(seen.statuses())}")
    figures.append(f"{service.driver}, 32 clients on 10 connections: {seen.p99_to_median('GET')}")


def test_network_that_is_lost(service: Service, postgres: Server, figures: Figures) -> None:
    """Nothing is refused and nothing answers: a process between the two is stopped."""
    port = free_port()
    found: list[float] = []
    relay = [sys.executable, str(Path(__file__).parent / "relay.py"), str(port), str(postgres.port)]
    with subprocess.Popen(relay, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        def lose() -> None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(5)
            process.send_signal(signal.SIGCONT)
            found.append(time.monotonic())

        try:
            with service.serving(f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable") as address:
                seen = asyncio.run(load(address, lose))
        finally:
            process.kill()
    check(seen, postgres)
    report(figures, f"{service.driver}, network lost for 5 s", seen, found[0])
    assert seen.recovered_after(found[0]) < LONGEST_RECOVERY


def check(seen: Load, server: Server) -> None:
    """What holds in any trouble."""
    assert set(seen.statuses()) <= {200, 201, 503}, seen.statuses()
    assert seen.slowest() < LONGEST_ANSWER
    there = {id_ for (id_,) in server.execute("SELECT id FROM testnamemodel")}
    assert not seen.acknowledged() - there


def report(figures: Figures, what: str, seen: Load, moment: float) -> None:
    figures.append(
        f"{what}: {dict(sorted(seen.statuses().items()))}, slowest {seen.slowest():.1f} s,"
        f" good again {1000 * seen.recovered_after(moment):.0f} ms after the server accepted connections"
        f" (last 503 after {1000 * seen.last_failure_after(moment):.0f} ms),"
        f" {len(seen.acknowledged())} rows acknowledged and there"
    )
