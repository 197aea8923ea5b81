"""The files of migrations: `0001_name.sql`, with statements to go forward and back."""

import itertools
import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .errors import MigrationError
from .transaction_control import psql_command, transaction_control

UP, DOWN = "-- migrate:up", "-- migrate:down"  # dbmate's lines
NUMBER = "(?!0000)[0-9]{4}"
NAME = "[a-z0-9_]{1,60}"


@dataclass(frozen=True)
class Migration:
    """SQL to go forward, and back where that is possible. The name begins with the number: `0001_name`."""

    name: str
    up: str
    down: str | None

    @property
    def number(self) -> int:
        return int(self.name[:4])


def read_migrations(folder: Path) -> list[Migration]:
    """Return the folder's migrations by number. Raises MigrationError for one that can't be read.

    There are none without the folder: git keeps no empty one.
    """
    if not folder.exists():
        return []
    try:
        migrations = [_read(path) for path in sorted(folder.iterdir()) if path.suffix == ".sql"]
    except OSError as error:
        raise MigrationError(f"{error.filename} can't be read: {error.strerror}") from None
    for first, second in itertools.pairwise(migrations):
        if first.number == second.number:
            raise MigrationError(
                f"{first.name}.sql and {second.name}.sql have the same number: "
                "renumber the one that is applied nowhere yet"
            )
    return migrations


def new_file(name: str, folder: Path) -> Path:
    """Return the path for the next migration. Raises MigrationError."""
    if not re.fullmatch(NAME, name):
        raise MigrationError(f"{name!r} can't name a migration: use 1 to 60 lower-case letters, digits and underscores")
    if folder.is_relative_to(sysconfig.get_path("purelib")):
        raise MigrationError(f"{folder} is an installed copy: write new migrations in the project's source")
    number = max((migration.number for migration in read_migrations(folder)), default=0) + 1
    return folder / f"{number:04}_{name}.sql"


def write_migration(file: Path, up: list[str], down: list[str]) -> None:
    """Write a new file, and make its folder. Raises MigrationError."""
    text = "\n\n".join([UP, *up, DOWN, *down]) + "\n"
    try:
        file.parent.mkdir(exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise MigrationError(f"{file} can't be written: {error.strerror}") from None


def _read(path: Path) -> Migration:
    if not re.fullmatch(f"{NUMBER}_{NAME}", path.stem):
        raise MigrationError(f"{path.name} is no name of a migration, such as 0001_add_age.sql")
    try:
        text = path.read_text(encoding="utf-8-sig")  # an editor's byte order mark is no SQL
    except UnicodeDecodeError as error:
        raise MigrationError(f"{path.name} is not in UTF-8: {error}") from None
    if "\0" in text:  # libpq would execute what is before it
        raise MigrationError(f"{path.name} has a NUL byte: remove it")
    head, *ups = re.split(rf"^{UP}\s*$", text, flags=re.MULTILINE)
    if head.strip() or len(ups) != 1:
        raise MigrationError(f"{path.name} doesn't begin with the line '{UP}', or has it twice")
    up, *downs = re.split(rf"^{DOWN}\s*$", ups[0], flags=re.MULTILINE)
    if len(downs) > 1:
        raise MigrationError(f"{path.name} has the line '{DOWN}' twice")
    for sql in (up, *downs):
        if command := psql_command(sql):
            raise MigrationError(f"{path.name} has {command}, which is psql's: remove it, or use pg_dump --inserts")
        if control := transaction_control(sql):
            raise MigrationError(f"{path.name} has {control}: remove it, each migration is a transaction of its own")
    return Migration(path.stem, up, downs[0] if downs else None)
