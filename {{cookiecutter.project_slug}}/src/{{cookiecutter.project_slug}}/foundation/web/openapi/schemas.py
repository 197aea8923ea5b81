"""JSON Schemas of requests and responses."""

from typing import Any, Literal

from pydantic import TypeAdapter

JsonObject = dict[str, Any]
Mode = Literal["validation", "serialization"]


class Schemas:
    """JSON Schemas of types, made all at once so that models of the same name get different names."""

    def __init__(self) -> None:
        self._wanted: list[tuple[JsonObject, Mode, TypeAdapter[Any]]] = []

    def of(self, type_: Any, mode: Mode) -> JsonObject:
        """Return the type's schema, which is empty until `resolve`."""
        schema: JsonObject = {}
        self._wanted.append((schema, mode, TypeAdapter(type_)))
        return schema

    def resolve(self) -> JsonObject:
        """Fill in the schemas; return those that they refer to."""
        inputs = [(number, mode, adapter) for number, (_, mode, adapter) in enumerate(self._wanted)]
        schemas, shared = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
        for (number, _), schema in schemas.items():
            self._wanted[number][0].update(schema)
        return dict(shared.get("$defs", {}))
