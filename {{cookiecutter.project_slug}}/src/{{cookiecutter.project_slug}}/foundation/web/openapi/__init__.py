"""The OpenAPI description of the service, and a page to read and try it."""

from .document import document
from .operations import operation, operation_of
from .pages import AssetHandler, DocsHandler, DocumentHandler

__all__ = ["AssetHandler", "DocsHandler", "DocumentHandler", "document", "operation", "operation_of"]
