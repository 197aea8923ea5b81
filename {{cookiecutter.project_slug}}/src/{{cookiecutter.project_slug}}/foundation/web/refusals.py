"""Handlers that answer in place of a route's: they refuse a request, or allow a trusted page to send one."""

from tornado.web import HTTPError, stream_request_body

from .handler import Handler

PREFLIGHT_MAX_AGE = 600  # seconds


class NotFoundHandler(Handler):
    """Answers the paths that no route serves."""

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404, f"There is nothing at {self.request.path}")


class RefusingHandler(Handler):
    """Answers with an error."""

    def initialize(self, error: HTTPError) -> None:
        self._error = error

    def prepare(self) -> None:
        super().prepare()
        raise self._error


class PreflightHandler(Handler):
    """Allows a trusted page what its browser asks for. Without credentials, so that `prepare()` can't demand any."""

    def options(self) -> None:
        headers = self.request.headers
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", headers["Access-Control-Request-Method"])
        self.set_header("Access-Control-Allow-Headers", headers.get("Access-Control-Request-Headers", ""))
        self.set_header("Access-Control-Max-Age", PREFLIGHT_MAX_AGE)


@stream_request_body
class TooLargeHandler(Handler):
    """Sends the 413 once the headers are in, then discards the body.

    Closing the connection with a part of the body unread would reset it, and the client would lose the answer.
    """

    def initialize(self, limit: int) -> None:
        self._limit = limit

    async def prepare(self) -> None:
        super().prepare()
        self.write_problem(413, f"The body may have {self._limit} bytes at most")
        self._is_complete = True
        await self.flush()

    def data_received(self, chunk: bytes) -> None:
        """Discard the chunk."""

    def _end(self) -> None:
        self.finish()

    get = head = post = put = patch = delete = options = _end  # type: ignore[assignment]  # Tornado: a variable each
