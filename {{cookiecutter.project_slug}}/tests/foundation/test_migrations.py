"""Migrations go forward and back, once in all replicas or not at all, and the next one is written from the models."""

import asyncio
import re
from pathlib import Path

import peewee
import pytest
from structlog.testing import capture_logs

from {{ cookiecutter.project_slug }}.foundation.database import Database, Model, make_database
from {{ cookiecutter.project_slug }}.foundation.migrations import (
    MigrationError,
    difference,
    migrate,
    status,
    write_new,
)
from {{ cookiecutter.project_slug }}.foundation.migrations.history import LOCK, TABLE
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .conftest import Command
from .example import ExampleSettings, Item
from .support import run, running_with, until_under_way

FUNCTION = "CREATE FUNCTION {}(a integer) RETURNS integer BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 END; END;"
FOLDER = Path(__file__).with_name("migrations")


@pytest.fixture
def database(settings: ExampleSettings) -> Database:
    return make_database(settings)


def tables(database: Database) -> set[str]:
    with database.allow_sync():
        return set(database.get_tables()) - {TABLE}


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.sql").write_text(text)


def test_forward_and_back(database: Database) -> None:
    migrate(database, FOLDER)
    assert tables(database) == {"item"}
    migrate(database, FOLDER, 0)
    assert tables(database) == set()
    assert status(database, FOLDER) == ["0001_create_item: not applied"]
    migrate(database, FOLDER, 1)
    assert status(database, FOLDER)[0].startswith("0001_create_item: applied ")


