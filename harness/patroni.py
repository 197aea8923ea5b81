"""PostgreSQL servers under Patroni, and HAProxy and PgBouncer in front of them."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

from .baked import TEMPLATE, UV, Project
from .postgres import free_port, unprivileged
from .waiting import wait_until

START_TIMEOUT = 60  # seconds
CONNECTIONS = 200  # of each node
PYTHON = "/usr/bin/python3"  # which the unprivileged user may run: the one of this process may lie in root's home
# Seconds. A leader that is silent for TTL is replaced.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 5, 5
INSTALL = "on Debian, apt-get install etcd-server haproxy pgbouncer postgresql"

HAPROXY_OF_DATABASE = """
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    timeout check 1s
    retries 0

listen primary
    bind 127.0.0.1:{port}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 200ms fall 1 rise 1 {marked_down}
"""
HAPROXY_OF_SERVICE = """
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 1s
    option httpchk GET /readyz
    option redispatch
    option http-server-close  # so that most requests on a killed instance are a 502, and no closed connection
    retries 3
    default-server inter 200ms fall 2 rise 1

"""
PGBOUNCER = """
[databases]
{name} = host=127.0.0.1 port={server} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
"""


def find_program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def executable(name: str) -> str:
    found = find_program(name)
    assert found is not None, f"{name} is not installed: {INSTALL}"
    return found


def postgresql_programs() -> Path:
    found = list(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, f"PostgreSQL is not installed: {INSTALL}"
    return max(found)


def install_patroni(folder: Path) -> Path:
    """Install today's Patroni into an environment of its own, and return its command.

    Debian 12 has 3.0.2, whose leader takes its lock back from its successor when it wakes after having been frozen:
    https://github.com/patroni/patroni/pull/2689
    """
    Project(TEMPLATE).run(UV, "venv", "--no-python-downloads", "--python", PYTHON, folder)
    Project(TEMPLATE).run(UV, "pip", "install", "--python", folder, "patroni[etcd3]>=4.1", "psycopg[binary]>=3.3")
    return folder / "bin" / "patroni"


def made(folder: Path) -> Path:
    folder.mkdir()
    if user := unprivileged():
        os.chown(folder, user["user"], user["group"])
    return folder


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o644)
    return file


class Program:
    """A process, its children, and a log of what they print. They can be killed, frozen, and started again."""

    def __init__(self, folder: Path, *command: str | Path) -> None:
        self._folder = folder
        self._command = command

    def start(self) -> None:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self._folder)}
        with (self._folder / "log").open("ab") as log:
            self._process = psutil.Popen(
                self._command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **unprivileged(),
            )

    def family(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)] if self._process.is_running() else []

    def kill(self) -> None:
        """Kill all of its processes at once, as when a machine dies."""
        family = self.family()
        self.send(signal.SIGKILL)
        psutil.wait_procs(family)

    def send(self, number: signal.Signals) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


class Node(Program):
    """A PostgreSQL server and its Patroni."""

    def __init__(self, folder: Path, patroni: Path, etcd: int) -> None:
        self.name = folder.name
        self.port, self.api = free_port(), free_port()
        self._data = made(folder) / "data"
        super().__init__(folder, patroni, written(folder / "patroni.json", self._settings(folder, etcd)))

    def _settings(self, folder: Path, etcd: int) -> str:
        api, server = f"127.0.0.1:{self.api}", f"127.0.0.1:{self.port}"
        parameters = {"max_connections": CONNECTIONS, "wal_log_hints": "on"}
        settings = {
            "scope": "cluster",
            "name": self.name,
            "restapi": {"listen": api, "connect_address": api},
            "etcd3": {"hosts": f"127.0.0.1:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": parameters},
                },
                "initdb": ["no-sync", {"encoding": "UTF8"}, {"auth": "trust"}],
            },
            "postgresql": {
                "listen": server,
                "connect_address": server,
                "data_dir": str(self._data),
                "bin_dir": str(postgresql_programs()),
                "pgpass": str(folder / "pgpass"),
                "pg_hba": [f"host {database} all 127.0.0.1/32 trust" for database in ("all", "replication")],
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
                "parameters": {"unix_socket_directories": ""},
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
            },
        }
        return json.dumps(settings)  # JSON is YAML

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def family(self) -> list[psutil.Process]:
        """Return the processes of Patroni and of the server, which isn't its child."""
        family = super().family()
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
            server = psutil.Process(int((self._data / "postmaster.pid").read_text().splitlines()[0]))
            family += [server, *server.children(recursive=True)]
        return family

    def kill(self) -> None:
        super().kill()
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # its pid may belong to another process later

    def ask(self, path: str, **body: str) -> Any:
        """Ask Patroni's REST API."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}{path}", data)
        with urllib.request.urlopen(request, timeout=60 if body else 2) as answer:
            return answer.read().decode()

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute(sql.encode()).fetchall()


class Cluster:
    """Three nodes, and an etcd in which they agree on the leader. A commit is acknowledged by two nodes."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
        urls = {
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
        }
        options = [f"--{name}={url}" for name, url in urls.items()]
        self._etcd = Program(made(folder / "etcd"), executable("etcd"), "--data-dir=data", *options)
        patroni = install_patroni(folder / "patroni")
        self.nodes = [Node(folder / f"node{number}", patroni, port) for number in (1, 2, 3)]

    @property
    def url(self) -> str:
        """The URL that leads to whichever node takes writes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with started(self._etcd, *self.nodes):
            self.wait_until_whole()
            yield

    def roles(self) -> dict[str, Node]:
        """Return the nodes by their role: `leader`, `sync_standby` and `replica` once the cluster is whole."""
        for node in self.nodes:
            with contextlib.suppress(OSError):
                members = json.loads(node.ask("/cluster"))["members"]
                if len({member.get("timeline") for member in members}) > 1:
                    return {}
                return {
                    member["role"]: next(node for node in self.nodes if node.name == member["name"])
                    for member in members
                    if member["state"] in ("running", "streaming")
                }
        return {}

    @property
    def leader(self) -> Node:
        return self.roles()["leader"]

    def wait_until_whole(self) -> None:
        wait_until(self.roles, lambda roles: roles.keys() == {"leader", "sync_standby", "replica"}, START_TIMEOUT)

    def switch_over(self) -> None:
        """Make the synchronous standby the leader."""
        roles = self.roles()
        roles["leader"].ask("/switchover", leader=roles["leader"].name, candidate=roles["sync_standby"].name)


class Probe:
    """Writes through each of some URLs by itself, ten times a second, to tell how long none led to a leader."""

    def __init__(self, urls: list[str]) -> None:
        self._written: list[float] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[url]) for url in urls]

    def __enter__(self) -> "Probe":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write(self, url: str) -> None:
        while not self._ended.wait(0.1):
            with contextlib.suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
                connection.execute("SET LOCAL statement_timeout = 2000")
                connection.execute("CREATE TABLE IF NOT EXISTS probe ()")
                connection.execute("INSERT INTO probe DEFAULT VALUES")
                connection.commit()
                self._written.append(time.monotonic())

    def longest_gap(self) -> float:
        """Return the longest time, in seconds, in which no write was taken."""
        written = sorted(self._written)
        return max(after - before for before, after in itertools.pairwise(written))


def haproxy_of_database(folder: Path, cluster: Cluster, *, cuts_sessions: bool = True) -> tuple[Program, str]:
    """Return an HAProxy that leads to the leader, and the URL. `cuts_sessions` of a server that is marked down."""
    port = free_port()
    marked_down = "on-marked-down shutdown-sessions" if cuts_sessions else ""
    servers = [f"    server {node.name} 127.0.0.1:{node.port} check port {node.api}\n" for node in cluster.nodes]
    text = HAPROXY_OF_DATABASE.format(port=port, marked_down=marked_down) + "".join(servers)
    return _haproxy(folder, text), f"postgresql://postgres@127.0.0.1:{port}/postgres"


def haproxy_of_service(folder: Path, instances: dict[str, list[int]]) -> tuple[Program, dict[str, str]]:
    """Return an HAProxy that asks instances for `/readyz`, and the address of each service, by its name."""
    addresses, text = {}, HAPROXY_OF_SERVICE
    for name, ports in instances.items():
        port = free_port()
        addresses[name] = f"http://127.0.0.1:{port}"
        text += f"listen {name}\n    bind 127.0.0.1:{port}\n"
        text += "".join(f"    server instance{number} 127.0.0.1:{port} check\n" for number, port in enumerate(ports))
    return _haproxy(folder, text), addresses


def _haproxy(folder: Path, text: str) -> Program:
    return Program(made(folder), executable("haproxy"), "-db", "-f", written(folder / "haproxy.cfg", text))


def pgbouncer(folder: Path, url: str, **settings: str | float) -> tuple[Program, str]:
    """Return a PgBouncer in transaction mode before this database and role, with these settings, and its URL."""
    server, port = urlsplit(url), free_port()
    name = server.path.removeprefix("/")
    text = PGBOUNCER.format(name=name, user=server.username, server=server.port, port=port)
    text += "".join(f"{setting} = {value}\n" for setting, value in settings.items())
    program = Program(made(folder), executable("pgbouncer"), written(folder / "pgbouncer.ini", text))
    return program, f"postgresql://{server.username}@127.0.0.1:{port}/{name}"


@contextlib.contextmanager
def started(*programs: Program) -> Iterator[None]:
    for program in programs:
        program.start()
    try:
        yield
    finally:
        for program in programs:
            program.kill()


@contextlib.contextmanager
def listening_pgbouncer(folder: Path, url: str, **settings: str | float) -> Iterator[str]:
    """Yield the URL of a PgBouncer that is ready in front of this database."""
    program, address = pgbouncer(folder, url, **settings)
    with started(program):
        wait_until((folder / "log").read_text, lambda printed: "process up" in printed, START_TIMEOUT)
        yield address
