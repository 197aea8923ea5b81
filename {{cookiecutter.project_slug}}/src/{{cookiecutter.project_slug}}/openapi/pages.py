"""`/openapi.json`, and `/docs` with what its page consists of."""

from pathlib import Path
from typing import Any

from tornado.web import StaticFileHandler

from ..problems import Handler
from .describing import described
from .document import document

FOLDER = Path(__file__).parent / "docs"

# The page may load its own files and ask this service, and nothing else.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


class DocumentHandler(Handler):
    """The description, for programs."""

    @described(answers={200: [dict[str, Any]]})
    def get(self) -> None:
        """This description."""
        self.set_header("Content-Type", "application/json")
        self.finish(document(self.application))


class DocsHandler(Handler):
    """The description, for people."""

    @described(answers={200: ["text/html"]})
    def get(self) -> None:
        """A page to read and to try this."""
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.finish((FOLDER / "index.html").read_bytes())


class AssetHandler(Handler, StaticFileHandler):
    """The files of the page. They are no part of the description."""
