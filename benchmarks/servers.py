"""The servers that are compared, as processes that are started alike."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness.baked import TEMPLATE, UV, bake_by_command
from harness.postgres import free_port

from .load import OF_ALL, OF_SERVICES, Request

PEERS = Path(__file__).parent / "peers"
BOOKS = Path(__file__).parent / "service" / "books.py"
START_TIMEOUT = 30  # seconds


@dataclass
class Server:
    """A server, by its name in the table, and the command that serves on $PORT from $DATABASE_URL."""

    name: str
    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)
    answers: Sequence[Request] = OF_ALL

    @contextlib.contextmanager
    def running(self, url: str, processes: int = 1) -> Iterator["Running"]:
        """Serve on this database until the end of the block; with more processes, all on one port."""
        port = free_port()
        given = {"PORT": str(port), "REUSE_PORT": str(processes > 1).lower(), "DATABASE_URL": url}
        environment = os.environ | given | self.environment
        with contextlib.ExitStack() as ends:
            log = ends.enter_context(tempfile.TemporaryFile())
            family = []
            for _ in range(processes):
                process = psutil.Popen(self.command, env=environment, stdout=log, stderr=log)
                ends.callback(process.wait)
                ends.callback(process.terminate)
                family.append(process)
                wait_until_it_listens(process)
            yield Running(f"http://127.0.0.1:{port}", family)


@dataclass
class Running:
    """A server that runs."""

    address: str
    processes: Sequence[psutil.Process]

    def cpu(self) -> float:
        """Seconds that its processes have worked."""
        times = [process.cpu_times() for process in self.processes]
        return sum(time.user + time.system for time in times)

    def memory(self) -> float:
        """MiB that are its own, and its share of what it shares with others (PSS)."""
        return sum(process.memory_full_info().pss for process in self.processes) / 2**20


def wait_until_it_listens(program: psutil.Popen) -> None:
    """Wait until a process or a child of it listens on a port of TCP, PostgreSQL's own processes not counted."""
    give_up = time.monotonic() + START_TIMEOUT
    while not any(map(listens, [program, *program.children(recursive=True)])):
        assert program.poll() is None, program.args
        assert time.monotonic() < give_up, program.args
        time.sleep(0.002)


def listens(process: psutil.Process) -> bool:
    try:
        connections = process.net_connections("tcp") if process.name() != "postgres" else []
    except psutil.NoSuchProcess:
        return False
    return any(connection.status == psutil.CONN_LISTEN for connection in connections)


def service(driver: str) -> Server:
    """The service that the template writes, with everything on: its lines are logged at info, as JSON."""
    folder = TEMPLATE / "build" / "benchmarks" / driver
    shutil.rmtree(folder / "name_service" / "src", ignore_errors=True)  # a module that isn't baked any more would stay
    project = bake_by_command(folder, driver=driver)
    add_books(project.path / "src" / "name_service")
    project.run(UV, "sync", "--no-dev")
    program = project.path / ".venv" / "bin" / "name_service"
    environment = {"LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    return Server(f"this, on {driver}", [program, "serve"], environment, (*OF_ALL, *OF_SERVICES))


def add_books(package: Path) -> None:
    """Add handlers of one's own to the example."""
    shutil.copy(BOOKS, package)
    service = package / "service.py"
    text = service.read_text()
    for old, new in (
        ("from .handlers", "from . import books\nfrom .handlers"),
        ("routes=[", "routes=[*books.ROUTES,"),
        ("models=MODELS", "models=(*MODELS, *books.MODELS)"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    service.write_text(text)


def peer(name: str, script: str, answers: Sequence[Request] = OF_ALL) -> Server:
    """A program of the folder `peers`, in an environment of its own that has what it names."""
    path = PEERS / script
    subprocess.run([UV, "sync", "--quiet", "--script", path], check=True)
    python = subprocess.run([UV, "python", "find", "--script", path], check=True, capture_output=True, text=True)
    return Server(name, [python.stdout.strip(), path], answers=answers)
