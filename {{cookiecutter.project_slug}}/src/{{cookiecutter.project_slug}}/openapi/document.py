"""The description as a whole: OpenAPI 3.1, from the routes and from what is said beside their methods."""

import functools
import importlib.metadata
import inspect
import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from http.client import responses
from typing import Any, get_args
from urllib.parse import unquote

from tornado.routing import PathMatches
from tornado.web import Application

from ..problems import Problem
from ..validation import FORMS, JSON
from .describing import Operation, operation_of
from .schemas import Json, Schemas

DISTRIBUTION = "{{ cookiecutter.project_slug | slugify }}"
METHODS = ("get", "post", "put", "patch", "delete", "options")
SAFE = ("get", "head", "options")
OF_ANY = (400, 405, 413, 500)
ERRORS = {
    400: "Something in the request is not as described",
    403: "A page of another origin sent this",
    404: "There is no such thing",
    405: "The path has no such method",
    413: "The body is too large",
    415: "The body is of a media type that is not taken",
    500: "A bug",
    503: "The database doesn't answer or is overloaded, or the server shuts down",
}
HEADERS = {
    "X-Request-ID": "The request's id: the one it came with, or one made for it",
    "Allow": "The methods that the path has",
    "Location": "Where to get what was created",
    "Retry-After": "In how many seconds to try again",
}
HEADERS_OF = {201: ("Location",), 405: ("Allow",), 503: ("Retry-After",)}


@functools.lru_cache(maxsize=1)
def document(application: Application) -> str:
    """The description of an application's routes, as JSON."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    used: set[int] = set()
    for path, method, operation, docstring in _operations(application):
        used.update(_errors(method, operation))
        paths.setdefault(path, {})[method] = _operation(method, operation, docstring, schemas)
    errors = {_name(status): _error(status, schemas) for status in sorted(used)}
    components = {"schemas": schemas.resolve(), "responses": errors, "headers": _headers()}
    description: Json = {"openapi": "3.1.1", "info": _info(), "paths": paths, "components": components}
    return json.dumps(description, indent=2, ensure_ascii=False)


def _operations(application: Application) -> Iterator[tuple[str, str, Operation, str]]:
    """Path, method, operation and docstring of all that is described; HEAD is what GET is."""
    for rule in application.wildcard_router.rules:
        for method in METHODS:
            operation = operation_of(rule.target, method)
            if operation is not None and isinstance(rule.matcher, PathMatches):
                path = unquote(rule.matcher.reverse(*("{" + name + "}" for name in operation.path)) or "")
                docstring = inspect.getdoc(getattr(rule.target, method)) or ""
                yield path, method, operation, docstring
                if method == "get":
                    yield path, "head", operation, docstring


def _operation(method: str, operation: Operation, docstring: str, schemas: Schemas) -> Json:
    summary, _, description = docstring.partition("\n")
    described: Json = {"summary": summary.removesuffix(".")}
    if description:
        described["description"] = description.strip()
    parameters = [
        *_parameters("path", operation.path, schemas),
        *_parameters("query", operation.query, schemas),
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        schema = schemas.of(operation.body, "validation")
        content = {media_type: {"schema": schema} for media_type in (JSON, *FORMS)}
        described["requestBody"] = {"required": True, "content": content}
    answers = {
        str(status): {
            "description": responses[status],
            "headers": _references_to_headers(status),
            "content": _content(answered, schemas),
        }
        for status, answered in operation.answers.items()
    }
    errors = {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in _errors(method, operation)}
    return described | {"responses": answers | errors}


def _errors(method: str, operation: Operation) -> list[int]:
    by_method = [] if method in SAFE else [403]
    by_body = [] if operation.body is None else [415]
    return sorted({*OF_ANY, *operation.errors, *by_method, *by_body})


def _error(status: int, schemas: Schemas) -> Json:
    return {
        "description": ERRORS.get(status, responses[status]),
        "headers": _references_to_headers(status),
        "content": {"application/problem+json": {"schema": schemas.of(Problem, "serialization")}},
    }


def _parameters(place: str, types: Mapping[str, Any], schemas: Schemas) -> Iterator[Json]:
    for name, type_ in types.items():
        alternatives = [alternative for alternative in get_args(type_) if alternative is not type(None)]
        is_optional = type(None) in get_args(type_)
        wanted = functools.reduce(operator.or_, alternatives) if is_optional else type_
        parameter = {"name": name, "in": place, "required": not is_optional, "schema": schemas.of(wanted, "validation")}
        # `query_argument` takes an empty one for a missing one.
        yield parameter | ({"allowEmptyValue": True} if is_optional else {})


def _content(answered: Sequence[Any], schemas: Schemas) -> Json:
    return {
        type_ if isinstance(type_, str) else JSON: {
            "schema": {"type": "string"} if isinstance(type_, str) else schemas.of(type_, "serialization")
        }
        for type_ in answered
    }


def _headers() -> Json:
    return {
        name: {"description": description, "schema": {"type": "integer" if name == "Retry-After" else "string"}}
        for name, description in HEADERS.items()
    }


def _references_to_headers(status: int) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *HEADERS_OF.get(status, ()))}


def _name(status: int) -> str:
    return responses[status].replace(" ", "")


def _info() -> Json:
    """What pyproject.toml says of the project."""
    try:
        metadata = importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:  # it runs from its sources
        return {"title": DISTRIBUTION, "version": "unknown"}
    info = {"title": metadata["Name"], "version": metadata["Version"]}
    return info | ({"summary": metadata["Summary"]} if "Summary" in metadata else {})
