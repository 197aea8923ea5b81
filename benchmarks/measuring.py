"""Rounds of measurements, in which each server has its turn."""

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.postgres import Server as Postgres

from .load import Load, Method, put_load
from .servers import Running, Server

ROWS = 1000
METHODS: tuple[Method, ...] = ("GET", "POST")


@dataclass(frozen=True)
class Turn:
    """A server's turn."""

    load: Load
    cpu: float  # microseconds that its process worked a request


@dataclass(frozen=True)
class Figure:
    """The median of some rounds, and between which the others were."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Comparison:
    """What was measured, in which unit."""

    name: str
    unit: str
    figure: Figure


class Results:
    """The turns of each server under each method, and its memory after them."""

    def __init__(self) -> None:
        self.turns: dict[tuple[str, Method], list[Turn]] = defaultdict(list)
        self.memory: dict[str, float] = {}

    def figure(self, server: str, method: Method, of: Callable[[Turn], float]) -> Figure:
        return Figure.of([of(turn) for turn in self.turns[server, method]])

    def ratio(self, server: str, to: str, method: Method, of: Callable[[Turn], float]) -> Figure:
        """Of the same round each, in which a noisy neighbour disturbs both."""
        pairs = zip(self.turns[server, method], self.turns[to, method], strict=True)
        return Figure.of([of(ours) / of(theirs) for ours, theirs in pairs])


def compare(servers: Sequence[Server], postgres: Postgres, rounds: int, seconds: int) -> Results:
    """All servers run, and one at a time works."""
    results = Results()
    with contextlib.ExitStack() as running:
        addresses = {server.name: running.enter_context(server.running(postgres.url)) for server in servers}
        fill(postgres, ROWS)
        for server in addresses.values():
            for method in METHODS:
                measure(server, method, 1)
        for number in range(rounds):
            for method in METHODS:
                for name, server in addresses.items():
                    fill(postgres, ROWS)
                    turn = measure(server, method, seconds)
                    results.turns[name, method].append(turn)
                    print(f"round {number + 1} of {rounds}: {method} {turn.load.throughput:6.0f}/s  {name}", flush=True)
        results.memory = {name: server.memory() for name, server in addresses.items()}
    return results


def measure(server: Running, method: Method, seconds: int, rows: int = ROWS) -> Turn:
    before = server.cpu()
    load = put_load(server.address, method, seconds=seconds, rows=rows)
    return Turn(load, (server.cpu() - before) / load.requests * 1e6)


def fill(postgres: Postgres, rows: int) -> None:
    """Have these rows in the table and no others."""
    postgres.execute("TRUNCATE testnamemodel RESTART IDENTITY")
    names = "SELECT 'TestNameModel id=' || i FROM generate_series(1, %s) i"
    postgres.execute(f"INSERT INTO testnamemodel (name) {names}", rows)
    postgres.execute("VACUUM ANALYZE testnamemodel")
