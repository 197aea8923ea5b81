"""How throughput changes with a second process, and with a large table."""

from harness.postgres import Server as Postgres

from .measuring import ROWS, Comparison, Figure, fill, measure
from .servers import Server


def two_processes(server: Server, postgres: Postgres, rounds: int, seconds: int) -> Comparison:
    """Two processes on one port against one."""
    fill(postgres, ROWS)
    ratios = []
    with server.running(postgres.url) as one, server.running(postgres.url, processes=2) as two:
        for _ in range(rounds):
            single, double = measure(one, "GET", seconds), measure(two, "GET", seconds)
            ratios.append(double.load.throughput / single.load.throughput)
    return Comparison("GET, two processes against one", "ratio", Figure.of(ratios))


def large_table(server: Server, postgres: Postgres, rounds: int, seconds: int, rows: int) -> Comparison:
    """A table of so many rows against a small one."""
    ratios = []
    with server.running(postgres.url) as running:
        fill(postgres, rows)
        for _ in range(rounds):  # the first rows of the large table are the small one
            small, large = measure(running, "GET", seconds), measure(running, "GET", seconds, rows)
            ratios.append(large.load.throughput / small.load.throughput)
    return Comparison(f"GET, {rows:,} rows against {ROWS:,}", "ratio", Figure.of(ratios))
