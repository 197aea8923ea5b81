"""Queries whose SQL is made once, instead of each time they are executed."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec

import peewee
from peewee_async.result_wrappers import SyncCursorAdapter

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Arguments = ParamSpec("Arguments")


def compiled(make: Callable[Arguments, Any]) -> Callable[Arguments, Awaitable[Any]]:
    """Turn a function that returns a query into an async function that executes it, with SQL made only once.

        @compiled
        def people_called(name: str) -> Any:
            return Person.select().where(Person.name == name)

        people = await people_called("Ada")

    Without `@compiled` this is `await people_called("Ada").aio_execute()`, and takes much longer: peewee spends more
    time on making the SQL than PostgreSQL on answering it.

    The function is called once, with a `Parameter` for each argument. It is called again for a value that needs other
    SQL: None, a list, an expression, or one that the driver wraps (as `contains` of JSON and arrays does). A query that
    depends on a value in another way, such as `if name` or `contains(name)` of a string, raises TypeError. Two
    dependencies go unnoticed: `if name is None`, and the current time. The query runs on its model's database.
    """
    signature = inspect.signature(make)
    if any(parameter.kind not in NAMED for parameter in signature.parameters.values()):
        raise TypeError(f"{make} can't be compiled: each argument needs a name")
    query = CompiledQuery(make, signature.parameters)

    @functools.wraps(make)
    async def execute(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return await query.execute(given.arguments)

    return execute


class CompiledQuery:
    """The query that `make` returns when it is called with a Parameter for each of the names."""

    def __init__(self, make: Callable[..., Any], names: Iterable[str]) -> None:
        self._make = functools.partial(make, **{name: Parameter(name) for name in names})
        self._convert: Callable[[Sequence[Any]], Iterable[Any]] | None = None

    async def execute(self, values: Mapping[str, Any]) -> Any:
        """Return what the query's own `aio_execute` would. `values` are those of the parameters, by name."""
        query, sql, slots = self._compiled
        database = query.model._meta.database
        try:
            params = [slot.value(values) if isinstance(slot, Slot) else slot for slot in slots]
        except OtherSQLError:
            return await self._make(**values).aio_execute()
        fetch = self._fetch_rows if isinstance(query, peewee.SelectBase) else query.fetch_results
        return await database.aio_execute_sql(sql, params, fetch)

    async def _fetch_rows(self, database: Any, cursor: Any) -> list[Any]:
        """Fetch as peewee-async's `fetch_models`, but prepare the conversion of rows only once for the same SQL."""
        rows = await cursor.fetchall()
        if self._convert is None:
            wrapper = self._compiled[0]._get_cursor_wrapper(SyncCursorAdapter([], cursor.description))
            wrapper.initialize()
            are_dicts = type(wrapper) is peewee.ModelDictCursorWrapper
            self._convert = (
                functools.partial(_to_dicts, wrapper) if are_dicts else functools.partial(map, wrapper.process_row)
            )
        return list(self._convert(rows))

    @functools.cached_property
    def _compiled(self) -> tuple[Any, str, list[Any]]:
        query = self._make()
        if not hasattr(query, "model"):
            raise TypeError(f"{self._make.func} can't be compiled: it returns no query of a model, but {query!r}")
        if isinstance(query, peewee.Insert):
            # A callable default is called for each insert. peewee would call it when it makes the SQL, so only once.
            defaults = {
                field: Parameter(field.name, default) if callable(default) else default
                for field, default in query.get_default_data().items()
            }
            query.get_default_data = lambda: defaults  # type: ignore[method-assign]  # of this query alone
        if isinstance(query, peewee.Update):
            # JSONField has a `to_value` of its own, which needs the value while peewee makes the SQL.
            update: Any = query
            update._update = {
                field: peewee.Field.to_value(field, value) if isinstance(value, Parameter) else value
                for field, value in update._update.items()
            }
        options = query.model._meta.database.get_context_options()
        compiler = Compiler(**options)
        sql, params = compiler.sql(query).query()  # type: ignore[no-untyped-call]  # peewee's
        return query, sql, [NoSlot() if _holds_parameter(param) else param for param in params]


def _to_dicts(wrapper: Any, rows: Sequence[Any]) -> Iterable[dict[str, Any]]:
    """Convert rows as peewee's wrapper does, but by columns, which is faster."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for i in wrapper.convert if rows else ():
        columns[i] = map(wrapper.converters[i], columns[i])
    return (dict(zip(wrapper.unique_columns, row, strict=True)) for row in zip(*columns, strict=True))


class Parameter:
    """Stands in a query for a value that is known only when the query is executed."""

    def __init__(self, name: str, default: Callable[[], Any] | None = None) -> None:
        self.name = name
        self.default = default

    def refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"the SQL is made before {self.name!r} has a value: it can only be a value in the query")

    __bool__ = __format__ = __index__ = __iter__ = __len__ = __str__ = refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for to find out what this object is
            raise AttributeError(name)
        self.refuse()

    def __eq__(self, other: object) -> Any:
        return NotImplemented if isinstance(other, peewee.Node) else self.refuse()


class Compiler(peewee.Context):
    """Makes SQL as peewee does, with a Slot in place of each Parameter."""

    def as_new(self) -> "Compiler":
        return Compiler(**self.state.settings)

    def value(self, value: Any, converter: Any = None, add_param: bool = True) -> Any:
        if not isinstance(value, Parameter):
            return super().value(value, converter, add_param)
        if self.state.value_literals:
            value.refuse()
        convert = self.state.converter if converter is None else converter
        is_operand = self.state.in_expr or self.state.in_function
        return super().value(Slot(value, convert or None, is_operand), False, add_param)


class Slot:
    """The place of a parameter's value among the values for the driver."""

    def __init__(self, parameter: Parameter, convert: Callable[[Any], Any] | None, is_operand: bool) -> None:
        self._parameter = parameter
        self._convert = convert
        self._is_operand = is_operand

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the value as the driver takes it. Raises OtherSQLError."""
        parameter = self._parameter
        value = values[parameter.name] if parameter.default is None else parameter.default()
        if self._is_operand and (value is None or isinstance(value, peewee.multi_types)):
            raise OtherSQLError
        if isinstance(value, peewee.Node) and not isinstance(value, peewee.Model):
            raise OtherSQLError
        converted = value if self._convert is None else self._convert(value)
        if isinstance(converted, peewee.Node):
            raise OtherSQLError
        return converted


class NoSlot(Slot):
    """The place of a value that has a Parameter inside, such as `Json(parameter)` or `[parameter]`."""

    def __init__(self) -> None:
        """Has no parameter of its own."""

    def value(self, values: Mapping[str, Any]) -> NoReturn:
        """Raises OtherSQLError."""
        raise OtherSQLError


def _holds_parameter(value: object) -> bool:
    inside: Iterable[object] = [getattr(value, name, None) for name in ("adapted", "obj")]  # the drivers' Json
    if isinstance(value, (list, tuple, set, frozenset)):
        inside = value
    return any(isinstance(each, Parameter) or _holds_parameter(each) for each in inside if each is not None)


class OtherSQLError(Exception):
    """The SQL of a compiled query doesn't fit this value."""
