"""Changes of the models become migrations that go forward and back, or are refused in one line."""

import datetime
import decimal
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import peewee
import pytest
from peewee import SQL, AutoField, CharField, Check, DateTimeField, ForeignKeyField, IntegerField, TextField
from playhouse import postgres_ext

from {{ cookiecutter.project_slug }}.foundation.database import Database, Model, make_database
from {{ cookiecutter.project_slug }}.foundation.migrations import (
    MigrationError,
    difference,
    migrate,
    write_new,
)

from .example import ExampleSettings

Models = Sequence[type[Model]]

postgres: Any = postgres_ext  # its fields aren't typed
FixedCharField: Any = peewee.FixedCharField  # its max_length isn't


@pytest.fixture
def database(settings: ExampleSettings) -> Database:
    return make_database(settings)


def model(name: str, meta: dict[str, Any] | None = None, /, **fields: Any) -> Any:
    """Return a model with these fields, and with an `id` unless there is another key."""
    key = {} if meta and "primary_key" in meta else {"id": AutoField()}
    return type(name, (Model,), {"Meta": type("Meta", (), meta or {}), **key, **fields})


def execute(database: Database, sql: str) -> Any:
    with database.allow_sync():
        cursor = database.execute_sql(sql)
        return cursor.fetchall() if cursor.description else None


def change(database: Database, folder: Path, old: Models, new: Models, rows: str = "SELECT 1") -> str:
    """Write and apply a migration with the old models, some rows, and one with the new models; return its text."""
    write_new(database, old, "old", folder)
    migrate(database, folder)
    execute(database, rows)
    text = write_new(database, new, "new", folder).read_text()
    migrate(database, folder)
    assert difference(database, new, folder) == ([], [])
    return text


def go_back(database: Database, folder: Path, old: Models) -> None:
    migrate(database, folder, 1)
    (folder / "0002_new.sql").unlink()
    assert difference(database, old, folder) == ([], [])


def fields() -> dict[str, Any]:
    return {
        "small": peewee.SmallIntegerField(default=1),
        "big": peewee.BigIntegerField(default=2**40, index=True),
        "real": peewee.FloatField(default=0.5),
        "double": peewee.DoubleField(default=0.1),
        "numeric": peewee.DecimalField(max_digits=8, decimal_places=3, default=decimal.Decimal("1.5")),
        "char": CharField(default="100% '\\ %s {}"),
        "fixed": FixedCharField(max_length=3, default="abc"),
        "text": TextField(default=str),
        "blob": peewee.BlobField(default=b"\x00'%"),
        "bits": peewee.BitField(),
        "many_bits": peewee.BigBitField(),
        "uuid": peewee.UUIDField(default=uuid.UUID(int=5)),
        "binary_uuid": peewee.BinaryUUIDField(default=uuid.UUID(int=5)),
        "moment": DateTimeField(default=datetime.datetime(2020, 1, 2, 3)),
        "moment_there": postgres.DateTimeTZField(default=datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)),
        "date": peewee.DateField(default=datetime.date(2020, 1, 2)),
        "time": peewee.TimeField(default=datetime.time(3, 4)),
        "interval": postgres.IntervalField(default=datetime.timedelta(days=1)),
        "timestamp": peewee.TimestampField(default=0),
        "ip": peewee.IPField(default="127.0.0.1"),
        "boolean": peewee.BooleanField(default=False),
        "json": peewee.JSONField(default={"a": ["%s'", None]}),
        "plain_json": postgres.JSONField(default={"a": 1}),
        "jsonb": postgres.BinaryJSONField(default=dict),
        "array": postgres.ArrayField(CharField, {"max_length": 4}, default=list),
        "matrix": postgres.ArrayField(IntegerField, dimensions=2, default=[[1, 2], [3, 4]]),
        "words": postgres.TSVectorField(default=""),
        "collated": CharField(collation='"C"', default=""),
        "order": IntegerField(default=1, index=True),
        "User Name": CharField(default="", index=True),
        "größe": CharField(default="ß", index=True),
        'quo"te': IntegerField(default=1, index=True),
        "other": IntegerField(column_name="Other Name", default=1, null=True, unique=True),
        "chosen": CharField(default="new", constraints=[Check("chosen IN ('new', 'paid')")]),
        "not_chosen": CharField(default="x", constraints=[Check("not_chosen NOT IN ('new', 'paid')")]),
        "one_chosen": CharField(default="x", constraints=[Check("one_chosen = 'x' OR one_chosen = 'a' || 'b'")]),
        "mail": TextField(default="a@b", constraints=[Check("mail LIKE '%@%'")]),
        "doubled": TextField(default="a@b", constraints=[Check("doubled LIKE '%%@%%'", name="My check")]),
        "between": peewee.DecimalField(default=1, constraints=[Check("between BETWEEN 0 AND 10.5")]),
        "chars": CharField(constraints=[SQL("DEFAULT 'x'")]),
        "created": DateTimeField(constraints=[SQL("DEFAULT (now() AT TIME ZONE 'utc')")]),
        "random": peewee.UUIDField(constraints=[SQL("DEFAULT gen_random_uuid()")]),
        "less": IntegerField(constraints=[SQL("DEFAULT -1")]),
        "first_computed": IntegerField(null=True, constraints=[SQL("GENERATED ALWAYS AS (last_one * 2) STORED")]),
        "last_one": IntegerField(default=4),
    }


