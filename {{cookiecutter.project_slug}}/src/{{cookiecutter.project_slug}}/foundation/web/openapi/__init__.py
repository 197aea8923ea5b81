"""The OpenAPI description of the service, and a page to read and try it."""

from .document import document
from .operations import operation
from .pages import ASSETS, AssetHandler, DocsHandler, DocumentHandler

__all__ = ["ASSETS", "AssetHandler", "DocsHandler", "DocumentHandler", "document", "operation"]
