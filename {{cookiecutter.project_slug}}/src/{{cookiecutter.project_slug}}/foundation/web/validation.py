"""Input of requests, checked once at the edge: taken as it is or refused, never silently altered."""

import functools
import json
import re
from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from .forms import form_fields
from .iso8601 import NOTATIONS, check_notations, notation_problem

SHOWN_ERRORS = 5  # of one body
GREATEST_ID = 2**31 - 1  # of PostgreSQL's integer
JSON = "application/json"
NUL_REFUSED = "the NUL character is not accepted"  # PostgreSQL's text can't hold it
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _check_id(given: object, info: ValidationInfo) -> object:
    """pydantic takes ' 1', '+1', '1.0', '0_1' and true for 1. The number 1.0 in JSON is 1, also by JSON Schema."""
    if isinstance(given, float) and given.is_integer():
        return int(given)
    is_text = isinstance(given, str) and info.mode != "json"
    if not (isinstance(given, int) or is_text) or not re.fullmatch("-?[1-9][0-9]*", str(given)):
        raise PydanticCustomError("id", f"not a number from 1 to {GREATEST_ID}")
    return given


Id = Annotated[int, Field(ge=1, le=GREATEST_ID), BeforeValidator(_check_id)]  # what `parse_id` returns

T = TypeVar("T")


def query_argument(request: HTTPServerRequest, name: str) -> str | None:
    """Return the argument's one value, or None where it is missing or empty. Raises HTTPError 400.

    Unlike Tornado's `get_query_argument` it doesn't strip, replace control characters or take the last of several.
    """
    return _one_value(name, request.query_arguments.get(name, [b""])) or None


def parse_id(text: str) -> int:
    """Return the argument `id`, from 1 to the greatest integer of PostgreSQL. Raises HTTPError 400.

    An id under another name is `parse_argument("author_id", text, Id)`.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > GREATEST_ID:
        raise HTTPError(400, f"id: {text[:40]!r} is not a number from 1 to {GREATEST_ID}")
    return int(text)


def parse_argument(name: str, text: str, type_: type[T]) -> T:
    """Return an argument of the path or the query as any type that pydantic knows. Raises HTTPError 400.

    parse_argument("after", text, datetime.date)
    """
    try:
        value: T = adapter(type_).validate_strings(text)  # type: ignore[arg-type]  # a type is hashable
    except ValidationError as error:
        raise HTTPError(400, f"{name}: {_message(error.errors(include_input=False)[0])}") from None
    kind = type(value).__name__
    problem = notation_problem(kind, text) if kind in NOTATIONS else None
    if problem is not None:
        raise HTTPError(400, f"{name}: {text[:40]!r} is {problem}")
    if _is_altered(text, value):
        raise HTTPError(400, f"{name}: {text[:40]!r} is not in plain notation")
    return value


def _is_altered(text: str, value: object) -> bool:
    """Return whether pydantic was generous: it takes '1_0' for 10, and '1.0' for 1."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return text != str(int(value))
    return isinstance(value, (float, Decimal)) and not NUMBER.fullmatch(text)


@functools.cache
def adapter(type_: Any) -> TypeAdapter[Any]:
    """Return pydantic's adapter, which takes long to make."""
    return TypeAdapter(type_)


def _refuse_repeated(fields: list[tuple[str, Any]]) -> None:
    names = Counter(name for name, _ in fields)
    for name, times in names.items():
        if times > 1:
            raise HTTPError(400, f"{_shown(name)}: given {times} times")


# pydantic takes the last of several fields of one name.
REPEATED_FIELDS = json.JSONDecoder(object_pairs_hook=_refuse_repeated, parse_int=str)  # int() refuses long numbers


class RequestBody(BaseModel):
    """Base of the models of bodies, and of models within them: a form or JSON with these fields and no others."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return check_notations(handler(source), handler)

    @classmethod
    def from_request(cls, request: HTTPServerRequest) -> Self:
        """Check and return the request's body. Raises HTTPError 400 or 415."""
        media_type, charset = _parse_content_type(request.headers.get("Content-Type", ""))
        if "Content-Encoding" in request.headers or charset not in ("utf-8", "utf8"):
            raise HTTPError(415, "The body has to be in UTF-8, and without a Content-Encoding")
        try:
            if media_type == JSON:
                if ESCAPED_NUL.search(request.body):
                    raise HTTPError(400, NUL_REFUSED)
                body = cls.model_validate_json(request.body)
                if request.body.count(b":") > 1:  # else it has one field at most
                    REPEATED_FIELDS.decode(request.body.decode())
                return body
            if media_type in FORMS:
                return cls.model_validate(_form(cls, request))
        except ValidationError as error:
            raise HTTPError(400, _describe(error)) from None
        raise HTTPError(415, f"The body has to be {JSON}, {' or '.join(FORMS)}")


@functools.lru_cache(maxsize=16)  # clients send the same few
def _parse_content_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset."""
    # `email.message` raises errors of many kinds for what clients can send.
    media_type, _, parameters = header.lower().partition(";")
    charset = re.search(r'(?:^|;)\s*charset\s*=\s*"?([^\s;"]*)', parameters)
    return media_type.strip(), charset[1] if charset else "utf-8"


def _form(model: type[BaseModel], request: HTTPServerRequest) -> dict[str, str | list[str] | None]:
    """Return the form's fields: those of a list as a list, and None for an empty one that stands for null."""
    if request.files:
        raise HTTPError(400, f"{_shown(next(iter(request.files)))}: files are not accepted")
    fields = form_fields(model)
    form: dict[str, str | list[str] | None] = {}
    for name, given in request.body_arguments.items():
        field = fields.get(name)
        if field is not None and field.is_list:
            form[name] = [_one_value(name, [value]) for value in given]
        else:
            value = _one_value(name, given)
            form[name] = None if field is not None and field.empty_is_null and not value else value
    return form


def _one_value(name: str, given: list[bytes]) -> str:
    if len(given) > 1:
        raise HTTPError(400, f"{_shown(name)}: given {len(given)} times")
    try:
        text = given[0].decode()
    except UnicodeDecodeError:
        raise HTTPError(400, f"{_shown(name)}: not UTF-8") from None
    if "\0" in text:
        raise HTTPError(400, f"{_shown(name)}: {NUL_REFUSED}")
    return text


def _describe(error: ValidationError) -> str:
    """Return one line: each field that is wrong, and what is wrong with it."""
    wrong = error.errors(include_input=False)
    shown = [": ".join([*(_shown(str(name)) for name in one["loc"]), _message(one)]) for one in wrong[:SHOWN_ERRORS]]
    if more := len(wrong) - len(shown):
        shown.append(f"and {more} more")
    return "; ".join(shown)


def _message(wrong: ErrorDetails) -> str:
    """Return pydantic's message, or that of the ValueError which a validator raised, without pydantic's prefix."""
    return str(wrong["ctx"]["error"]) if wrong["type"] == "value_error" else wrong["msg"]


def _shown(name: str) -> str:
    """Return a name that a client chose in a form that fits into a line of the log."""
    return name if re.fullmatch(r"\w{1,40}", name, re.ASCII) else repr(name[:40])