def test_each_field_becomes_a_column(database: Database, tmp_path: Path) -> None:
    thing = model("Thing", **fields())
    write_new(database, [thing], "first", tmp_path)
    migrate(database, tmp_path)
    assert difference(database, [thing], tmp_path) == ([], [])
    migrate(database, tmp_path, 0)


def test_each_field_is_added_to_a_table_with_rows(database: Database, tmp_path: Path) -> None:
    old, new = model("Thing", first=IntegerField()), model("Thing", first=IntegerField(), **fields())
    change(database, tmp_path, [old], [new], "INSERT INTO thing (first) VALUES (1)")
    added = execute(database, 'SELECT fixed, json, jsonb, "array", matrix, numeric, first_computed, chars FROM thing')
    expected: Any = ("abc", {"a": ["%s'", None]}, {}, [], [[1, 2], [3, 4]], decimal.Decimal("1.5"), 8, "x")
    assert added == [expected]
    go_back(database, tmp_path, [old])


KEYS: dict[str, Callable[[], peewee.Field]] = {
    "serial": AutoField,
    "bigserial": peewee.BigAutoField,
    "identity": peewee.IdentityField,
    "always": lambda: peewee.IdentityField(generate_always=True),
    "plain": lambda: IntegerField(primary_key=True),
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("serial", "bigserial"),
        ("serial", "identity"),
        ("serial", "plain"),
        ("identity", "always"),
        ("identity", "bigserial"),
    ],
)
def test_key_of_another_kind_goes_on_with_its_numbers(database: Database, tmp_path: Path, old: str, new: str) -> None:
    def models(kind: str) -> Models:
        author = model("Author", id=KEYS[kind](), name=TextField(null=True))
        return [author, model("Book", author=ForeignKeyField(author))]

    rows = "INSERT INTO author (name) VALUES ('a'), ('b'); INSERT INTO book (author_id) VALUES (2)"
    change(database, tmp_path, models(old), models(new), rows)
    if new != "plain":
        assert execute(database, "INSERT INTO author (name) VALUES ('c') RETURNING id") == [(3,)]
    go_back(database, tmp_path, models(old))
    last = 4 if new != "plain" else 3
    assert execute(database, "INSERT INTO author (name) VALUES ('d') RETURNING id") == [(last,)]


