"""A form that gives a file: how large it may be, and what is in it."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import UploadFile

from gateway.kernel.errors import GatewayError
from gateway.web.errors import FileMissingError

_LIMIT = "longest_form"
#: What a browser writes around the file.
_AROUND = 2**16

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def takes_file(limit: Callable[[], int]) -> Callable[[_Handler], _Handler]:
    """Mark the handler of a form whose file may have `limit()` bytes; any other form is small."""

    def mark(handler: _Handler) -> _Handler:
        setattr(handler, _LIMIT, lambda: limit() + _AROUND)
        return handler

    return mark


def longest_form(handler: Callable[..., Any] | None, usual: int) -> int:
    """How many bytes the form of a handler may have."""
    limit = getattr(handler, _LIMIT, None)
    return limit() if limit else usual


def content_of(file: UploadFile | None, limit: int, refuse: Callable[[int], GatewayError]) -> tuple[str, bytes]:
    """The name and the bytes of a file that was given. Raises FileMissingError, or what `refuse` makes of the limit."""
    content = file.file.read(limit + 1) if file is not None else b""
    if file is None or not content:
        raise FileMissingError
    if len(content) > limit:
        raise refuse(limit)
    return (file.filename or "")[:300], content
