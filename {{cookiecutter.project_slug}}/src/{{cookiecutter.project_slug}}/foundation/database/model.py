"""The base of the models, whose common queries are compiled."""

import functools
from collections.abc import Callable
from typing import Any, Literal, Self

from peewee import IntegrityError
from peewee_async import AioModel

from .compiled import CompiledQuery


class Model(AioModel):
    """peewee-async's model. Uses compiled queries to get a row by the values of fields, to create and to save one."""

    @classmethod
    async def aio_get(cls, *query: Any, **filters: Any) -> Self:
        """As peewee-async's."""
        if query or _overrides(cls, "select") or not all(name in cls._meta.fields for name in filters):
            return await super().aio_get(*query, **filters)
        rows: list[Self] = await _execute(cls._select_statement, filters)
        if not rows:
            raise cls.DoesNotExist(f"there is no {cls.__name__} with {filters}")
        return rows[0]

    @classmethod
    async def aio_get_or_create(cls, **kwargs: Any) -> tuple[Self, bool]:
        """As peewee-async's."""
        defaults = kwargs.pop("defaults", None) or {}
        found = await cls.aio_get_or_none(**kwargs)
        if found is not None:
            return found, False
        try:
            async with cls._meta.database.aio_atomic():
                return await cls.aio_create(**kwargs | defaults), True
        except IntegrityError:  # another transaction may have created it meanwhile
            found = await cls.aio_get_or_none(**kwargs)
            if found is None:
                raise
            return found, False

    async def aio_save(self, force_insert: bool = False, only: Any = None) -> int | Literal[False]:
        """As peewee-async's."""
        meta = self._meta
        key = meta.primary_key
        has_key = key is not False and self._pk is not None
        if (
            key is False
            or meta.composite_key
            or meta.only_save_dirty
            or only is not None
            or (not has_key and not meta.auto_increment)
            or (has_key and _overrides(type(self), "insert" if force_insert else "update"))
            or (has_key and len(self.__data__) == 1)
        ):
            return await super().aio_save(force_insert, only)
        row = {name: value for name, value in self.__data__.items() if has_key or name != key.name}
        self._populate_unsaved_relations(row)  # type: ignore[attr-defined]  # peewee doesn't declare it
        saved = 1
        if not has_key:
            self._pk = await self._insert_row(row)
        elif force_insert:
            await _execute(self.insert, row)
        else:
            saved = await _execute(self._update_statement, row)
        self._dirty.clear()
        return saved

    @classmethod
    async def _insert_row(cls, row: dict[str, Any]) -> Any:
        """Insert a row without a key; return the key that the sequence gave it."""
        if _overrides(cls, "insert"):
            return await cls._insert_statement(**row).aio_execute()
        return await _execute(cls._insert_statement, row)

    @classmethod
    def _insert_statement(cls, **values: Any) -> Any:
        return cls.insert(**values)

    @classmethod
    def _select_statement(cls, **filters: Any) -> Any:
        return cls.select().filter(**filters).limit(1)

    @classmethod
    def _update_statement(cls, **row: Any) -> Any:
        key: Any = cls._meta.primary_key
        return cls.update(**{name: row[name] for name in row if name != key.name}).where(key == row[key.name])


async def _execute(make: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Execute the query that a method of a model makes of the values, which are by the names of fields."""
    return await _compiled(make, tuple(sorted(values))).execute(values)


@functools.lru_cache(maxsize=256)
def _compiled(make: Callable[..., Any], names: tuple[str, ...]) -> CompiledQuery:
    return CompiledQuery(make, names)


def _overrides(model: type[Model], method: str) -> bool:
    """Return whether the model has its own `select`, `insert` or `update`, which may make another query each time."""
    return bool(getattr(model, method).__func__ is not getattr(AioModel, method).__func__)
