"""The JSON Schemas of what goes in and out."""

from typing import Any, Literal

from pydantic import TypeAdapter

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]


class Schemas:
    """The JSON Schemas of types. All are made at once, so that models of the same name get names of their own."""

    def __init__(self) -> None:
        self._wanted: list[tuple[Json, Mode, TypeAdapter[Any]]] = []

    def of(self, type_: Any, mode: Mode) -> Json:
        """The type's schema, which is empty until `resolve`."""
        schema: Json = {}
        self._wanted.append((schema, mode, TypeAdapter(type_)))
        return schema

    def resolve(self) -> Json:
        """Fill in the schemas; gives those that they refer to."""
        inputs = [(number, mode, adapter) for number, (_, mode, adapter) in enumerate(self._wanted)]
        schemas, shared = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
        for (number, _), schema in schemas.items():
            self._wanted[number][0].update(schema)
        return dict(shared.get("$defs", {}))