def test_each_one_is_announced_before_it_runs(database: Database, tmp_path: Path) -> None:
    """A migration that fails, or hangs, is the last one that the log names."""
    write(tmp_path, "0001_good", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;")
    with capture_logs() as lines:
        migrate(database, tmp_path)
        migrate(database, tmp_path, 0)
        write(tmp_path, "0001_good", "-- migrate:up\nSELECT 1 / 0;")
        with pytest.raises(MigrationError):
            migrate(database, tmp_path)
    assert [line["event"] for line in lines] == [
        "applying migration",
        "applied migration",
        "rolling back migration",
        "rolled back migration",
        "applying migration",
    ]
    assert {line["name"] for line in lines} == {"0001_good"}


async def test_serving_applies_them(service: Service) -> None:
    assert all(": applied " in line for line in status(service.database, FOLDER))


async def test_serving_leaves_them_when_told_to(settings: ExampleSettings, database: Database) -> None:
    async with running_with(settings, migrate_on_start=False, seed_on_start=False):
        assert tables(database) == set()


async def test_several_replicas_at_once(database: Database, database_url: str) -> None:
    """Each replica waits for its turn, and finds the migration applied, whatever is set for statements."""
    url = f"{database_url}?options=-c%20default_transaction_isolation%3Dserializable"
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND waitstart < clock_timestamp() - interval '0.3 s'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.allow_sync(), database.atomic():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        replicas = [asyncio.create_task(run("migrate", DATABASE_URL=url, STATEMENT_TIMEOUT="0.2")) for _ in range(3)]
        while database.execute_sql(waiting).fetchone()[0] < len(replicas):
            assert not any(replica.done() for replica in replicas)
            await asyncio.sleep(0.01)
    done = await asyncio.gather(*replicas)
    assert [code for code, _ in done] == [0] * len(replicas), done
    assert sum("applied migration" in printed for _, printed in done) == 1
    assert all('"waiting for another migration"' in printed for _, printed in done)


def test_long_migration_is_not_bounded(settings: ExampleSettings, tmp_path: Path) -> None:
    database = make_database(settings.model_copy(update={"statement_timeout": 0.1}))
    write(tmp_path, "0001_long", "-- migrate:up\nSELECT pg_sleep(0.3);")
    migrate(database, tmp_path)
    assert "0001_long: applied" in status(database, tmp_path)[0]


async def test_migration_that_is_cancelled_does_nothing(database: Database, tmp_path: Path) -> None:
    """And is one line, as any other that fails."""
    write(tmp_path, "0001_slow", "-- migrate:up\nCREATE TABLE a (); SELECT pg_sleep(60);")
    migration = asyncio.create_task(asyncio.to_thread(migrate, database, tmp_path))
    await until_under_way(database, "%pg_sleep(60)%")
    await database.aio_execute_sql(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND query LIKE %s",
        ["%pg_sleep(60)%"],
    )
    with pytest.raises(MigrationError, match=r"^0001_slow: canceling statement due to user request$"):
        await migration
    await database.aio_close()
    assert tables(database) == set()


def test_wait_for_a_table_is_bounded(settings: ExampleSettings, database: Database, tmp_path: Path) -> None:
    """All other statements on the table wait behind a migration that waits for it."""
    write(tmp_path, "0001_create", "-- migrate:up\nCREATE TABLE a ();")
    migrate(database, tmp_path)
    write(tmp_path, "0002_alter", "-- migrate:up\nALTER TABLE a ADD COLUMN b integer;")
    with database.allow_sync(), database.atomic():
        database.execute_sql("LOCK TABLE a IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match=r"^0002_alter: .*lock timeout"):
            migrate(make_database(settings.model_copy(update={"statement_timeout": 0.1})), tmp_path)


def test_migration_that_fails_does_nothing(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_good", "-- migrate:up\nCREATE TABLE a ();")
    write(tmp_path, "0002_bad", "-- migrate:up\nCREATE TABLE b ();\nSELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"^0002_bad: division by zero"):
        migrate(database, tmp_path)
    assert tables(database) == {"a"}
    assert status(database, tmp_path)[1] == "0002_bad: not applied"


def test_statements_are_taken_as_they_are(database: Database, tmp_path: Path) -> None:
    text = "-- migrate:up\nCREATE TABLE a (b text DEFAULT '100 %s; %');\n-- migrate:down\n-- nothing\n"
    write(tmp_path, "0001_percent", text)
    migrate(database, tmp_path)
    migrate(database, tmp_path, 0)
    assert tables(database) == {"a"}


@pytest.mark.parametrize(
    "control",
    [
        "COMMIT",
        "begin",
        "Start  Transaction",
        "COMMIT AND CHAIN",
        "ROLLBACK TO a",
        "SAVEPOINT a",
        "release savepoint a",
        "END",
        "/* so */ -- then\n ABORT",
        "PREPARE TRANSACTION 'a'",
        f"{FUNCTION.format('f')} COMMIT; {FUNCTION.format('g')}",
        "SELECT t.case FROM t; COMMIT; SELECT t.end FROM t",
        "SELECT 'x' LIKE'\\'; COMMIT; SELECT 'y'",
        "CREATE TABLE a$b$ (); COMMIT; CREATE TABLE c$b$ ()",
    ],
)
def test_transaction_control_is_refused(database: Database, tmp_path: Path, control: str) -> None:
    write(tmp_path, "0001_half", f"-- migrate:up\nCREATE TABLE a ();\n{control};\nCREATE TABLE b ();")
    with pytest.raises(MigrationError, match=r"^0001_half\.sql has [A-Z ]+: remove it"):
        migrate(database, tmp_path)
    assert tables(database) == set()


def test_transaction_control_that_is_not_seen_is_told(database: Database, tmp_path: Path) -> None:
    hidden = "CREATE FUNCTION f() RETURNS integer BEGIN ATOMIC SELECT 1 AS case; END; COMMIT; SELECT 1 AS end;"
    write(tmp_path, "0001_half", f"-- migrate:up\nCREATE TABLE a ();\n{hidden}\nCREATE TABLE b ();")
    with pytest.raises(MigrationError, match=r"^0001_half ended its transaction early, .* are committed"):
        migrate(database, tmp_path)
    assert status(database, tmp_path) == ["0001_half: not applied"]


def test_words_of_transaction_control_elsewhere_are_text(database: Database, tmp_path: Path) -> None:
    write(
        tmp_path,
        "0001_words",
        """-- migrate:up
CREATE TABLE "COMMIT;" (a text DEFAULT '; COMMIT; it''s', b text DEFAULT E'\\'; ROLLBACK;', "end" integer);
-- ; COMMIT;
/* /* */ ; COMMIT; */
DO $body$ BEGIN PERFORM 1; END; $body$;
"""
        + FUNCTION.format("f"),
    )
    migrate(database, tmp_path)
    assert tables(database) == {"COMMIT;"}


def test_file_with_a_byte_order_mark(database: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_mark.sql").write_text("-- migrate:up\nCREATE TABLE a ();", encoding="utf-8-sig")
    migrate(database, tmp_path)
    assert tables(database) == {"a"}


def test_file_that_is_not_in_utf_8(database: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_latin.sql").write_bytes(b"-- migrate:up\nSELECT '\xe9';")
    with pytest.raises(MigrationError, match=r"^0001_latin\.sql is not in UTF-8: "):
        migrate(database, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE a ();\0 CREATE TABLE b ();", "has a NUL byte: remove it"),
        (
            'COPY "a" (b) FROM stdin;\nit\'s\n\\.\n',
            "has COPY … FROM STDIN, which is psql's: remove it, or use pg_dump --inserts",
        ),
        ("COPY a TO STDOUT WITH CSV;", "has COPY … TO STDOUT, which is psql's"),
        ("SELECT 1;\n\\restrict abc\n", r"has the line '\restrict abc', which is psql's: remove it"),
    ],
)
def test_what_sql_can_not_have_is_refused(database: Database, tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path, "0001_bad", f"-- migrate:up\n{text}")
    with pytest.raises(MigrationError, match=f"^{re.escape(f'0001_bad.sql {expected}')}"):
        migrate(database, tmp_path)
    assert tables(database) == set()


def test_backslash_in_a_string_is_text(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_text", "-- migrate:up\nSELECT 'COPY a FROM STDIN;\n\\.';\nCREATE TABLE copy_from_stdin ();")
    migrate(database, tmp_path)
    assert tables(database) == {"copy_from_stdin"}


def test_folder_that_is_missing_has_no_migrations(database: Database, tmp_path: Path) -> None:
    """Git keeps no empty folder."""
    folder = tmp_path / "gone"
    migrate(database, folder)
    assert status(database, folder) == []
    write_new(database, [Before], "create", folder)
    assert [file.name for file in folder.iterdir()] == ["0001_create.sql"]


def test_files_that_can_not_be_read_are_told(database: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_link.sql").symlink_to("nowhere")
    with pytest.raises(MigrationError, match=r"0001_link\.sql can't be read: No such file or directory$"):
        migrate(database, tmp_path)
    (tmp_path / "0001_link.sql").unlink()
    (tmp_path / "0001_folder.sql").mkdir()
    with pytest.raises(MigrationError, match=r"0001_folder\.sql can't be read: Is a directory$"):
        migrate(database, tmp_path)


DEFERRED = """-- migrate:up
CREATE TABLE a (id integer PRIMARY KEY, parent integer REFERENCES a DEFERRABLE INITIALLY DEFERRED);
"""


def test_error_at_the_commit_names_the_migration(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "0001_key", f"{DEFERRED} INSERT INTO a VALUES (1, 2);")
    with pytest.raises(MigrationError, match=r"^0001_key: .*violates foreign key constraint"):
        migrate(database, tmp_path)
    assert "applied migration" not in "".join(capfd.readouterr())


def test_new_one_after_rows_with_a_deferred_key(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_key", f"{DEFERRED} INSERT INTO a VALUES (1, 2), (2, 1);")
    write(tmp_path, "0002_more", "-- migrate:up\nINSERT INTO a VALUES (3, 4), (4, 3);")
    write(tmp_path, "0003_change", "-- migrate:up\nALTER TABLE a ADD b integer; DROP TABLE a;")
    assert difference(database, [], tmp_path) == ([], [])


def test_settings_of_a_migration_end_with_it(database: Database, tmp_path: Path) -> None:
    write(
        tmp_path,
        "0001_set",
        """-- migrate:up
SET session_replication_role = replica; SET lock_timeout = 0; SET statement_timeout = 0; SET ROLE pg_monitor;
""",
    )
    write(
        tmp_path,
        "0002_get",
        """-- migrate:up
CREATE TABLE found AS SELECT current_setting('session_replication_role'),
    current_setting('lock_timeout') <> '0' AS bounded, current_user = session_user AS own;
""",
    )
    migrate(database, tmp_path)
    with database.allow_sync():
        assert database.execute_sql("SELECT * FROM found").fetchone() == ("origin", True, True)


def test_search_path_of_a_dump(database: Database, tmp_path: Path) -> None:
    """pg_dump writes a search_path for the whole session, and names everything with its schema."""
    dump = "SELECT set_config('search_path', '', false);\nCREATE TABLE public.author (id serial PRIMARY KEY);"
    write(tmp_path, "0001_dump", f"-- migrate:up\n{dump}")
    for _ in range(2):
        assert difference(database, [Author], tmp_path) == ([], [])
        migrate(database, tmp_path)
    assert tables(database) == {"author"}


def test_no_way_back(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_one_way", "-- migrate:up\nCREATE TABLE a ();")
    write(tmp_path, "0002_two_ways", "-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b;")
    migrate(database, tmp_path)
    with pytest.raises(MigrationError, match=r"0001_one_way\.sql has no '-- migrate:down'"):
        migrate(database, tmp_path, 0)
    assert tables(database) == {"a", "b"}


def test_older_version_on_a_newer_database(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_old", "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;")
    write(tmp_path, "0002_new", "-- migrate:up\nCREATE TABLE b ();\n-- migrate:down\nDROP TABLE b;")
    migrate(database, tmp_path)
    (tmp_path / "0002_new.sql").unlink()
    migrate(database, tmp_path)
    assert re.fullmatch("0002_new: applied .*, and not in this version of the service", status(database, tmp_path)[1])
    with pytest.raises(MigrationError, match="0002_new is applied, but not in this version"):
        migrate(database, tmp_path, 0)


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        (
            ["0001_a", "0001_b"],
            "-- migrate:up\n",
            "0001_a.sql and 0001_b.sql have the same number: renumber the one that is applied nowhere yet",
        ),
        (["1_a"], "-- migrate:up\n", "1_a.sql is no name of a migration"),
        (["0000_a"], "-- migrate:up\n", "0000_a.sql is no name of a migration"),
        (["0001_a"], "SELECT 1;\n", "0001_a.sql doesn't begin with the line '-- migrate:up'"),
    ],
)
def test_bad_file(database: Database, tmp_path: Path, names: list[str], text: str, expected: str) -> None:
    for name in names:
        write(tmp_path, name, text)
    with pytest.raises(MigrationError, match=f"^{re.escape(expected)}"):
        migrate(database, tmp_path)


def test_new_one_from_the_models(database: Database, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    file = write_new(database, [Item], "create_item", tmp_path)
    assert file == tmp_path / "0001_create_item.sql"
    migrate(database, tmp_path)
    assert tables(database) == {"item"}
    with pytest.raises(MigrationError, match="the migrations already make the models' tables"):
        write_new(database, [Item], "again", tmp_path)


def earlier_history(database: Database, *names: str) -> None:
    with database.allow_sync():
        database.execute_sql(
            "CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
        )
        for name in names:
            database.execute_sql("INSERT INTO schema_migrations (name) VALUES (%s)", (name,))


def test_history_of_an_earlier_version_moves(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_old", "-- migrate:up\nSELECT 1 / 0;\n-- migrate:down\n-- nothing")
    write(tmp_path, "0002_new", "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;")
    earlier_history(database, "0001_old")
    assert status(database, tmp_path)[0].startswith("0001_old: applied ")
    migrate(database, tmp_path)
    assert tables(database) == {"a"}
    with database.allow_sync():  # as replicas of the earlier version do
        assert database.execute_sql("SELECT name FROM schema_migrations ORDER BY name").fetchall()[1:] == [
            ("0002_new",)
        ]
        database.execute_sql("DELETE FROM schema_migrations WHERE name = '0001_old'")
        database.execute_sql("INSERT INTO schema_migrations (name) VALUES ('0001_old')")
    migrate(database, tmp_path, 0)
    assert [line.partition(": ")[2] for line in status(database, tmp_path)] == ["not applied"] * 2


@pytest.mark.parametrize(
    "history",
    [
        "CREATE TABLE schema_migrations AS SELECT '0001_a' AS version",
        "CREATE TABLE schema_migrations AS SELECT '0001_others' AS name, now() AS applied_at",
        "CREATE VIEW schema_migrations AS SELECT '0001_a' AS name, now() AS applied_at",
    ],
    ids=["dbmate", "another service", "another service that moved"],
)
def test_history_of_others_is_left(database: Database, tmp_path: Path, history: str) -> None:
    """dbmate's and Rails' have a version; another service has other names, or has moved its own."""
    with database.allow_sync():
        database.execute_sql(history)
    write(tmp_path, "0001_a", "-- migrate:up\nCREATE TABLE a ();")
    migrate(database, tmp_path)
    assert "a" in tables(database)
    with database.allow_sync():
        assert database.execute_sql("SELECT count(*) FROM schema_migrations").fetchone() == (1,)


def test_history_that_may_be_of_others_is_refused(database: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_a", "-- migrate:up\nCREATE TABLE a ();")
    earlier_history(database, "0001_a", "0002_b")
    with pytest.raises(MigrationError, match="schema_migrations has 0002_b, but this version of the service doesn't"):
        migrate(database, tmp_path)


def test_command(command: Command, settings: ExampleSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    assert command("migrate")[0] == 0
    assert "0001_create_item: applied " in command("migrate", "--status")[1]
    assert command("migrate", "--to", "0")[0] == 0
    assert command("migrate", "--status") == (0, "0001_create_item: not applied\n")
    message, _ = command("migrate", "--new", "again")
    assert str(message).startswith("example: the migrations already make the models' tables")


class Author(Model):
    id = peewee.AutoField()


class Before(Model):
    id = peewee.AutoField()
    name = peewee.CharField(max_length=10, index=True)
    gone = peewee.TextField()

    class Meta:
        table_name = "book"


class After(Model):
    id = peewee.AutoField()
    name = peewee.CharField(max_length=20, unique=True, null=True)
    pages = peewee.IntegerField(default=7, constraints=[peewee.Check("pages > 0")])
    author = peewee.ForeignKeyField(Author, null=True, on_delete="CASCADE")

    class Meta:
        table_name = "book"


def test_new_one_keeps_the_rows(database: Database, tmp_path: Path) -> None:
    write_new(database, [Before], "create", tmp_path)
    migrate(database, tmp_path)
    with database.allow_sync():
        database.execute_sql("INSERT INTO book (name, gone) VALUES ('a', 'b')")
    assert write_new(database, [Author, After], "change", tmp_path) == tmp_path / "0002_change.sql"
    migrate(database, tmp_path)
    with database.allow_sync():
        assert database.execute_sql("SELECT id, name, pages, author_id FROM book").fetchall() == [(1, "a", 7, None)]
        database.execute_sql("DELETE FROM book")  # `gone` is NOT NULL, and its values are lost
    assert difference(database, [Author, After], tmp_path) == ([], [])
    migrate(database, tmp_path, 1)
    (tmp_path / "0002_change.sql").unlink()
    assert difference(database, [Before], tmp_path) == ([], [])


class MoodField(peewee.Field):
    field_type = "mood"


class PercentageField(peewee.Field):
    field_type = "percentage"


class Typed(Model):
    id = peewee.AutoField()
    mood = MoodField()
    percentage = PercentageField()


def test_types_that_peewee_does_not_know(database: Database, tmp_path: Path) -> None:
    """A migration makes one type; the other exists already, like those of an extension."""
    with database.allow_sync():
        database.execute_sql("CREATE DOMAIN percentage AS integer")
    write(tmp_path, "0001_types", "-- migrate:up\nCREATE TYPE mood AS ENUM ('fine');\n-- migrate:down\nDROP TYPE mood;")
    write_new(database, [Typed], "create", tmp_path)
    migrate(database, tmp_path)
    assert difference(database, [Typed], tmp_path) == ([], [])


def test_folder_that_can_not_be_written(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=r"0001_create\.sql can't be written: No such file or directory$"):
        write_new(database, [Before], "create", tmp_path / "gone" / "migrations")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--to", "9999"], "there is no migration 9999; the newest is 0001_create_item"),
        (["--to", "newest"], "error: argument --to: invalid int value"),
        (["--to", "0", "--status"], "error: argument --status: not allowed with argument --to"),
        (["--new", "Add age"], "'Add age' can't name a migration: use 1 to 60 lower-case letters"),
    ],
)
def test_bad_input(
    database: Database, database_url: str, command: Command, arguments: list[str], expected: str
) -> None:
    message, printed = command("migrate", *arguments, DATABASE_URL=database_url)
    assert expected in f"{message}{printed}"
    assert message != 0
    assert tables(database) == set()
