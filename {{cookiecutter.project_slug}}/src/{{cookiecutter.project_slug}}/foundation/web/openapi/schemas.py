"""JSON Schemas of requests and responses."""

from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ..forms import JsonObject, form_schema
from ..validation import FORMS, JSON, RequestBody

Mode = Literal["validation", "serialization"]


class _Generator(GenerateJsonSchema):
    """Describes that texts of requests have no NUL, which PostgreSQL can't hold."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        described = super().str_schema(schema)
        return described | ({"not": {"pattern": r"\x00"}} if self.mode == "validation" else {})


class Schemas:
    """JSON Schemas of types, made all at once so that models of the same name get different names."""

    def __init__(self) -> None:
        self._wanted: list[tuple[JsonObject, Mode, TypeAdapter[Any]]] = []
        self._bodies: list[tuple[JsonObject, JsonObject]] = []

    def of(self, type_: Any, mode: Mode) -> JsonObject:
        """Return the type's schema, which is empty until `resolve`."""
        schema: JsonObject = {}
        self._wanted.append((schema, mode, TypeAdapter(type_)))
        return schema

    def of_body(self, model: type[RequestBody]) -> JsonObject:
        """Return the schemas of a body by their media types, to which `resolve` adds those of forms."""
        schema = self.of(model, "validation")
        content = {JSON: {"schema": schema}}
        self._bodies.append((schema, content))
        return content

    def resolve(self) -> JsonObject:
        """Fill in the schemas; return those that they refer to."""
        inputs = [(number, mode, adapter) for number, (_, mode, adapter) in enumerate(self._wanted)]
        schemas, shared = TypeAdapter.json_schemas(
            inputs, ref_template="#/components/schemas/{model}", schema_generator=_Generator
        )
        for (number, _), schema in schemas.items():
            self._wanted[number][0].update(schema)
        definitions: JsonObject = shared.get("$defs", {})
        for schema, content in self._bodies:
            form = form_schema(schema, definitions)
            if form is not None:
                content |= {media_type: {"schema": form} for media_type in FORMS}
        return definitions
