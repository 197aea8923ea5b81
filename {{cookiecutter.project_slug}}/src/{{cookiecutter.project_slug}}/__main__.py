"""The command line."""

import argparse
import asyncio
import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import uvloop
from pydantic import SecretStr

from . import models, seeding
from .application import make_application
from .database import make_database
from .embedded import EmbeddedPostgresError, embedded_database
from .logs import configure_logging
from .migrations import MigrationError, migrate, status, write_new
from .openapi import document
from .sentry import report_to_sentry
from .server import serve
from .settings import Settings, SettingsError, load_settings

LONGEST_STOP = 5  # seconds until --reload kills the service: somebody waits for the changed one


def main() -> None:
    """Run the command that was typed. An error that its user can mend is one line and exit code 1."""
    commands = {"serve": _serve, "migrate": _migrate, "seed": _seed}
    parser = argparse.ArgumentParser(prog=__package__, description="A service over PostgreSQL.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in commands.items():
        subparser = subparsers.add_parser(name, help=command.__doc__, description=command.__doc__)
        subparser.add_argument(
            "--wait", type=_seconds, default=0, metavar="SECONDS", help="wait that long for the database to answer"
        )
    subparsers.choices["serve"].add_argument("--reload", action="store_true", help="start again when the code changes")
    _add_migrate_arguments(subparsers.choices["migrate"])
    subparsers.add_parser("openapi", help=_openapi.__doc__, description=_openapi.__doc__)
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):  # until it serves
        signal.signal(number, _exit)
    try:
        settings = load_settings()
        if arguments.command == "openapi":
            _openapi(settings)
            return
        configure_logging(settings.log_level, settings.log_format)
        report_to_sentry(settings)
        with _database(settings) as settings:
            if arguments.wait:
                asyncio.run(make_database(settings).wait(arguments.wait))
            commands[arguments.command](settings, arguments)
    except (SettingsError, MigrationError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        sys.exit(f"{parser.prog}: the database: {' '.join(str(error).split())}")


def _add_migrate_arguments(parser: argparse.ArgumentParser) -> None:
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--to", type=int, metavar="NUMBER", help="forward or back to that one, 0 for none at all")
    instead.add_argument("--status", action="store_true", help="only tell which migrations are applied")
    instead.add_argument("--new", metavar="NAME", help="only write the next one, from what the models have changed")


def _serve(settings: Settings, arguments: argparse.Namespace) -> None:
    """Migrate and seed unless told otherwise, and serve until SIGTERM or ^C."""
    if arguments.reload:
        _serve_and_reload(settings)
    else:
        uvloop.run(serve(settings))


def _serve_and_reload(settings: Settings) -> None:
    try:
        import watchfiles
    except ImportError:
        raise SettingsError("--reload is for development: it wants watchfiles, which `uv sync` installs") from None
    if settings.database_url is not None:  # an embedded one's, which runs on
        os.environ["DATABASE_URL"] = settings.database_url.get_secret_value()
    if settings.migrate:
        _in_a_thread(migrate, make_database(settings))
    os.environ["MIGRATE"] = "false"  # a migration that is being written is not to be applied before it is read
    os.environ["SHUTDOWN_DELAY"] = "0"  # no balancer waits
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    changes = watchfiles.watch(Path(__file__).parent, stop_event=ended)
    while not ended.is_set():
        service = subprocess.Popen([sys.executable, "-m", str(__package__), "serve"])
        try:
            next(changes, None)
        except RuntimeError as error:  # of inotify, which has so many watchers a user
            raise SettingsError(f"--reload: the code can't be watched: {error}") from None
        finally:
            _stop(service)


def _stop(service: subprocess.Popen[bytes]) -> None:
    service.terminate()  # a ^C, which raises KeyboardInterrupt wherever it is, may be lost while it starts
    try:
        service.wait(LONGEST_STOP)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def _migrate(settings: Settings, arguments: argparse.Namespace) -> None:
    """Bring the tables to the newest migration, or to another."""
    database = make_database(settings)
    if arguments.status:
        print(*status(database), sep="\n")
    elif arguments.new is not None:
        print(f"wrote {write_new(database, models.MODELS, arguments.new)}: read it before you apply it")
    else:
        _in_a_thread(migrate, database, arguments.to)


def _seed(settings: Settings, arguments: argparse.Namespace) -> None:
    """Create the first rows where they aren't there."""
    _in_a_thread(seeding.seed, make_application(settings).database)


def _openapi(settings: Settings) -> None:
    """Print the description of the service, as JSON; this needs no database."""
    print(document(make_application(settings)))


def _in_a_thread(work: Callable[..., None], *arguments: Any) -> None:
    """Do what may wait in libpq, which psycopg2 does without noticing signals, where it doesn't keep them from us."""
    asyncio.run(asyncio.to_thread(work, *arguments))


def _exit(number: int, frame: object) -> None:
    """At once: a process that is the first of its container is not ended by signals that it doesn't handle."""
    os._exit(128 + number)


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The settings with a database: the one they name, or an embedded one for as long as the block runs."""
    if settings.names_a_database:
        yield settings
        return
    try:
        with embedded_database(Path(".postgres"), settings.database_name) as url:
            yield settings.model_copy(update={"database_url": SecretStr(url)})
    except EmbeddedPostgresError as error:
        example = f"postgresql://user:password@127.0.0.1:{settings.database_port}/{settings.database_name}"
        raise SettingsError(f"there is no database: set DATABASE_URL, e.g. to {example} ({error})") from None


if __name__ == "__main__":
    main()
