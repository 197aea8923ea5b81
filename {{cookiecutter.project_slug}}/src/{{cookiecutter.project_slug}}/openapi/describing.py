"""What is said of a handler's method, beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..validation import RequestBody

ATTRIBUTE = "openapi_operation"

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """What `described` was told."""

    query: Mapping[str, Any]
    path: Mapping[str, Any]
    body: type[RequestBody] | None
    answers: Mapping[int, Sequence[Any]]
    errors: Sequence[int]


def described(
    *,
    answers: Mapping[int, Sequence[Any]],
    errors: Sequence[int] = (),
    query: Mapping[str, Any] | None = None,
    path: Mapping[str, Any] | None = None,
    body: type[RequestBody] | None = None,
) -> Callable[[Method], Method]:
    """Describe a handler's method; its docstring says the rest.

    `answers`: for each status its models, or media types other than JSON.
    `errors`: the statuses of problems that not every route has, such as 404, and 503 where it asks the database.
    `query`: the arguments' types; one that may be missing is `| None`.
    `path`: a name and a type for each group of the route, in their order.
    """
    operation = Operation(query or {}, path or {}, body, answers, errors)

    def keep(method: Method) -> Method:
        setattr(method, ATTRIBUTE, operation)
        return method

    return keep


def operation_of(handler: type, method: str) -> Operation | None:
    """What is said of this method of a handler, or None."""
    operation = getattr(getattr(handler, method.lower(), None), ATTRIBUTE, None)
    return operation if isinstance(operation, Operation) else None
