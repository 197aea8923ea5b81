"""Logs: one line an event, for people or for machines, with the id of the request that it belongs to."""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

LogFormat = Literal["console", "json"]

# The request that the current task works on. A task that it spawns inherits it.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure_logging(level: str, log_format: LogFormat | None) -> None:
    """Write what structlog and the standard library's loggers are given to the standard error.

    Args:
        level: the lowest that is written: debug, info, warning or error.
        log_format: for people or for machines; None is for people on a terminal, and else for machines.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    is_console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    shared: list[Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    renderers: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
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


def _add_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event
