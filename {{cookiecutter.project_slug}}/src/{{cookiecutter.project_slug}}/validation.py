"""What comes in with a request, checked once: it is taken as it is or refused, never silently altered."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

GREATEST_ID = 2**31 - 1  # of PostgreSQL's integer
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Body = TypeVar("Body", bound=BaseModel)


def query_argument(request: HTTPServerRequest, name: str) -> str | None:
    """The argument's one value, or None where it is missing or empty.

    Unlike Tornado's `get_query_argument` it doesn't strip, replace control characters or take the last of several.
    Raises HTTPError 400.
    """
    return _one_value(name, request.query_arguments.get(name, [b""])) or None


def parse_id(text: str) -> int:
    """A row's id, from 1 to the greatest integer of PostgreSQL. Raises HTTPError 400."""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > GREATEST_ID:
        raise HTTPError(400, f"id: {text!r} is not a number from 1 to {GREATEST_ID}")
    return int(text)


def parse_body(request: HTTPServerRequest, model: type[Body]) -> Body:
    """The body, a form or JSON, as the model has it. Raises HTTPError 400 or 415."""
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if content_type == JSON:
            return model.model_validate_json(request.body)
        if content_type in FORMS:
            return model.model_validate({name: _one_value(name, given) for name, given in _fields(request)})
    except ValidationError as error:
        raise HTTPError(400, "; ".join(_describe(wrong) for wrong in error.errors(include_input=False))) from None
    raise HTTPError(415, f"The body is {content_type or 'of no type'}; it may be {JSON}, {' or '.join(FORMS)}")


def _fields(request: HTTPServerRequest) -> list[tuple[str, list[bytes]]]:
    if request.files:
        raise HTTPError(400, f"{next(iter(request.files))}: a file is not taken")
    return list(request.body_arguments.items())


def _one_value(name: str, given: list[bytes]) -> str:
    if len(given) > 1:
        raise HTTPError(400, f"{name}: given {len(given)} times")
    try:
        return given[0].decode()
    except UnicodeDecodeError:
        raise HTTPError(400, f"{name}: not UTF-8") from None


def _describe(wrong: ErrorDetails) -> str:
    """One line: the field, where it is about one, and what would be right."""
    return ": ".join([*map(str, wrong["loc"]), wrong["msg"]])
