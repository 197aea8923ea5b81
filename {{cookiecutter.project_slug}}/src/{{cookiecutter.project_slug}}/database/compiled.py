"""Queries whose SQL is made once, and not again each time that they are executed."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NoReturn

import peewee
from peewee_async.result_wrappers import SyncCursorAdapter

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def compiled(make: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Execute the query that a function makes, whose SQL peewee makes at the first call only.

        @compiled
        def called(name: str) -> Any:
            return Person.select().where(Person.name == name)

        people = await called("Ada")

    does what `await called("Ada").aio_execute()` does without `@compiled`, in a fraction of the time: making the SQL
    takes longer than all the rest.

    The function is called once, with a Parameter for each argument, and again where a value has SQL of its own (None,
    a list, an expression). What would make another query for another value, such as `if name` or `contains(name)`, is
    a TypeError; that it asks `if name is None`, or for the time, can't be noticed. The query works on its model's
    database.
    """
    signature = inspect.signature(make)
    if any(parameter.kind not in NAMED for parameter in signature.parameters.values()):
        raise TypeError(f"{make} can't be compiled: each argument needs a name")
    query = CompiledQuery(make, signature.parameters)

    @functools.wraps(make)
    async def execute(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return await query.execute(given.arguments)

    return execute


class CompiledQuery:
    """A query of a model's, made by a function that is called once, with a Parameter for each of these names."""

    def __init__(self, make: Callable[..., Any], names: Iterable[str]) -> None:
        self._make = functools.partial(make, **{name: Parameter(name) for name in names})
        self._to_object: Callable[[Any], Any] | None = None

    async def execute(self, values: Mapping[str, Any]) -> Any:
        """What the query's own `aio_execute` gives. The values are the parameters', by name."""
        query, sql, slots = self._compiled
        database = query.model._meta.database
        try:
            params = [slot.value(values) if isinstance(slot, Slot) else slot for slot in slots]
        except OtherSQLError:
            return await self._make(**values).aio_execute()
        fetch = self._fetch_rows if isinstance(query, peewee.SelectBase) else query.fetch_results
        return await database.aio_execute_sql(sql, params, fetch)

    async def _fetch_rows(self, database: Any, cursor: Any) -> list[Any]:
        """As peewee-async's `fetch_models`, but what rows become is found out once: the SQL has the same columns."""
        rows = await cursor.fetchall()
        if self._to_object is None:
            wrapper = self._compiled[0]._get_cursor_wrapper(SyncCursorAdapter([], cursor.description))
            wrapper.initialize()
            self._to_object = wrapper.process_row
        return list(map(self._to_object, rows))

    @functools.cached_property
    def _compiled(self) -> tuple[Any, str, list[Any]]:
        query = self._make()
        if not hasattr(query, "model"):
            raise TypeError(f"{self._make.func} can't be compiled: it returns no query of a model, but {query!r}")
        if isinstance(query, peewee.Insert):
            # A default that is a function is called for each insert: peewee would do so when it makes the SQL.
            defaults = {
                field: Parameter(field.name, default) if callable(default) else default
                for field, default in query.get_default_data().items()  # type: ignore[no-untyped-call]  # peewee's
            }
            query.get_default_data = lambda: defaults  # type: ignore[method-assign]  # of this query alone
        options = query.model._meta.database.get_context_options()
        compiler = Compiler(**options)
        return query, *compiler.sql(query).query()  # type: ignore[no-untyped-call]  # peewee's


class Parameter:
    """Stands in a query for a value that is known when the query is executed, not yet when its SQL is made."""

    def __init__(self, name: str, default: Callable[[], Any] | None = None) -> None:
        self.name = name
        self.default = default

    def refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"the SQL is made before {self.name!r} has a value: it can only be a value in the query")

    __bool__ = __format__ = __index__ = __iter__ = __len__ = __str__ = refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # which others ask for to see what this is
            raise AttributeError(name)
        self.refuse()

    def __eq__(self, other: object) -> Any:
        return NotImplemented if isinstance(other, peewee.Node) else self.refuse()


class Compiler(peewee.Context):
    """Makes SQL as peewee does, but leaves a Slot where a Parameter is."""

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
    """Where a parameter's value goes, among the values for the driver."""

    def __init__(self, parameter: Parameter, convert: Callable[[Any], Any] | None, is_operand: bool) -> None:
        self._parameter = parameter
        self._convert = convert
        self._is_operand = is_operand

    def value(self, values: Mapping[str, Any]) -> Any:
        """As the driver takes it. Raises OtherSQLError."""
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


class OtherSQLError(Exception):
    """The SQL of a compiled query doesn't fit this value."""
