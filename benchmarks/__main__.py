"""The service that the template writes beside what people would pick instead, on this machine, in one run."""

import argparse
import resource
import sys
from pathlib import Path

from harness.baked import TEMPLATE
from harness.patroni import find_program
from harness.postgres import Server as Postgres
from harness.postgres import folder_of_servers

from . import report
from .load import OF_ALL, OF_SERVICES
from .measuring import compare
from .scaling import idle_clients, large_table, many_clients, stream, through_pgbouncer, two_processes
from .servers import peer, service
from .starting import first_answer, start_up

FASTAPI = "FastAPI, SQLAlchemy, asyncpg"
OTHERS = {
    "Tornado, peewee's own asyncio": "tornado_pwasyncio.py",
    "aiohttp, asyncpg, SQL by hand": "aiohttp_asyncpg.py",
    "bare Tornado, aiopg, SQL by hand": "tornado_aiopg.py",
    "bare Tornado, no database": "bare_tornado.py",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn (default: 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of load in each turn (default: 5)")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large table (default: ten million)")
    parser.add_argument("--stream", type=int, default=1_000_000, help="rows of the stream (default: one million)")
    parser.add_argument("--output", type=Path, default=TEMPLATE / "docs", help="folder for the results (default: docs)")
    arguments = parser.parse_args()
    for program in ("wrk", "pgbouncer"):
        if find_program(program) is None:
            sys.exit(f"{program} isn't there: on Debian `apt-get install {program}`, on macOS `brew install {program}`")
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))  # for many clients
    ours = [service("aiopg"), service("psycopg")]
    fastapi = peer(FASTAPI, "fastapi_sqlalchemy.py", (*OF_ALL, *OF_SERVICES))
    servers = [*ours, fastapi, *(peer(name, script) for name, script in OTHERS.items())]
    with folder_of_servers() as folder:
        postgres = Postgres(folder / "postgres")
        postgres.create()
        postgres.start()
        try:
            results = compare(servers, postgres, arguments.rounds, arguments.seconds)
            others = [
                *many_clients(ours[0], fastapi, postgres, arguments.rounds, arguments.seconds),
                *idle_clients([*ours, fastapi], postgres),
                *stream([*ours, fastapi], postgres, arguments.stream),
                two_processes(ours[0], postgres, arguments.rounds, arguments.seconds),
                *through_pgbouncer(ours[0], postgres, folder, arguments.rounds, arguments.seconds),
                large_table(ours[0], postgres, arguments.rounds, arguments.seconds, arguments.rows),
                start_up(ours[0], postgres, arguments.rounds),
            ]
        finally:
            postgres.stop()
    others += first_answer(arguments.rounds)
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = report.table(results, others)
    (arguments.output / "benchmarks.md").write_text(table)
    report.plot(results, arguments.output / "benchmarks.svg")
    print(f"\n{table}")


if __name__ == "__main__":
    main()
