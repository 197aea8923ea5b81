"""The base of the models, whose common queries are compiled."""

import functools
from typing import Any, Literal, Self

from peewee_async import AioModel

from .compiled import CompiledQuery


class Model(AioModel):
    """peewee-async's model. `aio_get` by the values of fields and `aio_create` use compiled queries."""

    @classmethod
    async def aio_get(cls, *query: Any, **filters: Any) -> Self:
        """As peewee-async's."""
        if query or _overrides(cls, "select") or not all(name in cls._meta.fields for name in filters):
            return await super().aio_get(*query, **filters)
        rows: list[Self] = await _select_query(cls, tuple(sorted(filters))).execute(filters)
        if not rows:
            raise cls.DoesNotExist(f"there is no {cls.__name__} with {filters}")
        return rows[0]

    async def aio_save(self, force_insert: bool = False, only: Any = None) -> int | Literal[False]:
        """As peewee-async's."""
        meta = self._meta
        key = meta.primary_key
        if key is False or not meta.auto_increment or self._pk is not None or only is not None:
            return await super().aio_save(force_insert, only)
        row = {name: value for name, value in self.__data__.items() if name != key.name}
        self._populate_unsaved_relations(row)  # type: ignore[attr-defined]  # peewee doesn't declare it
        self._pk = await self._insert_row(row)
        self._dirty.clear()
        return 1

    @classmethod
    async def _insert_row(cls, row: dict[str, Any]) -> Any:
        """Insert a row without a key; return the key that the sequence gave it."""
        if _overrides(cls, "insert"):
            return await cls._insert_statement(**row).aio_execute()
        return await _insert_query(cls, tuple(sorted(row))).execute(row)

    @classmethod
    def _insert_statement(cls, **values: Any) -> Any:
        return cls.insert(**values)


@functools.lru_cache(maxsize=256)
def _select_query(model: type[Model], names: tuple[str, ...]) -> CompiledQuery:
    return CompiledQuery(lambda **values: model.select().filter(**values).limit(1), names)


@functools.lru_cache(maxsize=256)
def _insert_query(model: type[Model], names: tuple[str, ...]) -> CompiledQuery:
    return CompiledQuery(model._insert_statement, names)


def _overrides(model: type[Model], method: str) -> bool:
    """Return whether the model has its own `select` or `insert`, which may make another query each time."""
    return bool(getattr(model, method).__func__ is not getattr(AioModel, method).__func__)
