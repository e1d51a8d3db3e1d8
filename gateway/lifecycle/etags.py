"""Answers that need not be sent twice: an ETag of the content, 304 to who holds it already (RFC 9110, 13.1.2)."""

from hashlib import sha256

from fastapi import Request, Response
from pydantic import BaseModel

_NOT_MODIFIED = 304


def conditional(request: Request, content: BaseModel) -> Response:
    """`content` as JSON with its ETag, or 304 without a body when `If-None-Match` names that ETag."""
    body = content.model_dump_json().encode()
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    held = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if held & {etag, "*"}:
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
