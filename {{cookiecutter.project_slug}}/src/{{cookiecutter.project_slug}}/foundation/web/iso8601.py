"""Dates, times and durations in bodies and arguments: as ISO 8601 and RFC 3339 write them, and nothing else."""

import functools
import re
from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Python can't read what PostgreSQL makes of them in another time zone, before the year 1 or after 9999.
EDGES = "0001-01-0[12]|9999-12-3[01]"
# By pydantic's name of the type: a pattern of the text, the noun for messages, and an example.
NOTATIONS = {
    "date": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date", "2026-01-31"),
    "datetime": (
        rf"(?!{EDGES})" r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:.*",
        "a date and time",
        "2026-01-31T12:30:00Z",
    ),
    "time": (r"[0-9]{2}:.*", "a time", "12:30:00"),
    "timedelta": (r"[-+]?P.*", "a duration", "P1DT2H30M"),
}
NO_INPUT = ("config", "default", "expected", "metadata", "serialization")  # keys of schemas


def notation_problem(kind: str, given: object) -> str | None:
    """Return what is wrong with the notation of a `date`, `datetime`, `time` or `timedelta`, or None.

    pydantic takes 0 and '0' for a day of 1970, and cuts midnight off a date.
    """
    pattern, noun, example = NOTATIONS[kind]
    is_wrong = isinstance(given, (int, float)) or (isinstance(given, str) and not re.fullmatch(pattern, given))
    return f"not {noun} such as {example}" if is_wrong else None


def check_notations(schema: CoreSchema, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Let pydantic's schema of a model check the notation of all values of these types. Changes it in place."""
    _check_within(schema, handler, set())
    return schema


def _check_within(part: Any, handler: GetCoreSchemaHandler, seen: set[int]) -> None:
    if id(part) in seen:  # a type that contains itself
        return
    seen.add(id(part))
    if isinstance(part, (list, tuple)):
        for item in part:
            _check_within(item, handler, seen)
    elif isinstance(part, dict):
        kind = part.get("type")
        if kind == "definition-ref":
            referred = handler.resolve_ref_schema(part)
            if referred["type"] != "model":  # a model has a validator of its own already
                _check_within(referred, handler, seen)
        elif kind in CHECKS:
            _add_check(part, CHECKS[kind])
        elif not (kind == "function-before" and part["function"]["function"] in CHECKS.values()):
            for name, item in part.items():
                if name not in NO_INPUT:
                    _check_within(item, handler, seen)


def _add_check(part: dict[str, Any], check: Callable[[object], object]) -> None:
    inner: Any = dict(part)
    reference = inner.pop("ref", None)  # others refer to the whole
    part.clear()
    part.update(core_schema.no_info_before_validator_function(check, inner, ref=reference))


def _checked(kind: str, given: object) -> object:
    problem = notation_problem(kind, given)
    if problem is not None:
        raise PydanticCustomError("iso8601", problem)
    return given


CHECKS = {kind: functools.partial(_checked, kind) for kind in NOTATIONS}
