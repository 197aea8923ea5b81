"""docs/scaling.md's second database reads from a standby, and from the primary while there is none."""

import json
import os
import urllib.request
from pathlib import Path

import pytest

from harness.baked import Bake, Project
from harness.postgres import START_TIMEOUT, Server
from harness.pythons import PythonFor
from harness.serving import Service, status
from harness.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(params=["aiopg", "psycopg"])
def reading(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> Service:
    """A service that reads rows as the page says."""
    project = bake(driver=request.param)
    package = project.path / "src" / "name_service"
    make, *arguments = block(project, "replica = make_database(").splitlines()
    [read] = block(project, 'self.settings["replica"].aio_execute').splitlines()
    insert(package / "settings.py", "\n\nfrom .foundation", "\n\nfrom pydantic import SecretStr\n\nfrom .foundation")
    with (package / "settings.py").open("a") as settings:
        settings.write(block(project, "replica_url: SecretStr"))
    service = package / "service.py"
    insert(service, "import make_database", "import Database, make_database")
    insert(
        service,
        "from pathlib import Path\n",
        "from collections.abc import AsyncIterator\n"
        "from contextlib import asynccontextmanager\n"
        "from pathlib import Path\n",
    )
    insert(service, "def make_application", f"{block(project, 'replica: Database =')}\n\ndef make_application")
    insert(service, "    return Application(", f"{make}\n    return Application(")
    insert(service, "        seed=seed,", "\n".join(["        seed=seed,", *arguments]))
    insert(
        package / "handlers.py",
        "        obj = await TestNameModel.aio_get_or_none(id=parse_id(given))",
        read.replace("Book.select()", "TestNameModel.select().where(TestNameModel.id == parse_id(given))")
        + "\n        obj = next(iter(rows), None)",
    )
    return Service(project, python_for(request.param), request.param)


def block(project: Project, having: str) -> str:
    [found] = project.blocks(having)
    return found


def insert(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))


def test_reads_go_to_a_standby_while_there_is_one(reading: Service, servers: Path) -> None:
    primary, standby = (Server(servers / f"{name}-{reading.driver}-{os.getpid()}") for name in ("writes", "reads"))
    primary.create()
    primary.start()
    standby.create_standby_of(primary)
    standby.start()
    hosts = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres?target_session_attrs"
    try:
        with reading.serving(f"{hosts}=read-write", REPLICA_URL=f"{hosts}=prefer-standby") as address:
            until(200, f"{address}/?id=1")
            standby.execute("SELECT pg_wal_replay_pause()")
            with urllib.request.urlopen(address, data=b"name=a row") as answer:
                row = f"{address}/?id={json.load(answer)['id']}"
            assert status(row) == 404
            standby.execute("SELECT pg_wal_replay_resume()")
            until(200, row)
            standby.kill()
            until(200, row)
    finally:
        standby.stop_if_running()
        primary.stop_if_running()


def until(wanted: int, url: str) -> None:
    """Ask until this is the status."""
    wait_until(lambda: status(url), lambda found: found == wanted, START_TIMEOUT)
