"""Load on a server, by wrk: https://github.com/wg/wrk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CLIENTS = 32
SCRIPT = Path(__file__).with_name("load.lua")

Method = Literal["GET", "POST"]


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


def put_load(address: str, method: Method, *, seconds: int, rows: int) -> Load:
    """Load a server for so long. GET asks for the rows from 1 to `rows`, POST creates others."""
    options = ("--threads=1", f"--connections={CLIENTS}", f"--duration={seconds}s", f"--script={SCRIPT}")
    command = ("wrk", *options, address, "--", method, str(rows))
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Load(**json.loads(printed.partition("report: ")[2]))
