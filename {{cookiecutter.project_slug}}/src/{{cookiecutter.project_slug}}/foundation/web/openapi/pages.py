"""`/openapi.json`, and the page `/docs` with its assets."""

from pathlib import Path
from typing import Any

from tornado.web import StaticFileHandler

from ..handler import Handler
from ..validation import JSON
from .document import document
from .operations import operation

ASSETS = Path(__file__).parent / "docs"

# The page can load its own files and call this service, and nothing else.
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
    """Answers with the description, for programs."""

    @operation(responses={200: [dict[str, Any]]})
    def get(self) -> None:
        """This description."""
        self.set_header("Content-Type", JSON)
        self.finish(document(self.application))


class DocsHandler(Handler):
    """Answers with the description, for people."""

    @operation(responses={200: ["text/html"]})
    def get(self) -> None:
        """A page to read and try the API."""
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.finish((ASSETS / "index.html").read_bytes())


class AssetHandler(Handler, StaticFileHandler):
    """Serves the files of the page, always whole. They are not part of the description."""

    def initialize(self) -> None:  # type: ignore[override]  # Tornado's wants the folder
        super().initialize(str(ASSETS))

    def prepare(self) -> None:
        super().prepare()
        self.request.headers.pop("Range", None)  # Tornado's answer to a wrong one is no problem
