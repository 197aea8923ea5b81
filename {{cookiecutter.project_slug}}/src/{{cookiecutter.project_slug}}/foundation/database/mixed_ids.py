"""Models whose ids come from the sequence and from clients."""

from typing import Any

import peewee

from .model import Model

ATTEMPTS = 20
MISSES_BEFORE_SKIPPING = 3

# Moves the sequence over the run of taken ids that begins right after it. Not to the table's greatest id: a single row
# with the greatest possible id would leave none for any other. Nor over a gap: transactions that are not committed yet
# may be filling it.
SKIP_TAKEN_IDS = """
SELECT setval(sequence, taken.{id})
FROM CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS sequence, pg_sequence_last_value(sequence) AS last,
    {table} AS taken
WHERE taken.{id} > last
AND EXISTS (SELECT FROM {table} AS next WHERE next.{id} = last + 1)
AND NOT EXISTS (SELECT FROM {table} AS next WHERE next.{id} = nullif(taken.{id}::bigint, 9223372036854775807) + 1)
ORDER BY taken.{id} LIMIT 1
"""


class MixedIdModel(Model):
    """A model for tables in which clients choose the ids of some rows, and the sequence those of the others.

    PostgreSQL's sequence doesn't know the ids that clients chose, and would give them out again: the insert would fail
    though its client did nothing wrong. `aio_create` and `aio_save` find a free id instead.
    """

    @classmethod
    async def _insert_row(cls, row: dict[str, Any]) -> Any:
        """Raises OperationalError where no free id was found."""
        for attempt in range(1, ATTEMPTS + 1):
            key = await super()._insert_row(row)
            if key is not None:
                return key
            if attempt >= MISSES_BEFORE_SKIPPING:
                await cls._skip_taken_ids()
        raise peewee.OperationalError(f"no free id for {cls._meta.table_name} in {ATTEMPTS} attempts")

    @classmethod
    def _insert_statement(cls, **values: Any) -> Any:
        return super()._insert_statement(**values).on_conflict(action="IGNORE", conflict_target=[cls._meta.primary_key])

    @classmethod
    async def _skip_taken_ids(cls) -> None:
        meta = cls._meta
        key: Any = meta.primary_key
        column = key.column_name
        table = ".".join(f'"{name}"' for name in (meta.schema, meta.table_name) if name)
        sql = SKIP_TAKEN_IDS.format(table=table, id=f'"{column}"')
        await meta.database.aio_execute_sql(sql, (table, column))
