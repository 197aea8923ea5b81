"""The base of the models: ids from the sequence beside ids that were given explicitly."""

import functools
from typing import Any, Literal, Self

import peewee
from peewee_async import AioModel

from .compiled import CompiledQuery

ATTEMPTS = 20
MISSES_BEFORE_SKIPPING = 3

# Moves the sequence over the run of taken ids that begins right after it. Not to the greatest id of the table: a single
# row with the greatest possible id would then leave none for any other. Nor over a gap, which rows may be about to fill
# that other transactions have not committed.
SKIP_TAKEN_IDS = """
SELECT setval(sequence, taken.{id})
FROM CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS sequence, pg_sequence_last_value(sequence) AS last,
    {table} AS taken
WHERE taken.{id} > last
AND EXISTS (SELECT FROM {table} AS next WHERE next.{id} = last + 1)
AND NOT EXISTS (SELECT FROM {table} AS next WHERE next.{id} = taken.{id}::bigint + 1)
ORDER BY taken.{id} LIMIT 1
"""


class Model(AioModel):
    """A model whose `aio_create` and `aio_save` find a free id, though others insert rows with ids of their own choice.

    A sequence of PostgreSQL doesn't know of those and gives them out again: the insert would fail, and its client did
    nothing wrong.
    """

    @classmethod
    async def aio_get(cls, *query: Any, **filters: Any) -> Self:
        """As peewee-async's, by a compiled query where it is asked for the values of fields."""
        if query or _overrides(cls, "select") or not all(name in cls._meta.fields for name in filters):
            return await super().aio_get(*query, **filters)
        rows: list[Self] = await _select_query(cls, tuple(sorted(filters))).execute(filters)
        if not rows:
            raise cls.DoesNotExist(f"there is no {cls.__name__} with {filters}")
        return rows[0]

    async def aio_save(self, force_insert: bool = False, only: Any = None) -> int | Literal[False]:
        """As peewee-async's. Raises OperationalError where no free id was found."""
        meta = self._meta
        key = meta.primary_key
        if key is False or not meta.auto_increment or self._pk is not None or only is not None:
            return await super().aio_save(force_insert, only)
        row = {name: value for name, value in self.__data__.items() if name != key.name}
        self._populate_unsaved_relations(row)  # type: ignore[attr-defined]  # peewee doesn't declare it
        if _overrides(type(self), "insert"):
            insert = _insert(type(self), **row).aio_execute
        else:
            insert = functools.partial(_insert_query(type(self), tuple(sorted(row))).execute, row)
        for attempt in range(1, ATTEMPTS + 1):
            self._pk = await insert()
            if self._pk is not None:
                self._dirty.clear()
                return 1
            if attempt >= MISSES_BEFORE_SKIPPING:
                await self._skip_taken_ids(key.column_name)
        raise peewee.OperationalError(f"no free id for {meta.table_name} in {ATTEMPTS} attempts")

    @classmethod
    async def _skip_taken_ids(cls, column: str) -> None:
        meta = cls._meta
        table = ".".join(f'"{name}"' for name in (meta.schema, meta.table_name) if name)
        sql = SKIP_TAKEN_IDS.format(table=table, id=f'"{column}"')
        await meta.database.aio_execute_sql(sql, (table, column))


@functools.lru_cache(maxsize=256)
def _select_query(model: type[Model], names: tuple[str, ...]) -> CompiledQuery:
    return CompiledQuery(lambda **values: model.select().filter(**values).limit(1), names)


@functools.lru_cache(maxsize=256)
def _insert_query(model: type[Model], names: tuple[str, ...]) -> CompiledQuery:
    return CompiledQuery(functools.partial(_insert, model), names)


def _insert(model: type[Model], **values: Any) -> Any:
    return model.insert(**values).on_conflict(action="IGNORE", conflict_target=[model._meta.primary_key])


def _overrides(model: type[Model], method: str) -> bool:
    """Whether this model has its own `select` or `insert`: those may make another query each time."""
    return bool(getattr(model, method).__func__ is not getattr(AioModel, method).__func__)
