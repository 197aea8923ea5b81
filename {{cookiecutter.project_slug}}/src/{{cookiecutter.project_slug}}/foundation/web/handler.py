"""The base of the handlers."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Coroutine, Mapping, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from .. import logs
from ..database import DATABASE_ERRORS, one_line
from .problems import CLIENT_CLOSED_REQUEST, DETAILS, PHRASES, PROBLEM_JSON, RETRY_AFTER, Problem, status_of
from .requests_in_flight import reset
from .validation import JSON, NUL_REFUSED, adapter

if TYPE_CHECKING:
    from .application import Application

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # that a handler may implement
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
EXPOSED_HEADERS = "Allow, ETag, Location, Retry-After, WWW-Authenticate, X-Request-ID"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Handler(RequestHandler):
    """Tornado's handler with a request id, errors as problems, and HEAD answered as GET.

    Answers database errors of any handler by their SQLSTATE: 503 when the database is unavailable, 409 for a conflict.
    Cancels a handler whose client has left.
    """

    application: "Application"
    security: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """OpenAPI's security schemes that the handler demands, by name; `/openapi.json` shows them."""

    failure: str | None = None  # the reason of an error, for the log
    _task: asyncio.Task[None] | None = None
    _is_complete = False  # the answer has all of its content, though it isn't finished

    def __init__(self, application: tornado.web.Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        # Here and not in prepare(), which a 405, a bad form and a cross-origin refusal never reach.
        headers = request.headers
        given = headers["X-Request-ID"] if "X-Request-ID" in headers else ""  # noqa: SIM401  # get() raises inside
        self.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        super().__init__(application, request, **kwargs)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        trusted_origins = self.application.trusted_origins
        if trusted_origins:
            self.set_header("Vary", "Origin")
            origin = self.request.headers.get("Origin", "")
            if origin in trusted_origins:
                self.set_header("Access-Control-Allow-Origin", origin)
                self.set_header("Access-Control-Allow-Credentials", "true")
                self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def prepare(self) -> Awaitable[None] | None:
        """Called by Tornado before the method. An override has to call `super().prepare()`."""
        logs.request_id.set(self.request_id)
        self._task = asyncio.current_task()
        return None

    def answer(self, type_: Any, value: object) -> None:
        """Finish with the value as JSON of this type, which `@operation` describes.

            self.answer(list[BookRow], await books_after(100))

        pydantic takes the type's fields from a dict's items or an object's attributes, and nothing else. Raises
        ValidationError where they don't fit.
        """
        self.set_header("Content-Type", JSON)
        self.finish(_to_json(type_, value))

    async def answer_in_chunks(self, type_: Any, chunks: AsyncIterable[Sized]) -> None:
        """Answer as `answer` does, with one array of the rows of all chunks.

        Waits until a chunk is sent before it takes the next one, so a slow client costs no memory. An error after the
        first chunk resets the connection, so that no client takes what it got for the whole.
        """
        self.set_header("Content-Type", JSON)
        before = b"["
        try:
            async for rows in chunks:
                if rows:
                    self.write(before + _to_json(type_, rows)[1:-1])
                    await self.flush()
                    before = b","
                if self.request.method == "HEAD":
                    break
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()  # its transaction would last until the garbage collector finds it
        self.finish(b"]" if before == b"," else b"[]")

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run work in a task that outlives the request: it goes on when the client leaves.

        A shutdown waits for it as for a request, until `shutdown_grace` is over. Its failure is logged with the id of
        the request, and it is counted in the metrics.
        """
        self.application.background.spawn(work)

    def on_connection_close(self) -> None:
        """Called by Tornado when the client leaves: cancels the handler, and so the statement under way."""
        super().on_connection_close()  # fails the body that a streaming handler waits for
        self._cancel()

    def _cancel(self) -> None:
        """Cancel the handler's task, once: a second time would disturb it while it cleans up."""
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Called by Tornado for arguments of the path, and by `get_argument` and its kin."""
        text = super().decode_argument(value, name)
        if text and "\0" in text:  # None for a group of the path that is left out
            raise HTTPError(400, f"{name or 'the path'}: {NUL_REFUSED}")
        return text

    async def head(self, *args: str, **kwargs: str) -> None:
        """Answer as GET does; Tornado leaves out the body."""
        if "GET" not in self.allowed_methods():
            raise HTTPError(405)
        answered = self.get(*args, **kwargs)
        if answered is not None:
            await answered

    def allowed_methods(self) -> list[str]:
        """Return the methods that this handler implements."""
        implemented = [
            method
            for method in METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]
        return ["HEAD", *implemented] if "GET" in implemented else implemented

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "asyncio.Future[None]":
        """As Tornado's. During a shutdown it also asks the client to close the connection."""
        if self.application.readiness.draining and self.get_status() != 101:
            self.set_header("Connection", "close")
        return super().finish(chunk)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """As Tornado's, but resets the connection if the answer has begun: its regular end would look like success."""
        if not self._headers_written and not self._is_complete:
            super().send_error(status_code, **kwargs)
        elif not self._finished:
            if not self._is_complete:
                has_left = self._client_has_left(_error(kwargs))
                self.set_status(CLIENT_CLOSED_REQUEST if has_left else 500)
                reason = self.failure or ("the connection is closed" if has_left else "a bug")
                self.failure = f"the answer broke off: {reason}"
                reset(self.request.connection)
            self.finish()

    def end_event_stream(self) -> None:
        """End an answer of server-sent events. Its client will ask for the events that follow by itself."""
        if self._headers.get("Content-Type", "").startswith("text/event-stream"):
            self._is_complete = True
            self._cancel()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Called by Tornado for an exception of a handler, and for a request that Tornado refuses."""
        error = _error(kwargs)
        detail = None
        if isinstance(error, DATABASE_ERRORS):
            status_code = status_of(error)
            detail = DETAILS.get(status_code)
        elif isinstance(error, HTTPError) and error.log_message:
            detail = error.get_message()
        if self._client_has_left(error):
            status_code = CLIENT_CLOSED_REQUEST
        self.write_problem(status_code, detail)
        self.finish()

    def write_problem(self, status: int, detail: str | None = None) -> None:
        """Set the status and write a problem as the body. Unlike raising HTTPError, this keeps headers already set."""
        self.set_status(status)
        self.set_header("Content-Type", PROBLEM_JSON)
        if status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        if status == 503 and self.request.method in SAFE_METHODS:  # another method may have done a part of its work
            self.set_header("Retry-After", str(RETRY_AFTER))
        title = PHRASES.get(status, "Unknown")
        problem = Problem(title=title, status=status, detail=detail, request_id=self.request_id)
        body = problem.model_dump_json().encode()
        self.set_header("Content-Length", len(body))
        self.write(body)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Called by Tornado. Logs a traceback for a bug; any other failure goes into the request's line."""
        if isinstance(value, DATABASE_ERRORS) and status_of(value) != 500:
            self.failure = one_line(value)
        elif isinstance(value, HTTPError):
            self.failure = value.get_message() if value.log_message else None
        elif isinstance(value, StreamClosedError) and self._client_has_left(value):
            self.failure = "the connection is closed"
        else:
            super().log_exception(typ, value, tb)

    def _client_has_left(self, error: BaseException | None) -> bool:
        """Return whether the handler was cancelled, or failed to write to its client."""
        if isinstance(error, StreamClosedError):
            connection = self.request.connection
            return isinstance(connection, HTTP1Connection) and connection.stream.closed()
        return self._task is not None and self._task.cancelling() > 0


def _error(kwargs: dict[str, Any]) -> BaseException | None:
    error: BaseException | None = kwargs["exc_info"][1] if "exc_info" in kwargs else None
    return error


def _to_json(type_: Any, value: object) -> bytes:
    types = adapter(type_)
    return types.dump_json(types.validate_python(value, from_attributes=True))