@pytest.mark.parametrize(("old", "new"), [("serial", "identity"), ("identity", "bigserial")])
def test_key_of_another_kind_gives_no_number_twice(database: Database, tmp_path: Path, old: str, new: str) -> None:
    before, after = (model("Thing", id=KEYS[kind](), name=TextField(null=True)) for kind in (old, new))
    one_gone = "INSERT INTO thing (name) VALUES ('a'), ('b') RETURNING id; DELETE FROM thing WHERE id = 2"
    change(database, tmp_path, [before], [after], one_gone)
    assert execute(database, "INSERT INTO thing (name) VALUES ('c') RETURNING id") == [(3,)]
    execute(database, "DELETE FROM thing")
    go_back(database, tmp_path, [before])
    assert execute(database, "INSERT INTO thing (name) VALUES ('d') RETURNING id") == [(4,)]


@pytest.mark.parametrize("kind", ["serial", "identity"])
def test_numbers_that_are_forgotten_are_warned_of(database: Database, tmp_path: Path, kind: str) -> None:
    old, new = model("Thing", id=KEYS[kind]()), model("Thing", id=KEYS["plain"]())
    up = change(database, tmp_path, [old], [new]).partition("-- migrate:down")[0]
    assert "-- This forgets the last id" in up


SEQUENCE = "SELECT format_type(seqtypid, NULL), CAST(seqrelid AS regclass)::text FROM pg_sequence"


