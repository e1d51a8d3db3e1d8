"""The directory of a platform that speaks XP Z12-013 (Directory Service 1.3.0)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from gateway.flows.directory.errors import (
    DirectoryBusyError,
    DirectoryEntryNotFoundError,
    DirectoryNotOfferedError,
    DirectoryRefusedError,
    DirectoryTimeoutError,
    DirectoryUnavailableError,
)
from gateway.flows.directory.resources import Facility, LegalUnit, RoutingCode
from gateway.flows.directory.searches import AnySearch
from gateway.flows.directory.selecting import Found
from gateway.flows.errors import FlowError, PlatformError
from gateway.flows.platforms.answers import Answer
from gateway.flows.platforms.transport import Transport

EntryT = TypeVar("EntryT", bound=BaseModel)
#: Longest answer read: a hundred lines with their relations take some hundred kilobytes.
_MAX_BYTES = 8 * 2**20


@dataclass(frozen=True)
class StandardDirectory:
    """The service at `url` (with its version), called with the token (`auth`) of a connection to a platform.

    `name` is the connection's; `remote_organisation` goes into Organization-Id when our client has several there.
    """

    name: str
    transport: Transport
    auth: httpx.Auth
    url: str
    remote_organisation: str | None = None

    def search(self, wanted: AnySearch) -> Found:
        """POST …/search. Platforms of earlier versions answer 204 when nothing is found."""
        try:
            answer = self._ask("POST", f"{wanted.path}/search", json=wanted.as_standard())
        except DirectoryEntryNotFoundError as error:  # a search that finds nothing is a success: this one is missing
            raise DirectoryUnavailableError("there is no such search at its address (404)") from error
        if answer.status == HTTPStatus.NO_CONTENT:
            return Found((), 0)
        page = _object(answer)
        results = page.get("results")
        if not isinstance(results, list | None):
            raise DirectoryUnavailableError("results: not a list")
        entries = tuple(_read(wanted.entry, entry) for entry in results or ())
        total = page.get("totalNumberOfResults")
        return Found(entries, total if isinstance(total, int) else -1)

    def legal_unit(self, siren: str) -> LegalUnit:
        """GET /siren/code-insee:{siren}."""
        return _read(LegalUnit, _object(self._ask("GET", f"siren/code-insee:{siren}")))

    def facility(self, siret: str) -> Facility:
        """GET /siret/code-insee:{siret}."""
        answer = self._ask("GET", f"siret/code-insee:{siret}", params={"include": "siren"})
        return _read(Facility, _object(answer))

    def routing_code(self, siret: str, identifier: str) -> RoutingCode:
        """GET /routing-code/siret:{siret}/code:{identifier}."""
        path = f"routing-code/siret:{siret}/code:{quote(identifier, safe='')}"
        return _read(RoutingCode, _object(self._ask("GET", path, params={"include": "siren,siret"})))

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        organisation = {"Organization-Id": self.remote_organisation} if self.remote_organisation else {}
        try:
            answer = self.transport.send(
                method,
                f"{self.url}/{path}",
                max_bytes=_MAX_BYTES,
                effects=False,
                auth=self.auth,
                headers={"Request-Id": str(uuid4()), **organisation},
                **request,
            )
        except PlatformError as error:
            if isinstance(error.__cause__, httpx.TimeoutException):
                raise DirectoryTimeoutError from error
            raise DirectoryUnavailableError(str(error)) from error
        if not answer.is_done:
            raise _refusal(answer, path)
        return answer


def _refusal(answer: Answer, path: str) -> FlowError:
    match answer.status:
        case HTTPStatus.NOT_FOUND:
            return DirectoryEntryNotFoundError(path)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            return DirectoryRefusedError(answer.reason)
        case HTTPStatus.REQUEST_TIMEOUT:
            return DirectoryTimeoutError()
        case HTTPStatus.TOO_MANY_REQUESTS:
            return DirectoryBusyError()
        case HTTPStatus.NOT_IMPLEMENTED:
            return DirectoryNotOfferedError()
        case _:
            return DirectoryUnavailableError(answer.reason)


def _object(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer, if all its texts can be stored."""
    if rb"\u0000" in answer.content:  # PostgreSQL keeps no NUL
        raise DirectoryUnavailableError("the answer holds a NUL character")
    try:
        content = from_json(answer.content)
    except ValueError as error:
        raise DirectoryUnavailableError(f"the answer is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise DirectoryUnavailableError("the answer is no JSON object")
    return content


def _read(entry: type[EntryT], content: Any) -> EntryT:
    try:
        return entry.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise DirectoryUnavailableError(f"{place}: {first['msg']}") from error
