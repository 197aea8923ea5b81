"""The service that the template writes beside what people would pick instead, on this machine, in one run."""

import argparse
import shutil
import sys
from pathlib import Path

from harness.baked import TEMPLATE
from harness.postgres import Server as Postgres
from harness.postgres import folder_of_servers

from . import report
from .measuring import compare
from .scaling import large_table, two_processes
from .servers import peer, service
from .starting import first_answer, start_up

PEERS = {
    "FastAPI, SQLAlchemy, asyncpg": "fastapi_sqlalchemy.py",
    "Tornado, peewee's own asyncio": "tornado_pwasyncio.py",
    "aiohttp, asyncpg, SQL by hand": "aiohttp_asyncpg.py",
    "bare Tornado, no database": "bare_tornado.py",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (default: 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of load in each turn (default: 5)")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large table (default: ten million)")
    parser.add_argument("--output", type=Path, default=TEMPLATE / "docs", help="folder for the results (default: docs)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit(
            "wrk puts the load on, and it isn't there: on Debian `apt-get install wrk`, on macOS `brew install wrk`"
        )
    ours = [service("aiopg"), service("psycopg")]
    servers = [*ours, *(peer(name, script) for name, script in PEERS.items())]
    with folder_of_servers() as folder:
        postgres = Postgres(folder / "postgres")
        postgres.create()
        postgres.start()
        try:
            results = compare(servers, postgres, arguments.rounds, arguments.seconds)
            processes = two_processes(ours[0], postgres, arguments.rounds, arguments.seconds)
            large = large_table(ours[0], postgres, arguments.rounds, arguments.seconds, arguments.rows)
            start = start_up(ours[0], postgres, arguments.rounds)
        finally:
            postgres.stop()
    others = [processes, large, start, *first_answer(arguments.rounds)]
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = report.table(results, others)
    (arguments.output / "benchmarks.md").write_text(table)
    report.plot(results, arguments.output / "benchmarks.svg")
    print(f"\n{table}")


if __name__ == "__main__":
    main()
