"""How errors are said to programs: problem details (RFC 9457), and how an interface describes them (OpenAPI)."""

from datetime import timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.kernel.errors import GatewayError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """An error as a program reads it."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str = Field(description="The code in words")
    status: int = Field(description="HTTP status")
    code: str = Field(description="Stable name of the error")
    detail: str = Field(description="What is wrong, where, and how to fix it")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of these refusals, for the `responses` of a route."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema(mode="serialization")}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def headers_of(error: GatewayError) -> dict[str, str]:
    """Headers of the answer that says `error`: how to prove who calls (401), how long to wait (an error that knows)."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    wait = getattr(error, "retry_after", None)
    if isinstance(wait, timedelta):
        headers["Retry-After"] = str(ceil(wait.total_seconds()))
    return headers
