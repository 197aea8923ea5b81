"""What a form can send of a model: for the description and for reading alike.

A form sends text. It can't send null or an object, sends a list as fields of one name, and an empty field for nothing.
"""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

JsonObject = dict[str, Any]
EMPTY = {"type": "string", "maxLength": 0}
NOT_SENT = ("null", "object")
NOT_SENT_IN_A_LIST = (*NOT_SENT, "array")
ABOUT = ("title", "description", "default", "examples", "deprecated")  # what is said about a field, whatever its types


class Field(NamedTuple):
    """How the text of a field is read."""

    is_list: bool
    empty_is_null: bool


@functools.cache
def form_fields(model: type[BaseModel]) -> dict[str, Field]:
    """Return the fields of the model, by the names that they have in bodies."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    properties = _resolved(schema, definitions).get("properties", {})
    return {name: _field([*_alternatives(schema, definitions)]) for name, schema in properties.items()}


def form_schema(schema: JsonObject, definitions: JsonObject) -> JsonObject | None:
    """Return the JSON Schema of a model as a form can send it, or None where it can't send all that is required."""
    model = _resolved(schema, definitions)
    given = model.get("properties", {})
    properties = {name: _property(schema, definitions) for name, schema in given.items()}
    sendable = {name: schema for name, schema in properties.items() if schema is not None}
    if sendable == given:
        return schema
    return model | {"properties": sendable} if sendable.keys() >= set(model.get("required", ())) else None


def _property(schema: JsonObject, definitions: JsonObject) -> JsonObject | None:
    """Return the schema of a field, or None if a form can't send it."""
    alternatives = [*_alternatives(schema, definitions)]
    sendable = [sent for alternative in alternatives for sent in _sendable(alternative, definitions)]
    if sendable in (alternatives, []):
        return schema if sendable else None
    if _field(alternatives).empty_is_null:
        sendable.append(EMPTY)
    about = {key: schema[key] for key in ABOUT if schema.get(key) is not None}
    return about | (sendable[0] if len(sendable) == 1 else {"anyOf": sendable})


def _resolved(schema: JsonObject, definitions: JsonObject) -> JsonObject:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _alternatives(schema: JsonObject, definitions: JsonObject) -> Iterator[JsonObject]:
    schema = _resolved(schema, definitions)
    of_any = schema.get("anyOf") or schema.get("oneOf")
    if of_any is None:
        yield schema
    for alternative in of_any or ():
        yield from _alternatives(alternative, definitions)


def _sendable(alternative: JsonObject, definitions: JsonObject) -> Iterator[JsonObject]:
    """Yield the alternative as forms send it: a list also as a single item, and no list without items."""
    kind = alternative.get("type")
    if kind == "array":
        items = [*_alternatives(alternative.get("items", {}), definitions)]
        if any(item.get("type") not in NOT_SENT_IN_A_LIST for item in items):
            least = alternative.get("minItems", 0)
            yield alternative | {"minItems": max(least, 1)}
            if least <= 1:
                yield alternative.get("items", {})
    elif kind not in NOT_SENT:
        yield alternative


def _field(alternatives: list[JsonObject]) -> Field:
    kinds = {alternative.get("type") for alternative in alternatives}
    is_list = "array" in kinds
    can_be_sent = not kinds <= set(NOT_SENT)
    return Field(is_list, "null" in kinds and can_be_sent and not is_list and not any(map(_takes_empty, alternatives)))


def _takes_empty(alternative: JsonObject) -> bool:
    """Return whether an empty text is a value of its own: not for a date, a choice or a text of some length."""
    is_text = alternative.get("type") == "string" or "type" not in alternative
    return is_text and not alternative.get("minLength") and not {"format", "enum", "const"} & alternative.keys()
