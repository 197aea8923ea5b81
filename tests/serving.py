"""The service of a baked project as a process of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .baked import Project
from .postgres import free_port

# Seconds, so that tests needn't wait long.
POOL_TIMEOUT = 2
STATEMENT_TIMEOUT = 2


@dataclass
class Service:
    """The service of a baked project as a process of its own."""

    project: Project
    python: Path
    driver: str

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit code of a command, and what it printed."""
        done = self.project.try_to_run(self.python, "-m", "name_service", *arguments, PYTHONPATH="src", **environment)
        return done.returncode, done.stdout

    @contextlib.contextmanager
    def serving(self, url: str, *, command: Sequence[str | Path] = (), **others: str) -> Iterator[str]:
        """Its address, while it serves on this database, with other variables, and by another command, if given."""
        variables = {
            "PORT": "0",
            "POOL_TIMEOUT": str(POOL_TIMEOUT),
            "STATEMENT_TIMEOUT": str(STATEMENT_TIMEOUT),
        } | others
        with subprocess.Popen(
            command or [self.python, "-m", "name_service", "serve"],
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


@dataclass
class Relay:
    """A relay's port and process, and how clients came to it ("TLS", "plain") when it has ended."""

    port: int
    process: subprocess.Popen[str]
    came: set[str]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


@contextlib.contextmanager
def relay(target: int, *arguments: str | Path) -> Iterator[Relay]:
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
