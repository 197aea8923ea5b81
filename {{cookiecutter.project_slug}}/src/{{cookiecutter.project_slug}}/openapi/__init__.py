"""The OpenAPI description of the service, and a page to read and to try it."""

from .describing import described
from .document import document
from .pages import FOLDER, AssetHandler, DocsHandler, DocumentHandler

__all__ = ["FOLDER", "AssetHandler", "DocsHandler", "DocumentHandler", "described", "document"]
