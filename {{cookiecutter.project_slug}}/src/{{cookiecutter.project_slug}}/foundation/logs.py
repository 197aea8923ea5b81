"""Logs: one line per event, for people or machines, with the id of its request."""

import logging
import os
import sys
from contextvars import ContextVar
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["console", "json"]

# The id of the request that the current task works on. Tasks that it spawns inherit the variable.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure_logging(level: LogLevel, log_format: LogFormat | None) -> None:
    """Write the events of structlog and of the standard library's loggers to the standard error.

    Args:
        level: the lowest level that is written.
        log_format: None chooses `console` on a terminal and `json` elsewhere.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    is_console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    shared: list[Processor] = [
        add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    renderers: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=_has_colors(), exception_formatter=structlog.dev.plain_traceback)]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)


def _has_colors() -> bool:
    """Return whether the standard error shows colors, by the conventions of https://no-color.org and of Python."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stderr.isatty() and os.environ.get("TERM") != "dumb")


def add_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event
