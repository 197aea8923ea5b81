"""Embedded PostgreSQL survives kills at any time, and stops with its last user."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import psutil
import pytest

from {{ cookiecutter.project_slug }}.foundation.database import make_database
from {{ cookiecutter.project_slug }}.foundation.embedded import (
    EmbeddedPostgresError,
    embedded_database,
    keeper,
)
from {{ cookiecutter.project_slug }}.foundation.embedded.keeper import Cluster, KeeperError
from {{ cookiecutter.project_slug }}.foundation.testing import isolated_settings

from .example import ExampleSettings

PROGRAM = """
import signal, sys
from pathlib import Path
from {{ cookiecutter.project_slug }}.foundation.embedded import embedded_database
signal.signal(signal.SIGINT, lambda *_: None)
with embedded_database(Path(sys.argv[1]), "test") as url:
    print(url, flush=True)
    sys.stdin.read()
"""


class Program:
    """A process that uses the cluster until it is stopped or killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def url(self) -> str:
        """Wait until the database is served, and return its URL."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("postgresql://"):
                return line.strip()
        raise AssertionError("the program ended")

    def stop(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the programs keep the cluster in."""
    folder = tmp_path_factory.mktemp("project") / ".postgres"
    yield folder
    psutil.wait_procs(servers(folder), timeout=30)
    shutil.rmtree(Cluster(folder).folder)


def servers(folder: Path) -> list[psutil.Process]:
    """Return the PostgreSQL servers that run on this cluster."""
    data = str(Cluster(folder).data)
    return [process for process in psutil.process_iter(["cmdline"]) if data in (process.info["cmdline"] or [])]


def psql(url: str, sql: str, folder: Path) -> str:
    """Return what psql prints for the statement."""
    command: list[str | Path] = [Cluster(folder).binaries / "psql", "--no-psqlrc", "--tuples-only", "--no-align"]
    password = urlsplit(url).password or ""
    without = url.replace(f":{password}@", "@")
    environment = os.environ | {"PGPASSWORD": password}
    return subprocess.check_output([*command, without, "--command", sql], env=environment, text=True).strip()


