"""HTTP: the application, its handlers, and what they check and describe."""

from .application import Application
from .handler import Handler
from .metrics import MetricsHandler
from .openapi import document, operation, operation_of
from .validation import Id, RequestBody, parse_argument, parse_id, query_argument

__all__ = [
    "Application",
    "Handler",
    "Id",
    "MetricsHandler",
    "RequestBody",
    "document",
    "operation",
    "operation_of",
    "parse_argument",
    "parse_id",
    "query_argument",
]
