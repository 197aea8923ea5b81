"""The one request."""

from tornado.web import HTTPError

from .foundation.web import Handler, operation, query_argument


class EchoHandler(Handler):
    """Answers with what it was sent."""

    @operation(query={"text": str}, responses={200: ["text/plain"]})
    def get(self) -> None:
        """Echo the text."""
        text = query_argument(self.request, "text")
        if text is None:
            raise HTTPError(400, "text: the argument is missing")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(text)