def by_hand(folder: Path, up: str, down: str) -> None:
    (folder / "0002_by_hand.sql").write_text(f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n")


def test_sequence_of_another_type_than_its_column(database: Database, tmp_path: Path) -> None:
    write_new(database, [model("Thing")], "old", tmp_path)
    by_hand(tmp_path, "ALTER TABLE thing ALTER id TYPE bigint;", "ALTER TABLE thing ALTER id TYPE integer;")
    new = model("Thing", id=peewee.BigAutoField())
    write_new(database, [new], "new", tmp_path)
    assert difference(database, [new], tmp_path) == ([], [])
    migrate(database, tmp_path)
    assert execute(database, SEQUENCE) == [("bigint", "thing_id_seq")]
    migrate(database, tmp_path, 2)
    assert execute(database, SEQUENCE) == [("integer", "thing_id_seq")]
    migrate(database, tmp_path, 0)


def test_sequence_of_a_renamed_table(database: Database, tmp_path: Path) -> None:
    write_new(database, [model("Person")], "old", tmp_path)
    by_hand(tmp_path, "ALTER TABLE person RENAME TO human;", "ALTER TABLE human RENAME TO person;")
    new = model("Human", id=peewee.BigAutoField())
    write_new(database, [new], "new", tmp_path)
    assert difference(database, [new], tmp_path) == ([], [])
    migrate(database, tmp_path)
    assert execute(database, SEQUENCE) == [("bigint", "person_id_seq")]
    migrate(database, tmp_path, 0)


def test_default_that_no_longer_takes_the_sequence(database: Database, tmp_path: Path) -> None:
    thing = model("Thing", name=TextField(null=True))
    write_new(database, [thing], "old", tmp_path)
    sequence = "nextval('thing_id_seq')"
    by_hand(tmp_path, "ALTER TABLE thing ALTER id DROP DEFAULT;", f"ALTER TABLE thing ALTER id SET DEFAULT {sequence};")
    write_new(database, [thing], "new", tmp_path)
    assert difference(database, [thing], tmp_path) == ([], [])
    for number in (None, 2, None):
        migrate(database, tmp_path, number)
    assert execute(database, "INSERT INTO thing (name) VALUES ('a') RETURNING id") == [(1,)]
    migrate(database, tmp_path, 0)


def with_index(field: peewee.Field, *expressions: Any, **options: Any) -> Any:
    thing = model("Thing", name=field)
    thing.add_index(*(expression(thing) for expression in expressions), **options)
    return thing


@pytest.mark.parametrize(
    "indexed",
    [
        with_index(CharField(), lambda thing: thing.name, where=SQL("name <> %s", ["it's"])),
        with_index(CharField(), lambda thing: peewee.fn.substr(thing.name, 1, 3), name="Thing's start"),
        with_index(CharField(), lambda _: SQL("CREATE INDEX percent ON thing (name) WHERE name LIKE '%a'")),
        model("Thing", {"indexes": ((("name",), True),)}, name=CharField()),
        model("Thing", {"constraints": [SQL("EXCLUDE USING btree (name WITH =)")]}, name=CharField()),
        model("Thing", name=CharField(unique=True)),
    ],
)
def test_index(database: Database, tmp_path: Path, indexed: type[Model]) -> None:
    old = model("Thing", name=CharField())
    change(database, tmp_path, [old], [indexed])
    go_back(database, tmp_path, [old])


def test_index_with_a_condition_on_the_model(database: Database, tmp_path: Path) -> None:
    old, new = model("Thing", name=CharField()), model("Thing", name=CharField())
    new.add_index(new.name, where=(new.name != "") & new.name.contains("%'"))
    change(database, tmp_path, [old], [new])
    go_back(database, tmp_path, [old])


def test_table_with_a_storage_parameter(database: Database, tmp_path: Path) -> None:
    thing = model("Thing", {"table_settings": ["WITH (fillfactor=70)"]})
    write_new(database, [thing], "first", tmp_path)
    migrate(database, tmp_path)
    assert execute(database, "SELECT reloptions FROM pg_class WHERE relname = 'thing'") == [(["fillfactor=70"],)]


def test_storage_parameter_of_a_migration_alone(database: Database, tmp_path: Path) -> None:
    write_new(database, [model("Thing")], "first", tmp_path)
    (tmp_path / "0002_tune.sql").write_text("-- migrate:up\nALTER TABLE thing SET (fillfactor = 70);")
    assert difference(database, [model("Thing")], tmp_path) == ([], [])


def test_what_is_dropped_carries_a_warning(database: Database, tmp_path: Path) -> None:
    old, new = [model("Gone"), model("Thing", gone=TextField())], [model("Thing")]
    text = change(database, tmp_path, old, new)
    assert '-- Its rows are lost.\nDROP TABLE "gone";' in text
    assert '-- Its values are lost.\nALTER TABLE "thing" DROP COLUMN "gone";' in text


def test_renamed_table_keeps_its_rows(database: Database, tmp_path: Path) -> None:
    """The migration that drops it shows the statement that renames it; the next one renames what is named after it."""
    old = model(
        "Person", name=TextField(index=True), mail=TextField(unique=True), parent=ForeignKeyField("self", null=True)
    )
    new = model(
        "Human", name=TextField(index=True), mail=TextField(unique=True), parent=ForeignKeyField("self", null=True)
    )
    write_new(database, [old, model("Thing")], "old", tmp_path)
    migrate(database, tmp_path)
    execute(database, "INSERT INTO person (name, mail) VALUES ('a', 'b')")
    file = write_new(database, [new, model("Thing"), model("Other")], "new", tmp_path)
    forward, back = 'ALTER TABLE "person" RENAME TO "human";', 'ALTER TABLE "human" RENAME TO "person";'
    up, down = file.read_text().split("-- migrate:down")
    assert f"-- {forward}\nDROP TABLE" in up
    assert f"-- {back}\nDROP TABLE" in down
    file.write_text(f"-- migrate:up\n{forward}\n-- migrate:down\n{back}\n")
    text = write_new(database, [new, model("Thing")], "names", tmp_path).read_text()
    assert "DROP" not in text
    assert "CREATE" not in text
    migrate(database, tmp_path)
    assert difference(database, [new, model("Thing")], tmp_path) == ([], [])
    assert execute(database, "SELECT id, name FROM human") == [(1, "a")]
    migrate(database, tmp_path, 1)
    assert execute(database, "SELECT id, name FROM person") == [(1, "a")]


def test_models_that_refer_to_each_other(database: Database, tmp_path: Path) -> None:
    author = model("Author", favourite=peewee.DeferredForeignKey("Work", null=True, on_delete="SET NULL"))
    work = model("Work", author=ForeignKeyField(author))
    write_new(database, [author, work], "first", tmp_path)
    migrate(database, tmp_path)
    assert difference(database, [author, work], tmp_path) == ([], [])
    foreign = "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' ORDER BY 1"
    assert execute(database, foreign) == [("author",), ("work",)]
    migrate(database, tmp_path, 0)


def test_foreign_key_to_a_unique_column(database: Database, tmp_path: Path) -> None:
    author = model("Author", name=CharField(unique=True))
    book = model("Book", author=ForeignKeyField(author, field="name"))
    change(database, tmp_path, [model("Author", name=CharField())], [book, author])
    go_back(database, tmp_path, [model("Author", name=CharField())])


def test_many_to_many(database: Database, tmp_path: Path) -> None:
    """The table between the two needs no place among the models."""
    book = model("Book")
    tag = model("Tag", books=peewee.ManyToManyField(book))
    change(database, tmp_path, [model("Book"), model("Tag")], [book, tag])
    execute(database, "INSERT INTO book VALUES (1); INSERT INTO tag VALUES (1)")
    with database.allow_sync(), database.bind_ctx([book, tag]):
        tag.get().books.add(book.get())
        assert list(tag.get().books) == [book.get()]


def test_composite_key(database: Database, tmp_path: Path) -> None:
    def thing(*names: str) -> Any:
        columns = {name: IntegerField(default=1) for name in names}
        return model("Thing", {"primary_key": peewee.CompositeKey(*names)}, **columns)

    change(database, tmp_path, [thing("a", "b")], [thing("a", "b", "c")], "INSERT INTO thing VALUES (1, 2)")
    go_back(database, tmp_path, [thing("a", "b")])


LONG = "ß" * 32  # 64 bytes


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (model("Thing", **{LONG: TextField(null=True)}), f"Thing: the name {LONG} has more than 63 bytes"),
        (model("Thing", {"table_name": LONG}), f"Thing: the name {LONG} has more than 63 bytes"),
        (model("Thing", other=peewee.DeferredForeignKey("Nowhere")), "Thing.other: there is no model 'nowhere'"),
        (
            model("Thing", other=ForeignKeyField(model("Elsewhere"))),
            'Thing: relation "elsewhere" does not exist: MODELS lacks Elsewhere',
        ),
        (model("Thing", other=TextField(default=lambda: "")), "Thing.other: existing rows need a value: null=True, "),
        (
            model("Thing", other=TextField()),
            "Thing.other: existing rows need a value: null=True, "
            'constraints=[SQL("DEFAULT …")], or a default that is no function (list is fine); '
            "or, if name was renamed, write ALTER TABLE … RENAME COLUMN … by hand",
        ),
        (
            model("Thing", other=TextField(default=datetime.date)),
            "Thing.other: its default <class 'datetime.date'>: ",
        ),
        (
            model("Thing", other=peewee.UUIDField(default="x")),
            "Thing.other: its default 'x': invalid input syntax for type uuid",
        ),
        (
            model("Thing", other=CharField(max_length=2, default="abc")),
            'ALTER TABLE "thing" ADD COLUMN "other" character varying(2) NOT NULL DEFAULT \'abc\': value too long',
        ),
        (model("Thing", other=postgres.HStoreField(null=True)), 'Thing: type "hstore" does not exist'),
        (
            model("Thing", name=IntegerField(null=True, constraints=[SQL("GENERATED ALWAYS AS (2 * id) STORED")])),
            'can\'t change "thing"."name" from integer to integer GENERATED ALWAYS AS ((2 * id)) STORED',
        ),
        (
            model("Thing", name=peewee.UUIDField(null=True)),
            'ALTER TABLE "thing" ALTER COLUMN "name" TYPE uuid USING "name"::uuid: cannot cast type integer to uuid',
        ),
        (
            model("Thing", {"table_settings": ["PARTITION BY RANGE (id)"]}, name=IntegerField(null=True)),
            "can't change thing, partitioning, from nothing to  PARTITION BY RANGE (id)",
        ),
    ],
    ids=[
        "long column",
        "long table",
        "no such model",
        "no such table",
        "default that is a function",
        "renamed column",
        "default that needs arguments",
        "default of another type",
        "default that is too long",
        "no such type",
        "computed",
        "no conversion",
        "partitioning",
    ],
)
def test_what_can_not_be_written_is_told(database: Database, tmp_path: Path, new: type[Model], expected: str) -> None:
    write_new(database, [model("Thing", name=IntegerField(null=True))], "old", tmp_path)
    with pytest.raises(MigrationError) as raised:
        write_new(database, [new], "new", tmp_path)
    assert str(raised.value).startswith(f"0002_new.sql can't be written: {expected}")
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["0001_old.sql"]


