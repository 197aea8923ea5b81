"""The statements that change tables into others."""

import copy
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .conversions import Conversions
from .errors import MigrationError
from .tables import GENERATED, Column, Table, Tables

DEFAULT_HINT = """\
-- Replicas of the previous version don't know the column, and can't insert once the default is dropped. To keep the
-- default while they run, leave this statement out, and give the field constraints=[SQL("DEFAULT …")] until the next
-- version.
"""
FORGETS = """\
-- This forgets the last id: after a roll back, ids of deleted rows may be given out again.
"""
RENAME_HINT = """\
-- If the table was renamed or moved, keep its rows: replace this whole part by the next line, and the other part by the
-- reverse of it. Then run `migrate --new` again for the other changes.
-- {}
"""


def statements(
    old: Tables,
    new: Tables,
    conversions: Conversions,
    values: Mapping[tuple[str, str], str] = MappingProxyType({}),
    moved: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return the statements that turn the old tables into the new ones. Raises MigrationError.

    Args:
        values: literals for existing rows, by table and added column.
        moved: schemas of models that the tool leaves out, by table.
    """
    old = copy.deepcopy(old)
    renamed = [*_rename(old, new)]
    return [
        *renamed,
        *_drop(old, new, moved),
        *_create(old, new),
        *_alter(old, new, values, conversions),
        *_constrain(old, new),
    ]


def _rename(old: Tables, new: Tables) -> Iterator[str]:
    """Rename constraints and indexes that differ in nothing else, like those of a renamed table; in `old` as well."""
    for name in (name for name in new if name in old):
        for before, after, statement in (
            (old[name].constraints, new[name].constraints, "ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new};"),
            (old[name].indexes, new[name].indexes, "ALTER INDEX {old} RENAME TO {new};"),
        ):
            for renamed in (other for other in after if other not in before):
                gone = [other for other in before if other not in after and before[other] == after[renamed]]
                if gone:
                    before[renamed] = before.pop(gone[0])
                    yield statement.format(table=_quoted(name), old=_quoted(gone[0]), new=_quoted(renamed))


def _drop(old: Tables, new: Tables, moved: Mapping[str, str]) -> Iterator[str]:
    for foreign in (True, False):  # foreign keys first: they refer to the others
        for name, table in old.items():
            kept = new.get(name, Table()).constraints
            for constraint, definition in table.constraints.items():
                gone = kept.get(constraint) != definition and (name in new or foreign)
                if gone and _is_foreign(definition) == foreign:
                    yield f"ALTER TABLE {_quoted(name)} DROP CONSTRAINT {_quoted(constraint)};"
    created = [name for name in new if name not in old]
    for name, table in old.items():
        if name not in new:
            hint = "-- Its rows are lost.\n"
            if name in moved:
                hint += RENAME_HINT.format(f"ALTER TABLE {_quoted(name)} SET SCHEMA {_quoted(moved[name])};")
            elif created:
                likely = max(created, key=lambda other: len(table.columns.keys() & new[other].columns.keys()))
                rename = f"ALTER TABLE {_quoted(name)} RENAME TO {_quoted(likely)};"
                hint += RENAME_HINT.format(rename)
            yield f"{hint}DROP TABLE {_quoted(name)};"
            continue
        for index, definition in table.indexes.items():
            if new[name].indexes.get(index) != definition:
                yield f"DROP INDEX {_quoted(index)};"


def _create(old: Tables, new: Tables) -> Iterator[str]:
    for name, table in new.items():
        if name not in old:
            lines = [f"{_quoted(column)} {definition}" for column, definition in table.columns.items()]
            lines += [
                f"CONSTRAINT {_quoted(constraint)} {definition}"
                for constraint, definition in table.constraints.items()
                if not _is_foreign(definition)
            ]
            yield (
                f"CREATE TABLE {_quoted(name)} (\n    "
                + ",\n    ".join(lines)
                + f"\n){table.partitioning}{table.storage};"
            )


def _alter(old: Tables, new: Tables, values: Mapping[tuple[str, str], str], conversions: Conversions) -> Iterator[str]:
    for name in (name for name in new if name in old):
        table, before, after = _quoted(name), old[name].columns, new[name].columns
        # What is generated comes from other columns: it is added last, and dropped first.
        added = sorted((c for c in after if c not in before), key=lambda c: after[c].is_computed)
        dropped = sorted((c for c in before if c not in after), key=lambda c: not before[c].is_computed)
        for column in added:
            yield from _add(table, _quoted(column), after[column], values.get((name, column)))
        for column in dropped:
            rename = f" To rename it instead: ALTER TABLE {table} RENAME COLUMN {_quoted(column)} TO …;"
            hint = f"-- Its values are lost.{rename if added else ''}\n"
            yield f"{hint}ALTER TABLE {table} DROP COLUMN {_quoted(column)};"
        for column in (column for column in after if column in before):
            if before[column] != after[column]:
                yield from _change(table, column, before[column], after[column], conversions)


def _add(table: str, name: str, column: Column, value: str | None) -> Iterator[str]:
    if value is not None:
        yield f"ALTER TABLE {table} ADD COLUMN {name} {column.with_default(value)};"
        yield f"{DEFAULT_HINT}ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT;"
    else:
        warning = "-- Fails if the table has rows: add a DEFAULT.\n" if column.needs_a_value else ""
        yield f"{warning}ALTER TABLE {table} ADD COLUMN {name} {column};"


def _change(table: str, column: str, before: Column, after: Column, conversions: Conversions) -> Iterator[str]:
    name = _quoted(column)
    if before.is_computed or after.is_computed:
        raise MigrationError(f"can't change {table}.{name} from {before} to {after}: write the migration by hand")
    alter = f"ALTER TABLE {table} ALTER COLUMN {name}"
    renumbered = before.numbering != after.numbering
    if renumbered:
        yield from _end_numbering(alter, before, after)
    if before.default is not None and before.default != after.default:
        yield f"{alter} DROP DEFAULT;"
    if before.type != after.type:
        old, new = before.type_alone, after.type_alone
        yield f"{conversions.warning(old, new)}{alter} TYPE {after.type}{conversions.using(name, old, new)};"
    if not renumbered and before.sequence != after.sequence and before.numbering == "serial":
        yield f"ALTER SEQUENCE {before.sequence_name} AS {after.sequence};"
    if after.default is not None and before.default != after.default:
        yield f"{alter} SET DEFAULT {after.default};"
    if before.not_null != after.not_null:
        yield f"{alter} {'SET' if after.not_null else 'DROP'} NOT NULL;"
    if renumbered:
        yield from _begin_numbering(alter, table, column, before, after)


def _end_numbering(alter: str, before: Column, after: Column) -> Iterator[str]:
    """Take away what numbers the rows, and keep the last number for `_begin_numbering`, until the commit."""
    if after.numbering and before.sequence_name:
        last = f"nextval('{_escaped(before.sequence_name)}') - 1"
        yield f"SELECT set_config('migration.last', CAST({last} AS text), true);"
    forgets = "" if after.numbering else FORGETS
    if before.numbering == "serial":
        yield f"{alter} DROP DEFAULT;"
    if before.is_identity:
        yield f"{forgets}{alter} DROP IDENTITY;"
    elif before.owns_sequence and not after.owns_sequence:
        yield f"{forgets}DROP SEQUENCE {before.sequence_name};"


def _begin_numbering(alter: str, table: str, column: str, before: Column, after: Column) -> Iterator[str]:
    name = _quoted(column)
    if after.is_identity:
        yield f"{alter} ADD{GENERATED[after.generated]};"
    elif after.owns_sequence and not before.owns_sequence:
        yield f"CREATE SEQUENCE {after.sequence_name} AS {after.sequence or 'bigint'} OWNED BY {table}.{name};"
    if after.numbering == "serial":
        taken = before.sequence_name if before.owns_sequence else after.sequence_name
        if before.owns_sequence:
            yield f"ALTER SEQUENCE {taken} AS {after.sequence};"
        yield f"{alter} SET DEFAULT nextval('{_escaped(taken)}');"
    if after.numbering:
        last = "CAST(current_setting('migration.last') AS bigint)" if before.sequence_name else "0"
        sequence = f"pg_get_serial_sequence('{_escaped(table)}', '{_escaped(column)}')"
        yield f"SELECT setval({sequence}, greatest(max({name}), {last}) + 1, false) FROM {table};"


def _constrain(old: Tables, new: Tables) -> Iterator[str]:
    for name, table in new.items():
        there = old.get(name, Table())
        for index, definition in table.indexes.items():
            if there.indexes.get(index) != definition:
                yield definition.replace(" ON ", f" {_quoted(index)} ON ", 1) + ";"
    for foreign in (False, True):  # foreign keys last: they refer to the others
        for name, table in new.items():
            there = old.get(name, Table())
            for constraint, definition in table.constraints.items():
                missing = there.constraints.get(constraint) != definition and (name in old or foreign)
                if missing and _is_foreign(definition) == foreign:
                    yield f"ALTER TABLE {_quoted(name)} ADD CONSTRAINT {_quoted(constraint)} {definition};"


def _is_foreign(definition: str) -> bool:
    return definition.startswith("FOREIGN KEY ")


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
