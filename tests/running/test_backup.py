"""Backups as docs/scaling.md makes them restore: no acknowledged row is missing, and the service migrates on."""

import json
import os
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.baked import Project
from harness.postgres import START_TIMEOUT, Server, unprivileged
from harness.serving import Service
from harness.waiting import wait_until

pytestmark = pytest.mark.slow

NEXT = """\
-- migrate:up
ALTER TABLE testnamemodel ADD COLUMN age integer;
-- migrate:down
ALTER TABLE testnamemodel DROP COLUMN age;
"""


def block(project: Project, having: str) -> str:
    [found] = project.blocks(having)
    return found


def create_rows(address: str, number: int) -> set[int]:
    """Create rows, and return the acknowledged ids."""
    ids = set()
    for _ in range(number):
        with urllib.request.urlopen(address, data=b"name=a row") as answer:
            ids.add(json.load(answer)["id"])
    return ids


def check_restored(service: Service, url: str, acknowledged: set[int]) -> None:
    """Check that the rows are there, and that the service serves, creates others, and applies the next migration."""
    with service.serving(url, MIGRATE_ON_START="false", SEED_ON_START="false") as address:
        for id_ in acknowledged:
            urllib.request.urlopen(f"{address}/?id={id_}").close()
        assert not create_rows(address, 3) & acknowledged
    migration = service.project.path / "src" / "name_service" / "migrations" / "0002_add_age.sql"
    migration.write_text(NEXT)
    try:
        code, printed = service.run("migrate", DATABASE_URL=url)
    finally:
        migration.unlink()
    assert code == 0, printed
    assert '"name": "0002_add_age"' in printed
    assert "0001_create" not in printed


def wait_until_true(server: Server, question: str) -> None:
    """Wait until the server answers this question with true."""
    wait_until(lambda: server.execute(question), lambda rows: rows == [(True,)], START_TIMEOUT)


class Place:
    """Where the page's commands run: folders for /backup and the data, PostgreSQL's programs, its user."""

    def __init__(self, server: Server, other: Server) -> None:
        self.servers = (server, other)
        self.backup = server.folder / "backup"
        (self.backup / "wal").mkdir(parents=True)
        for folder in (self.backup, self.backup / "wal"):
            if user := unprivileged():
                os.chown(folder, user["user"], user["group"])

    def translate(self, text: str) -> str:
        return text.replace("/backup", str(self.backup)).replace(
            "/var/lib/postgresql/restored", str(self.servers[1].data)
        )

    def run(self, command: str, url: str) -> None:
        done = subprocess.run(
            ["sh", "-ec", self.translate(command)],
            cwd="/",
            env={
                "PATH": f"{self.servers[0].binaries}:{os.environ['PATH']}",
                "DATABASE_URL": url,
                "BACKUP_URL": url.replace("postgres@", "backup@"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **unprivileged(),
        )
        assert done.returncode == 0, done.stdout

    def settings(self, text: str) -> dict[str, str]:
        pairs = [line.split(" = ", 1) for line in self.translate(text).splitlines()]
        return {name: shlex.split(value)[0] for name, value in pairs}


@pytest.fixture
def place(service: Service, servers: Path) -> Iterator[Place]:
    first, second = (Server(servers / f"{name}-{service.driver}-{time.monotonic_ns()}") for name in ("first", "second"))
    first.create()
    yield Place(first, second)
    for server in (first, second):
        server.stop_if_running()


def test_dump_restores_into_an_empty_server(service: Service, place: Place) -> None:
    first, second = place.servers
    second.create()
    first.start()
    with service.serving(first.url) as address:
        acknowledged = create_rows(address, 20)
        first.execute("CREATE ROLE reader")  # the other server doesn't have it
        first.execute("GRANT SELECT ON testnamemodel TO reader")
        place.run(block(service.project, "pg_dump "), first.url)
    first.stop()
    second.start()
    place.run(block(service.project, "pg_restore "), second.url)
    check_restored(service, second.url, acknowledged)


def test_restore_to_the_moment_before_a_mistake(service: Service, place: Place) -> None:
    first, second = place.servers
    first.start(**place.settings(block(service.project, "archive_mode")))
    with service.serving(first.url) as address:
        acknowledged = create_rows(address, 10)
        first.execute(block(service.project, "CREATE ROLE backup"))
        place.run(block(service.project, "pg_basebackup "), first.url)
        before = datetime.now(UTC).second
        wait_until(lambda: datetime.now(UTC).second, lambda second: second != before, START_TIMEOUT)
        place.run(block(service.project, "pg_basebackup "), first.url)  # regularly
        acknowledged |= create_rows(address, 10)
        [(before_the_mistake,)] = first.execute("SELECT clock_timestamp()::text")
        first.execute("DELETE FROM testnamemodel")
    [(segment,)] = first.execute("SELECT pg_walfile_name(pg_switch_wal())")
    wait_until_true(first, f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver")
    first.kill()
    restore = block(service.project, "recovery.signal").replace("2026-11-26 12:00:00+00", before_the_mistake)
    *_, newest = sorted(copy.name for copy in place.backup.glob("base-*"))
    place.run(restore.replace("base-20261126T030000", newest), first.url)
    second.start()
    wait_until_true(second, "SELECT NOT pg_is_in_recovery()")
    check_restored(service, second.url, acknowledged)
