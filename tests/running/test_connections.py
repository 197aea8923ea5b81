"""Ways to PostgreSQL that the projects' own tests can't have: a Unix socket, TLS, PgBouncer."""

import asyncio
import os
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import trustme
import yaml

from harness.baked import Bake
from harness.figures import Figures
from harness.load import load
from harness.patroni import listening_pgbouncer
from harness.postgres import Server
from harness.pythons import skip_but_in_ci
from harness.serving import Service, relay, wait_until_ready


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> Path:
    """A file with a certificate for 127.0.0.1, and its key."""
    path = tmp_path / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def test_unix_socket(service: Service, server: Server) -> None:
    serves(service, f"postgresql://postgres@/postgres?host={server.folder}&port={server.port}")


@pytest.mark.parametrize("query", ["", "?options="])  # with and without a parameter that it doesn't know
def test_server_that_is_too_old(service: Service, query: str) -> None:
    url = os.environ.get("TEST_DATABASE_URL_13")
    if url is None:
        skip_but_in_ci("there is no TEST_DATABASE_URL_13")
    code, printed = service.run("serve", DATABASE_URL=url + query, MIGRATE_ON_START="false", SEED_ON_START="false")
    assert code == 1
    assert printed.startswith("name_service: the database: ")
    assert printed.count("\n") == 1
    assert "too old: it should be 14 or newer" in printed


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-full"])
def test_tls(
    service: Service, server: Server, authority: trustme.CA, certificate: Path, tmp_path: Path, mode: str
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "root.crt")
    with relay(server.port, certificate) as between:
        serves(service, f"{between.url}?sslmode={mode}&sslrootcert={tmp_path / 'root.crt'}")
    assert between.came == {"TLS"}


def test_tls_that_is_refused_later(service: Service, server: Server, certificate: Path) -> None:
    """libpq's `prefer` then connects without it, on another socket."""
    with relay(server.port, certificate, "late") as between:
        serves(service, between.url)
    assert between.came == {"TLS", "plain"}


def test_certificate_of_another_authority_is_refused(
    service: Service, server: Server, certificate: Path, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "root.crt")
    with relay(server.port, certificate) as between:
        url = f"{between.url}?sslmode=verify-full&sslrootcert={tmp_path / 'root.crt'}"
        code, printed = service.run("serve", DATABASE_URL=url, MIGRATE_ON_START="false", SEED_ON_START="false")
    assert code == 1
    assert "certificate verify failed" in printed
    assert printed.count("\n") == 1


@pytest.mark.pgbouncer
def test_pgbouncer_in_transaction_mode(service: Service, server: Server, servers: Path, figures: Figures) -> None:
    with listening_pgbouncer(servers / f"pgbouncer-{service.driver}", server.url, default_pool_size=5) as url:
        with service.serving(f"{url}?options=") as address:
            seen = asyncio.run(load(address, lambda: None))
            for id_ in range(1_000_000, 1_000_050):
                urllib.request.urlopen(f"{address}/create?id={id_}").close()
        code, printed = service.run("serve", DATABASE_URL=url)
    assert set(seen.statuses()) == {200, 201}
    figures.append(f"{service.driver}, through PgBouncer in transaction mode: {dict(seen.statuses())}")
    assert code == 1
    assert "unsupported startup parameter: options" in printed
    assert printed.count("\n") == 1


@pytest.mark.pgbouncer
def test_pgbouncer_of_cloudnative_pg(bake: Bake, service: Service, server: Server, servers: Path) -> None:
    """The operator has it ignore `options`, so the role has the timeouts, by the SQL of kubernetes/cloudnative-pg."""
    project = bake(deploy="kubernetes", driver=service.driver)
    cluster, _ = yaml.safe_load_all(project.read("kubernetes/cloudnative-pg/database.yaml"))
    initdb = cluster["spec"]["bootstrap"]["initdb"]
    name = f"cluster_{service.driver}"
    server.execute(f'CREATE ROLE "{name}" LOGIN')
    server.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    for sql in initdb["postInitSQL"]:
        server.execute(sql.replace(initdb["owner"], name))
    database = f"postgresql://{name}@127.0.0.1:{server.port}/{name}"
    ignored: dict[str, str | float] = {
        "ignore_startup_parameters": "extra_float_digits,options",
        "default_pool_size": 5,
    }
    with listening_pgbouncer(servers / f"pgbouncer-{name}", database, **ignored) as url:
        pooler = {"DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": str(urlsplit(url).port)}
        pooler |= {"DATABASE_NAME": name, "DATABASE_USER": name}
        assert service.run("migrate", DATABASE_URL="", **pooler)[0] == 0
        with service.serving("", **pooler, MIGRATE_ON_START="false") as address:
            seen = asyncio.run(load(address, lambda: None))
        with psycopg.connect(url, prepare_threshold=None) as connection:
            bounds = [
                connection.execute(f"SHOW {setting}".encode()).fetchone()
                for setting in ("statement_timeout", "client_connection_check_interval")
            ]
    assert set(seen.statuses()) == {200, 201}
    assert bounds == [("10s",), ("1s",)]


def serves(service: Service, url: str) -> None:
    """The pool opens its connections, and /readyz one of its own."""
    with service.serving(url) as address:
        wait_until_ready(address)
