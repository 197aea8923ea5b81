"""How the service does with a second process, PgBouncer, a large table, many clients, idle ones, and a long stream."""

import socket
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from harness.patroni import listening_pgbouncer
from harness.postgres import Server as Postgres

from .load import CLIENTS, GET
from .measuring import ROWS, Comparison, Figure, fill, fill_books, measure
from .servers import Running, Server

MANY = 900
IDLE = 5000
REQUEST = b"GET /?id=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def two_processes(server: Server, postgres: Postgres, rounds: int, seconds: int) -> Comparison:
    """Two processes on one port against one."""
    fill(postgres, ROWS)
    ratios = []
    with server.running(postgres.url) as one, server.running(postgres.url, processes=2) as two:
        for _ in range(rounds):
            single, double = measure(one, GET, seconds), measure(two, GET, seconds)
            ratios.append(double.load.throughput / single.load.throughput)
    return Comparison("GET, two processes against one", "ratio", Figure.of(ratios))


def through_pgbouncer(server: Server, postgres: Postgres, folder: Path, rounds: int, seconds: int) -> list[Comparison]:
    """Through PgBouncer against straight."""
    fill(postgres, ROWS)
    ratios, waits = [], []
    with (
        listening_pgbouncer(folder / "pgbouncer", postgres.url) as pgbouncer,
        server.running(postgres.url) as straight,
        server.running(f"{pgbouncer}?options=") as through,
    ):
        for _ in range(rounds):
            without, with_it = (measure(each, GET, seconds).load for each in (straight, through))
            ratios.append(with_it.throughput / without.throughput)
            waits.append(with_it.p50 - without.p50)
    return [
        Comparison("GET, through PgBouncer against straight", "ratio", Figure.of(ratios)),
        Comparison("GET, through PgBouncer, p50 above straight", "ms", Figure.of(waits)),
    ]


def large_table(server: Server, postgres: Postgres, rounds: int, seconds: int, rows: int) -> Comparison:
    """A table of so many rows against a small one."""
    ratios = []
    with server.running(postgres.url) as running:
        fill(postgres, rows)
        for _ in range(rounds):  # the first rows of the large table are the small one
            small, large = measure(running, GET, seconds), measure(running, GET, seconds, rows)
            ratios.append(large.load.throughput / small.load.throughput)
    return Comparison(f"GET, {rows:,} rows against {ROWS:,}", "ratio", Figure.of(ratios))


def many_clients(server: Server, peer: Server, postgres: Postgres, rounds: int, seconds: int) -> list[Comparison]:
    """Many clients against few, and against the peer's."""
    fill(postgres, ROWS)
    ratios, waits = [], []
    with server.running(postgres.url) as ours, peer.running(postgres.url) as theirs:
        for _ in range(rounds):
            few = measure(ours, GET, seconds).load
            many, others = (measure(each, GET, seconds, clients=MANY).load for each in (ours, theirs))
            ratios.append(many.throughput / few.throughput)
            waits.append(many.p99 / others.p99)
    return [
        Comparison(f"GET, {MANY} clients against {CLIENTS}", "ratio", Figure.of(ratios)),
        Comparison(f"p99 of {MANY} clients, against {peer.name}", "ratio", Figure.of(waits)),
    ]


def idle_clients(servers: Sequence[Server], postgres: Postgres) -> list[Comparison]:
    """Memory for a client that keeps its connection after a request."""
    fill(postgres, ROWS)
    kibibytes = {}
    for server in servers:
        with server.running(postgres.url) as running:
            address = urlsplit(running.address)
            connect(address.hostname, address.port)
            before = running.memory()
            clients = [connect(address.hostname, address.port) for _ in range(IDLE)]
            kibibytes[server.name] = (running.memory() - before) * 1024 / IDLE
            for client in clients:
                client.close()
    return [
        Comparison(f"memory for each of {IDLE} idle clients, {name}", "KiB", Figure.of([value]))
        for name, value in kibibytes.items()
    ]


def connect(host: str | None, port: int | None) -> socket.socket:
    """Return the connection of a client that has had an answer."""
    client = socket.create_connection((host, port))
    client.sendall(REQUEST)
    assert client.recv(4096).startswith(b"HTTP/1.1 200")
    return client


def stream(servers: Sequence[Server], postgres: Postgres, rows: int) -> list[Comparison]:
    """All rows of a large table in one answer."""
    fill_books(postgres, rows)
    results = []
    for server in servers:
        with server.running(postgres.url) as running:
            above, speed = export(running, rows)
        results += [
            Comparison(f"stream of {rows:,} rows, {server.name}", "rows a second", Figure.of([speed])),
            Comparison(f"memory above idle meanwhile, {server.name}", "MiB", Figure.of([above])),
        ]
    return results


def export(server: Running, rows: int) -> tuple[float, float]:
    """Return by how many MiB the memory grew at most, and the rows a second."""
    urllib.request.urlopen(f"{server.address}/books?after=1").close()
    before = greatest = server.memory()
    seen, began = 0, time.monotonic()
    with urllib.request.urlopen(f"{server.address}/export") as answer:
        for number, part in enumerate(iter(lambda: answer.read(2**20), b"")):
            seen += part.count(b"{")
            if number % 8 == 0:
                greatest = max(greatest, server.memory())
    assert seen == rows, (seen, rows)
    return greatest - before, rows / (time.monotonic() - began)