def test_model_with_a_schema_is_left_to_the_user(database: Database, tmp_path: Path) -> None:
    """And what a migration makes in a schema, or in public by that name, doesn't meet what the database has."""
    (tmp_path / "0001_first.sql").write_text(
        """-- migrate:up
CREATE SCHEMA billing;
CREATE TYPE billing.state AS ENUM ('new');
CREATE TABLE billing.invoice (id serial PRIMARY KEY, state billing.state);
CREATE TABLE public.author (id serial PRIMARY KEY);
-- migrate:down
DROP TABLE public.author;
DROP SCHEMA billing CASCADE;
"""
    )
    invoice, author = model("Invoice", {"schema": "billing"}), model("Author")
    for _ in range(2):
        assert difference(database, [invoice, author], tmp_path) == ([], [])
        migrate(database, tmp_path)
    book = model("Book", invoice=ForeignKeyField(invoice))
    text = write_new(database, [book, invoice, author], "new", tmp_path).read_text()
    assert "-- Left to you, because of its schema: Invoice.\n" in text
    migrate(database, tmp_path)
    assert difference(database, [book, invoice, author], tmp_path) == ([], [])
    migrate(database, tmp_path, 0)


def test_table_that_gets_a_schema_can_be_moved(database: Database, tmp_path: Path) -> None:
    write_new(database, [model("Thing")], "old", tmp_path)
    moved = model("Thing", {"schema": "billing"})
    text = write_new(database, [moved, model("Other")], "new", tmp_path).read_text()
    assert '-- ALTER TABLE "thing" SET SCHEMA "billing";\nDROP TABLE "thing";' in text
    assert 'RENAME TO "other"' not in text


