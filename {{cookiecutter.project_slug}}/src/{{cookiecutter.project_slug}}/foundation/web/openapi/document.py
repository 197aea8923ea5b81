"""The OpenAPI 3.1 description, from the routes and from the `@operation` of each method."""

import functools
import importlib.metadata
import inspect
import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, get_args
from urllib.parse import unquote

from tornado.routing import PathMatches

from ..forms import JsonObject
from ..handler import METHODS, SAFE_METHODS, Handler
from ..problems import DETAILS, PHRASES, PROBLEM_JSON, Problem
from ..validation import JSON
from .operations import Operation, operation_of
from .schemas import Schemas

if TYPE_CHECKING:
    from ..application import Application

ERRORS_OF_ANY = (400, 405, 413, 500)
ERRORS = {
    400: "The request is not as described",
    401: "The request has no valid credentials",
    403: "A page of another origin sent this",
    404: "Not there",
    405: "The path doesn't support the method",
    409: DETAILS[409],
    413: "The body is too large",
    415: "The body has an unsupported media type",
    500: "A bug",
    503: "The database doesn't answer or is overloaded, or the server is shutting down",
}
HEADERS = {
    "X-Request-ID": "The request's id: the client's own, or a new one",
    "Allow": "The methods that the path supports",
    "Location": "Address of the new resource",
    "WWW-Authenticate": "The credentials that the path wants",
    "Retry-After": "Seconds after which to try again",
}
HEADERS_OF = {201: ("Location",), 401: ("WWW-Authenticate",), 405: ("Allow",), 503: ("Retry-After",)}


class Described(NamedTuple):
    """A method of a route, and what is said about it."""

    path: str
    method: str
    operation: Operation
    docstring: str
    security: Mapping[str, Mapping[str, Any]]


@functools.lru_cache(maxsize=1)
def document(application: "Application") -> str:
    """Return the description of the application's routes, as JSON."""
    schemas = Schemas()
    paths: dict[str, JsonObject] = {}
    used: set[int] = set()
    security: JsonObject = {}
    for described in _described(application):
        if described.method in paths.setdefault(described.path, {}):
            continue  # the first route of a path is the one that answers
        paths[described.path][described.method] = _operation(described, schemas)
        used.update(_errors(described))
        security.update(described.security)
    errors = {_name(status): _error(status, schemas) for status in sorted(used)}
    components: JsonObject = {
        "schemas": schemas.resolve(),
        "responses": errors,
        "headers": _headers(),
    }
    if security:
        components["securitySchemes"] = security
    info = _info(application.distribution)
    description: JsonObject = {"openapi": "3.1.1", "info": info, "paths": paths, "components": components}
    return json.dumps(description, indent=2, ensure_ascii=False)


def _described(application: "Application") -> Iterator[Described]:
    """Yield each method that is described; HEAD is described as GET is."""
    for rule in application.wildcard_router.rules:
        for method in map(str.lower, METHODS):
            operation = operation_of(rule.target, method)
            if operation is not None and isinstance(rule.matcher, PathMatches):
                path = _path(rule.matcher, operation, f"{rule.target.__name__}.{method}")
                docstring = inspect.getdoc(getattr(rule.target, method)) or ""
                security = rule.target.security if issubclass(rule.target, Handler) else {}
                for name in (method, "head") if method == "get" else (method,):
                    yield Described(path, name, operation, docstring, security)


def _path(matcher: PathMatches, operation: Operation, of: str) -> str:
    """Return the path with the names of `operation`, or the pattern itself where it can't be reversed.

    Raises ValueError where the names don't fit its groups.
    """
    pattern = matcher.regex.pattern.removesuffix("$")
    if matcher.regex.groups != len(operation.path):
        raise ValueError(
            f"the @operation of {of} has to have a name and a type for each group of the route {pattern!r}, "
            "such as path={'id': Id}"
        )
    try:
        return unquote(matcher.reverse(*("{" + name + "}" for name in operation.path)) or "")
    except ValueError:  # a group that can't be reversed
        return pattern


def _operation(described: Described, schemas: Schemas) -> JsonObject:
    operation = described.operation
    summary, _, description = described.docstring.partition("\n")
    # `python -OO` leaves no docstrings.
    shown: JsonObject = {"summary": summary.removesuffix(".") or f"{described.method.upper()} {described.path}"}
    if description:
        shown["description"] = description.strip()
    parameters = [
        *_parameters("path", operation.path, schemas),
        *_parameters("query", operation.query, schemas),
    ]
    if parameters:
        shown["parameters"] = parameters
    if operation.body is not None:
        shown["requestBody"] = {"required": True, "content": schemas.of_body(operation.body)}
    if described.security:
        shown["security"] = [{name: [] for name in described.security}]
    successes = {
        str(status): {
            "description": PHRASES[status],
            "headers": _references_to_headers(status),
            "content": _content(types, schemas),
        }
        for status, types in operation.responses.items()
    }
    errors = {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in _errors(described)}
    return shown | {"responses": successes | errors}


def _errors(described: Described) -> list[int]:
    by_method = [] if described.method.upper() in SAFE_METHODS else [403]
    by_body = [] if described.operation.body is None else [415]
    by_security = [401] if described.security else []
    return sorted({*ERRORS_OF_ANY, *described.operation.errors, *by_method, *by_body, *by_security})


def _error(status: int, schemas: Schemas) -> JsonObject:
    example = Problem(title=PHRASES[status], status=status, request_id="37b74c8d708106934d8f2e6fb2b89fe8")
    content = {"schema": schemas.of(Problem, "serialization"), "example": example.model_dump()}
    return {
        "description": ERRORS.get(status, PHRASES[status]),
        "headers": _references_to_headers(status),
        "content": {PROBLEM_JSON: content},
    }


def _parameters(place: str, types: Mapping[str, Any], schemas: Schemas) -> Iterator[JsonObject]:
    for name, type_ in types.items():
        alternatives = [alternative for alternative in get_args(type_) if alternative is not type(None)]
        is_optional = type(None) in get_args(type_)
        wanted = functools.reduce(operator.or_, alternatives) if is_optional else type_
        parameter = {"name": name, "in": place, "required": not is_optional, "schema": schemas.of(wanted, "validation")}
        # `query_argument` takes an empty argument for a missing one.
        yield parameter | ({"allowEmptyValue": True} if is_optional else {})


def _content(types: Sequence[Any], schemas: Schemas) -> JsonObject:
    """Return the content by its media types, which stand for text. The models are the alternatives of one in JSON."""
    content: JsonObject = {type_: {"schema": {"type": "string"}} for type_ in types if isinstance(type_, str)}
    models = [type_ for type_ in types if not isinstance(type_, str)]
    if models:
        content[JSON] = {"schema": schemas.of(functools.reduce(operator.or_, models), "serialization")}
    return content


def _headers() -> JsonObject:
    return {
        name: {"description": description, "schema": {"type": "integer" if name == "Retry-After" else "string"}}
        for name, description in HEADERS.items()
    }


def _references_to_headers(status: int) -> JsonObject:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *HEADERS_OF.get(status, ()))}


def _name(status: int) -> str:
    return PHRASES[status].replace(" ", "")


def _info(distribution: str) -> JsonObject:
    """Return what pyproject.toml says of the distribution."""
    try:
        metadata = importlib.metadata.metadata(distribution)
    except importlib.metadata.PackageNotFoundError:  # the service runs from its sources
        return {"title": distribution, "version": "unknown"}
    info = {"title": metadata["Name"], "version": metadata["Version"]}
    return info | ({"summary": metadata["Summary"]} if "Summary" in metadata else {})
