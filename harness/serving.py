"""Processes that tests talk to: the service of a baked project, and a relay to its database."""

import contextlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

from .baked import Project
from .postgres import START_TIMEOUT, free_port
from .waiting import wait_until

# Seconds. For tests in which the database is away, so that they don't wait long.
POOL_TIMEOUT = 2
STATEMENT_TIMEOUT = 2
BOUNDS = {"POOL_TIMEOUT": str(POOL_TIMEOUT), "STATEMENT_TIMEOUT": str(STATEMENT_TIMEOUT)}
COMMAND_TIMEOUT = 60


@dataclass
class Service:
    """The service of a baked project, run by the Python of an environment with its dependencies."""

    project: Project
    python: Path
    driver: str

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a command of the service that ends, and return its exit code and what it printed.

        Raises TimeoutExpired where it goes on, because it serves for instance.
        """
        done = subprocess.run(
            [self.python, "-m", "name_service", *arguments],
            cwd=self.project.path,
            env=os.environ | {"PYTHONPATH": "src"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT,
        )
        return done.returncode, done.stdout

    def start(
        self, url: str, others: dict[str, str], command: Sequence[str | Path] = (), log: IO[bytes] | None = None
    ) -> subprocess.Popen[str]:
        """Start to serve on this database. `others` are further environment variables; `log` gets the errors."""
        variables = {"PORT": "0"} | others | {"DATABASE_URL": url, "PYTHONPATH": "src"}
        return subprocess.Popen(
            command or [self.python, "-m", "name_service", "serve"],
            cwd=self.project.path,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    @contextlib.contextmanager
    def serving(
        self, url: str, *, command: Sequence[str | Path] = (), log: str | Path = "", **others: str
    ) -> Iterator[str]:
        """Serve on this database until the end of the block, and yield the address.

        `command` replaces the default one, `log` is a file for what it logs, and `others` are further environment
        variables.
        """
        with contextlib.ExitStack() as opened:
            errors = opened.enter_context(Path(log).open("wb")) if log else None
            process = opened.enter_context(self.start(url, {"LOG_LEVEL": "error"} | others, command, errors))
            assert process.stdout is not None
            try:
                banner = process.stdout.readline()
                assert banner.startswith("Serving on "), banner
                yield banner.removeprefix("Serving on ").strip()
            finally:
                process.terminate()
                process.communicate()
        assert process.returncode == 0


@dataclass
class Instance:
    """An instance of a service, on a port that it keeps."""

    service: Service
    url: str
    others: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = (self.service.python, "-m", "name_service", "serve", "--wait", "60")
        with self.log.open("ab") as log:
            self._process = self.service.start(self.url, self.others | {"PORT": str(self.port)}, command, log)

    def wait_until_serving(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("Serving on "), self.log.read_text()

    def terminate(self) -> None:
        self._process.terminate()

    def wait_until_ended(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def status(url: str, data: bytes | None = None) -> int:
    """Return the status of the answer to a GET, or to a POST of this data."""
    try:
        with urllib.request.urlopen(url, data) as answer:
            return int(answer.status)
    except HTTPError as refused:
        refused.close()
        return refused.code


def wait_until_ready(address: str) -> None:
    """Wait until `/readyz` says so."""
    wait_until(lambda: status(f"{address}/readyz"), lambda answered: answered == 200, START_TIMEOUT)


def start(instances: Sequence[Instance]) -> None:
    for instance in instances:
        instance.start()
    for instance in instances:
        instance.wait_until_serving()


def stop(instances: Sequence[Instance]) -> None:
    for instance in instances:
        instance.terminate()
    for instance in instances:
        instance.wait_until_ended()


@dataclass
class Relay:
    """A relay's port and process, and, once it has ended, how clients connected ("TLS", "plain")."""

    port: int
    process: subprocess.Popen[str]
    came: set[str]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


@contextlib.contextmanager
def relay(target: int, *arguments: str | Path) -> Iterator[Relay]:
    """Run `relay.py` in front of this port until the end of the block."""
    port = free_port()
    program = [sys.executable, Path(__file__).parent / "relay.py", str(port), str(target), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        relay = Relay(port, process, set())
        try:
            yield relay
        finally:
            process.kill()
            relay.came.update(process.communicate()[0].split())
