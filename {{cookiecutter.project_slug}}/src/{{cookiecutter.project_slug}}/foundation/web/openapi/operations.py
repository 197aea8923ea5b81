"""Descriptions of handlers' methods, beside the methods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..validation import RequestBody

ATTRIBUTE = "openapi_operation"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """The arguments of `operation`."""

    query: Mapping[str, Any]
    path: Mapping[str, Any]
    body: type[RequestBody] | None
    responses: Mapping[int, Sequence[Any]]
    errors: Sequence[int]


def operation(
    *,
    responses: Mapping[int, Sequence[Any]],
    errors: Sequence[int] = (),
    query: Mapping[str, Any] | None = None,
    path: Mapping[str, Any] | None = None,
    body: type[RequestBody] | None = None,
) -> Callable[[Method], Method]:
    """Describe a handler's method for OpenAPI. The method's docstring is the summary and the description.

    Args:
        responses: for each status its models, or its media types other than JSON.
        errors: statuses of problems that not every route has, such as 404, and 503 where it asks the database.
        query: types of the query arguments; the type of an optional one ends with `| None`.
        path: a name and a type for each group of the route's pattern, in their order.
        body: model of the request's body.
    """
    described = Operation(query or {}, path or {}, body, responses, errors)

    def attach(method: Method) -> Method:
        setattr(method, ATTRIBUTE, described)
        return method

    return attach


def operation_of(handler: type, method: str) -> Operation | None:
    """Return the description of a handler's method, or None."""
    found = getattr(getattr(handler, method.lower(), None), ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None
