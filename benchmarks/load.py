"""Load on a server, by wrk: https://github.com/wg/wrk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

CLIENTS = 32
TIMEOUT = 30  # seconds
SCRIPT = Path(__file__).with_name("load.lua")


class Request(NamedTuple):
    """A kind of request: its name in the table, and a path that ends with the id of a row, for POST the path alone."""

    name: str
    method: str
    path: str


GET = Request("GET of a row", "GET", "/?id=")
POST = Request("POST of a row", "POST", "/")
OF_ALL = (GET, POST)  # what each server answers
OF_SERVICES = (
    Request("100 rows, two columns", "GET", "/titles?after="),
    Request("100 rows, seven columns", "GET", "/books?after="),
    Request("row with a joined row", "GET", "/book?id="),
    Request("update of a row", "PUT", "/name?id="),
    Request("get or create, in a transaction", "GET", "/create?id="),
)


@dataclass(frozen=True)
class Load:
    """What clients saw who each sent a request as soon as they had the answer to the one before."""

    requests: int
    seconds: float
    p50: float  # milliseconds
    p99: float
    errors: int  # requests without an answer, or with one of 400 and above

    @property
    def throughput(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def put_load(address: str, request: Request, *, seconds: int, rows: int, clients: int = CLIENTS) -> Load:
    """Load a server for so long. Requests are for the rows from 1 to `rows`; POST creates others."""
    options = ("--threads=1", f"--connections={clients}", f"--duration={seconds}s", f"--timeout={TIMEOUT}s")
    command = ("wrk", *options, f"--script={SCRIPT}", address, "--", request.method, request.path, str(rows))
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Load(**json.loads(printed.partition("report: ")[2]))
