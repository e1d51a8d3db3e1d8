"""Stored files, to be saved by the browser and never shown as a page of ours."""

from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Response

from gateway.flows.intake import media_type_of
from gateway.web.security import Visit


def download(visit: Visit, sha256: str, name: str) -> Response:
    """The document of a hash that the caller has found the person may have; `name` is what to call it."""
    data = visit.context.store.get(sha256)
    media_type = media_type_of(data)
    ending = ".pdf" if media_type == "application/pdf" else ".xml"
    called = name if PurePosixPath(name).suffix.lower() == ending else name + ending
    return saved(data, media_type, called)


def saved(data: bytes, media_type: str, name: str) -> Response:
    """A file for the browser to save under a name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media_type, headers={"Content-Disposition": disposition})
