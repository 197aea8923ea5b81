"""HTTP: the application, its handlers, and what they check and describe."""

from .application import Application
from .handler import Handler
from .metrics import MetricsHandler
from .openapi import document, operation
from .problems import Problem
from .validation import Id, RequestBody, parse_argument, parse_id, query_argument

__all__ = [
    "Application",
    "Handler",
    "Id",
    "MetricsHandler",
    "Problem",
    "RequestBody",
    "document",
    "operation",
    "parse_argument",
    "parse_id",
    "query_argument",
]
