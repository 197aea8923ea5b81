"""What comes in with a request, checked once: it is taken as it is or refused, never silently altered."""

import functools
import re
from email.message import Message
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

GREATEST_ID = 2**31 - 1  # of PostgreSQL's integer
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Id = Annotated[int, Field(ge=1, le=GREATEST_ID)]  # as `parse_id` takes it


def query_argument(request: HTTPServerRequest, name: str) -> str | None:
    """The argument's one value, or None where it is missing or empty.

    Unlike Tornado's `get_query_argument` it doesn't strip, replace control characters or take the last of several.
    Raises HTTPError 400.
    """
    return _one_value(name, request.query_arguments.get(name, [b""])) or None


def parse_id(text: str) -> int:
    """A row's id, from 1 to the greatest integer of PostgreSQL. Raises HTTPError 400."""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > GREATEST_ID:
        raise HTTPError(400, f"id: {text[:40]!r} is not a number from 1 to {GREATEST_ID}")
    return int(text)


class RequestBody(BaseModel):
    """The base of what a body may be: a form or JSON with just these fields."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def of(cls, request: HTTPServerRequest) -> Self:
        """The request's body, checked. Raises HTTPError 400 or 415."""
        media_type, charset = _parse_content_type(request.headers.get("Content-Type", ""))
        if "Content-Encoding" in request.headers or charset not in ("utf-8", "utf8"):
            raise HTTPError(415, "The body may be in UTF-8 only, and not encoded further")
        try:
            if media_type == JSON:
                return cls.model_validate_json(request.body)
            if media_type in FORMS:
                return cls.model_validate({name: _one_value(name, given) for name, given in _fields(request)})
        except ValidationError as error:
            raise HTTPError(400, _describe(error.errors(include_input=False)[0])) from None
        raise HTTPError(415, f"The body may be {JSON}, {' or '.join(FORMS)}")


@functools.lru_cache(maxsize=16)  # clients send the same few
def _parse_content_type(header: str) -> tuple[str, str]:
    """The media type and the charset."""
    declared = Message()
    declared["Content-Type"] = header
    return declared.get_content_type(), declared.get_content_charset("utf-8")


def _fields(request: HTTPServerRequest) -> list[tuple[str, list[bytes]]]:
    if request.files:
        raise HTTPError(400, f"{_shown(next(iter(request.files)))}: a file is not taken")
    return list(request.body_arguments.items())


def _one_value(name: str, given: list[bytes]) -> str:
    if len(given) > 1:
        raise HTTPError(400, f"{_shown(name)}: given {len(given)} times")
    try:
        return given[0].decode()
    except UnicodeDecodeError:
        raise HTTPError(400, f"{_shown(name)}: not UTF-8") from None


def _describe(wrong: ErrorDetails) -> str:
    """One line: the field, where it is about one, and what would be right."""
    return ": ".join([*(_shown(str(name)) for name in wrong["loc"]), wrong["msg"]])


def _shown(name: str) -> str:
    """A name that a client chose, fit for a line of the log."""
    return name if re.fullmatch(r"\w{1,40}", name, re.ASCII) else repr(name[:40])
