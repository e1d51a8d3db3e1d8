"""How errors are said to programs: problem details (RFC 9457), and how an interface describes them (OpenAPI)."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
