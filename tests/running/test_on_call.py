"""What docs/on-call.md says is so: its metrics, its lines of the log, its queries and its roles."""

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from harness.baked import Bake, Project
from harness.choices import CHOICES
from harness.postgres import START_TIMEOUT, Server
from harness.serving import Service, status, wait_until_ready
from harness.waiting import wait_until

PAGE = "docs/on-call.md"
FUNCTIONS = {"histogram_quantile"}


def rules_of(project: Project) -> list[dict[str, Any]]:
    [block] = re.findall(r"^```yaml\n(.*?)^```", project.read(PAGE), re.MULTILINE | re.DOTALL)
    [group] = yaml.safe_load(block)["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def block(project: Project, having: str) -> str:
    [found] = project.blocks(having)
    return found


def logged(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def test_metrics_are_there(service: Service, database: str) -> None:
    with service.serving(database) as address:
        wait_until_ready(address)
        with urllib.request.urlopen(f"{address}/metrics") as answer:
            text = answer.read().decode()
    there = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | set(re.findall(r"^(\w+)", text, re.MULTILINE))
    rows = re.findall(r"^\| `(\w+)`", service.project.read(PAGE), re.MULTILINE)
    expressions = " ".join(rule["expr"] for rule in rules_of(service.project))
    named = set(re.findall(r"[a-z]+(?:_[a-z]+)+", expressions)) - FUNCTIONS
    assert len(rows) > 3
    assert {*rows, *named} <= there
    assert all(re.sub("_(bucket|count)$", "", name) in rows for name in named)
    assert 'route="/readyz",status="200"' in text


@pytest.mark.parametrize("deploy", CHOICES["deploy"])
def test_rules_are_of_prometheus(bake: Bake, deploy: str) -> None:
    project = bake(deploy=deploy)
    for rule in rules_of(project):
        assert {"alert", "expr"} <= rule.keys() <= {"alert", "expr", "for"}
        assert re.fullmatch(r"\d+m", rule.get("for", "1m"))
    assert len(project.read(PAGE).splitlines()) <= 120


@pytest.mark.slow
def test_outage_is_logged_as_the_page_shows(service: Service, server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with service.serving(server.url, log=log, LOG_LEVEL="info") as address:
        server.stop()
        try:
            assert [status(f"{address}/{path}") for path in ("?id=1", "healthz", "readyz")] == [503, 200, 503]
        finally:
            server.start()
        wait_until_ready(address)
        assert status(f"{address}/?id=1") == 200
    shown = [json.loads(line) for line in block(service.project, '"not ready"').splitlines()]
    lines = [line for line in logged(log) if line["event"] in {each["event"] for each in shown}]
    assert [line.keys() - {"timestamp", "request_id"} for line in lines] == [each.keys() for each in shown]
    for line, each in zip(lines, shown, strict=True):
        assert all(value in ("…", line[name]) for name, value in each.items())


@pytest.mark.slow
def test_requests_that_wait_are_seen(service: Service, database: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    others = {"LOG_LEVEL": "info", "POOL_MAX_SIZE": "1", "POOL_TIMEOUT": "0.5", "STATEMENT_TIMEOUT": "10"}
    with service.serving(database, log=log, **others) as address:
        with psycopg.connect(database) as connection, psycopg.connect(database, autocommit=True) as looking:
            connection.execute("LOCK TABLE testnamemodel")
            first = threading.Thread(target=status, args=[f"{address}/?id=1"])
            first.start()
            query = block(service.project, "pg_blocking_pids").encode()
            wait_until(
                lambda: [behind for _, _, _, behind, _ in looking.execute(query)],
                lambda found: found == [[connection.info.backend_pid]],
                START_TIMEOUT,
            )
            assert (status(f"{address}/?id=1"), status(f"{address}/readyz")) == (503, 200)
        first.join()
    [failure] = [line["failure"] for line in logged(log) if line.get("failure", "").startswith("no database")]
    assert f"`{failure.replace('0.5', '5.0')}`" in service.project.read(PAGE)


@pytest.mark.slow
def test_service_needs_no_table_of_its_own(service: Service, database: str) -> None:
    """One role migrates; the service's has its rows, also after ids that clients chose."""
    statements = block(service.project, "CREATE ROLE name_service")
    rows_alone, owner = (
        re.sub("//[^@]*@", f"//{role}:secret@", database) for role in ("name_service", "name_service_owner")
    )
    with psycopg.connect(database, autocommit=True) as superuser:
        superuser.execute(statements.encode())
        try:
            assert service.run("migrate", DATABASE_URL=owner)[0] == 0
            with service.serving(rows_alone, MIGRATE_ON_START="false") as address:
                for id_ in range(4, 30):
                    assert status(f"{address}/create?id={id_}") == 200
                assert status(address, b"name=a row") == 201
                assert status(f"{address}/?id=30") == 200
            with psycopg.connect(rows_alone) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("ALTER TABLE testnamemodel ADD COLUMN a integer")
        finally:
            superuser.execute("DROP OWNED BY name_service, name_service_owner")
            superuser.execute("DROP ROLE name_service, name_service_owner")