def test_initdb_that_was_killed(folder: Path) -> None:
    cluster = Cluster(folder)
    program = Program(folder)
    initdb = child(child(psutil.Process(program.process.pid)), "initdb")
    initdb.suspend()
    assert not cluster.data.exists()
    for process in psutil.Process(program.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # some end with their parent
            process.kill()
    program.kill()
    assert not cluster.data.exists()
    again = Program(folder)
    assert psql(again.url(), "SELECT 1", folder) == "1"
    again.stop()
    assert not list(cluster.folder.glob("initdb-*"))


def child(parent: psutil.Process, name: str = "") -> psutil.Process:
    """Wait for a child of the process, or the one of this name."""
    while True:
        for process in parent.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if name in ("", process.name()):
                    return process
        assert parent.is_running()
        time.sleep(0.001)


def test_no_need_of_dev_shm(folder: Path) -> None:
    """A container may have a tiny one, on which initdb and parallel queries fail."""
    program = Program(folder)
    assert psql(program.url(), "SHOW dynamic_shared_memory_type", folder) == "mmap"
    program.stop()


def test_program_that_was_killed_while_it_started(folder: Path) -> None:
    program = Program(folder)
    keeper = child(psutil.Process(program.process.pid))
    program.kill()
    keeper.wait(timeout=30)
    assert not servers(folder)


def test_data_is_kept_and_the_server_is_not(folder: Path) -> None:
    program = Program(folder)
    psql(program.url(), "CREATE TABLE kept AS SELECT 7 AS seven", folder)
    (server,) = servers(folder)
    program.stop()
    server.wait(timeout=30)
    again = Program(folder)
    assert psql(again.url(), "SELECT seven FROM kept", folder) == "7"
    again.stop()


def test_programs_share_a_server_until_the_last_is_gone(folder: Path) -> None:
    first, second = Program(folder), Program(folder)
    url = second.url()
    assert first.url() == url
    (server,) = servers(folder)
    first.kill()
    assert psql(url, "SELECT 1", folder) == "1"
    second.kill()
    server.wait(timeout=30)


def test_server_that_was_killed(folder: Path) -> None:
    program = Program(folder)
    program.url()
    (server,) = servers(folder)
    server.kill()
    again = Program(folder)
    assert psql(again.url(), "SELECT 1", folder) == "1"
    again.stop()
    program.stop()


def test_interrupt_at_the_terminal_is_for_the_program(folder: Path) -> None:
    program = Program(folder)
    url = program.url()
    os.killpg(program.process.pid, signal.SIGINT)
    assert psql(url, "SELECT 1 FROM pg_sleep(1)", folder) == "1"
    program.stop()


def test_stale_file_with_the_number_of_another_process(folder: Path) -> None:
    program = Program(folder)
    program.url()
    (server,) = servers(folder)
    pid_file = Cluster(folder).data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    program.stop()
    server.wait(timeout=30)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    again = Program(folder)
    assert psql(again.url(), "SELECT 1", folder) == "1"
    again.stop()


def test_server_that_is_out_of_sight(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another container its process has another number. A second server on the same data would destroy them."""
    program = Program(folder)
    program.url()
    (server,) = servers(folder)
    cluster = Cluster(folder)
    pid_file = cluster.data / "postmaster.pid"
    lines = pid_file.read_text()
    elsewhere = lines.replace(str(server.pid), str(os.getpid()), 1)
    pid_file.write_text(elsewhere)
    monkeypatch.setattr(keeper, "RELAUNCH_TIMEOUT", 0.1)
    with pytest.raises(KeeperError, match=r"^another PostgreSQL runs on .*/data, perhaps in a container: stop it$"):
        cluster._start()
    assert servers(folder) == [server]
    assert pid_file.read_text() == elsewhere
    pid_file.write_text(lines)
    program.stop()
    server.wait(timeout=30)


def test_folders_above_keep_their_permissions(folder: Path) -> None:
    def modes() -> list[int]:
        return [parent.stat().st_mode for path in (folder, Path(sys.executable)) for parent in path.parents]

    before = modes()
    program = Program(folder)
    program.url()
    program.stop()
    assert modes() == before


def test_variables_of_libpq_and_getopt_are_for_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"PGSSLMODE": "require", "PGSERVICE": "other", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "--none=1"}
    others |= {"PGPORT": "other", "PGTZ": "other", "PGTARGETSESSIONATTRS": "standby", "PGREQUIREAUTH": "none"}
    others |= {"POSIXLY_CORRECT": "1"}  # psql takes no option after its first argument then
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    with embedded_database(folder, "another") as url:
        database = make_database(isolated_settings(ExampleSettings, url))
        with database.allow_sync():
            assert database.execute_sql("SELECT 1").fetchone() == (1,)
            database.close()
    assert os.environ.items() >= others.items()


def test_password_is_in_no_argument(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(arguments: list[object], **options: Any) -> Any:
        seen.extend(str(argument) for argument in arguments)
        return ran(arguments, **options)

    seen: list[str] = []
    ran: Any = subprocess.run
    monkeypatch.setattr(subprocess, "run", run)
    program = Program(folder)
    password = urlsplit(program.url()).password or ""
    Cluster(folder).make_database("test")
    program.stop()
    assert any("CREATE DATABASE" in argument for argument in seen)
    assert not any(password in argument for argument in seen)


def test_user_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(user: object) -> NoReturn:
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(KeeperError, match=r"^initdb needs a name for the user [0-9]+: add one to /etc/passwd$"):
        Cluster(tmp_path / ".postgres")._create()


def test_folder_that_is_moved(folder: Path) -> None:
    """A second server on the same data would destroy them."""
    program = Program(folder)
    program.url()
    (server,) = servers(folder)
    cluster = Cluster(folder)
    moved = cluster.folder.rename(cluster.folder.with_name("moved"))
    try:
        cluster.data = moved / "data"
        assert cluster._find_server() == server
        program.stop()
        server.wait(timeout=30)
    finally:
        moved.rename(cluster.folder)


def test_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / ".postgres")
    cluster.data.mkdir()
    (cluster.data / "postmaster.pid").write_bytes(b"1\n/\xff\n0\n5432\n")
    assert cluster._pid_file()[3] == "5432"
    shutil.rmtree(cluster.folder)


def test_current_folder_that_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted = tmp_path / "deleted"
    deleted.mkdir()
    monkeypatch.chdir(deleted)
    deleted.rmdir()
    with (
        pytest.raises(EmbeddedPostgresError, match=r"^the embedded PostgreSQL can't start in \.postgres: No such file"),
        embedded_database(Path(".postgres"), "postgres"),
    ):
        pass
