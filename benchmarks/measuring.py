"""Rounds of measurements, in which each server has its turn."""

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.postgres import Server as Postgres

from .load import CLIENTS, OF_ALL, OF_SERVICES, Load, Request, put_load
from .servers import Running, Server

ROWS = 1000
BOOKS = """
CREATE TABLE IF NOT EXISTS author (id serial PRIMARY KEY, name varchar(255) NOT NULL);
CREATE TABLE IF NOT EXISTS book (
    id serial PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title varchar(255) NOT NULL,
    pages integer NOT NULL, added timestamp NOT NULL, price numeric(8, 2) NOT NULL, in_print boolean NOT NULL,
    code uuid NOT NULL
);
TRUNCATE author, book RESTART IDENTITY;
INSERT INTO author (name) SELECT 'Author ' || i FROM generate_series(1, 100) i;
INSERT INTO book (author_id, title, pages, added, price, in_print, code)
SELECT 1 + mod(i, 100), 'The title of book ' || i, mod(i, 900),
    timestamp '2026-01-01 12:30:00.5' + i * interval '1 hour', mod(i, 9999) / 100.0, mod(i, 2) = 0, gen_random_uuid()
FROM generate_series(1, {rows}) i;
ANALYZE book
"""


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
    """The turns of each server under each kind of request, and its memory after them."""

    def __init__(self) -> None:
        self.turns: dict[tuple[str, Request], list[Turn]] = defaultdict(list)
        self.memory: dict[str, float] = {}

    def figure(self, server: str, request: Request, of: Callable[[Turn], float]) -> Figure:
        return Figure.of([of(turn) for turn in self.turns[server, request]])

    def ratio(self, server: str, to: str, request: Request, of: Callable[[Turn], float]) -> Figure:
        """Of the same round each, in which a noisy neighbour disturbs both."""
        pairs = zip(self.turns[server, request], self.turns[to, request], strict=True)
        return Figure.of([of(ours) / of(theirs) for ours, theirs in pairs])


def compare(servers: Sequence[Server], postgres: Postgres, rounds: int, seconds: int) -> Results:
    """All servers run, and one at a time works."""
    results = Results()
    with contextlib.ExitStack() as running:
        addresses = {server.name: running.enter_context(server.running(postgres.url)) for server in servers}
        fill_books(postgres, 2 * ROWS)
        for number in range(-1, rounds):  # the first one warms up
            for request in (*OF_ALL, *OF_SERVICES):
                for server in servers:
                    if request in server.answers:
                        fill(postgres, ROWS)
                        turn = measure(addresses[server.name], request, seconds if number >= 0 else 1)
                        if number >= 0:
                            results.turns[server.name, request].append(turn)
                        said = f"{request.name}, {turn.load.throughput:.0f}/s, {turn.cpu:.0f} µs: {server.name}"
                        print(f"round {number + 1} of {rounds}: {said}", flush=True)
        results.memory = {name: server.memory() for name, server in addresses.items()}
    return results


def measure(server: Running, request: Request, seconds: int, rows: int = ROWS, clients: int = CLIENTS) -> Turn:
    before = server.cpu()
    load = put_load(server.address, request, seconds=seconds, rows=rows, clients=clients)
    return Turn(load, (server.cpu() - before) / load.requests * 1e6)


def fill(postgres: Postgres, rows: int) -> None:
    """Have these rows in the table and no others."""
    postgres.execute("TRUNCATE testnamemodel RESTART IDENTITY")
    # A request of the turn before, which nobody waits for any more, may have created one.
    names = "SELECT 'TestNameModel id=' || i FROM generate_series(1, %s) i ON CONFLICT DO NOTHING"
    postgres.execute(f"INSERT INTO testnamemodel (name) {names}", rows)
    postgres.execute("VACUUM ANALYZE testnamemodel")


def fill_books(postgres: Postgres, rows: int) -> None:
    for statement in BOOKS.format(rows=rows).split(";"):
        postgres.execute(statement)