def test_role_that_can_not_build_the_tables(database: Database, tmp_path: Path) -> None:
    with database.allow_sync():
        database.execute_sql("SET ROLE pg_monitor")
        with pytest.raises(MigrationError) as raised:
            write_new(database, [model("Thing")], "new", tmp_path)
    assert "the role pg_monitor can't build the tables to compare: use the owner of the schema public" in str(
        raised.value
    )
    assert "\n" not in str(raised.value)


def test_partitions_are_part_of_their_table(database: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text(
        """-- migrate:up
CREATE TABLE thing (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE thing_2020 PARTITION OF thing FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
"""
    )
    meta = {"primary_key": False, "table_settings": ["PARTITION BY RANGE (day)"]}
    assert difference(database, [model("Thing", meta, day=peewee.DateField())], tmp_path) == ([], [])


def test_index_of_a_partitioned_table_is_enforced(database: Database, tmp_path: Path) -> None:
    meta = {"primary_key": False, "table_settings": ["PARTITION BY RANGE (day)"]}
    old = model("Thing", meta, day=peewee.DateField())
    write_new(database, [old], "old", tmp_path)
    (tmp_path / "0002_part.sql").write_text(
        "-- migrate:up\nCREATE TABLE part PARTITION OF thing FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
    )
    new = model("Thing", meta, day=peewee.DateField(unique=True))
    write_new(database, [new], "new", tmp_path)
    migrate(database, tmp_path)
    assert execute(database, "SELECT indisvalid FROM pg_index WHERE indrelid = 'part'::regclass") == [(True,)]
