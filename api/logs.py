"""What a server says on stderr: one line an event, JSON for machines or text for people.

An error that nobody foresaw is told by its type and its place: its message may hold what was asked.
"""

from __future__ import annotations

import logging
import sys

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from rag.settings import LogFormat, LogLevel

FIELDS = ("method", "route", "status", "bytes", "duration_ms")
"""What log records may carry beside their message; anything else stays unsaid."""

_places_of = ExceptionDictTransformer(show_locals=False)


def configure(log_format: LogFormat | None, level: LogLevel) -> None:
    """Log all that happens in this process on stderr, in one form.

    `level` is for our own loggers. Of others only warnings are heard: some tell what they send.
    """
    people = sys.stderr.isatty() if log_format is None else log_format == "console"
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if people
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                ExtraAdder(FIELDS),
                structlog.processors.TimeStamper(fmt="iso"),
                _add_trace,
                _place_error,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for ours in ("rag", "api"):
        logging.getLogger(ours).setLevel(level.upper())
    logging.captureWarnings(True)


def bind_request(request_id: str) -> None:
    """Give the request's id to every line of this task, and of those that it starts."""
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _add_trace(_: object, __: str, event: EventDict) -> EventDict:
    """The trace that the line belongs to, if one is recorded."""
    context = get_current_span().get_span_context()
    return {**event, "trace_id": format_trace_id(context.trace_id)} if context.is_valid else event


def _place_error(_: object, __: str, event: EventDict) -> EventDict:
    """In place of a traceback: each error in the chain by type, and the calls that led to it."""
    error = event.pop("exc_info", None)
    if error:
        event["exception"] = [
            {
                "type": one["exc_type"],
                "calls": [f"{f['filename']}:{f['lineno']} {f['name']}" for f in one["frames"]],
            }
            for one in _places_of(error)
        ]
    return event
