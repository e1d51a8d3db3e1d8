"""A small platform that speaks XP Z12-013 as the standard says, written for tests: it lives in memory, over HTTP."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import unquote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT_ID, SECRET = "client é", "s3cret:&"
BASE = "http://localhost"
FLOW_URL, TOKEN_URL = f"{BASE}/flow-service/v1", f"{BASE}/oauth2/token"


@dataclass
class Held:
    """A flow as the platform holds it."""

    info: dict
    data: bytes


@dataclass
class StandardServer:
    """The platform.

    `faults`: answers given instead of its own, the first first; None: its own. `lost`: answers given after it has done
    what was asked.
    """

    now: Callable[[], datetime]
    token_auth: str = "basic"
    by_date: bool = False
    ignores_tracking_id: bool = False
    #: Searches by type, processing rule and acknowledgement list everything.
    ignores_kinds: bool = False
    shows: tuple[str, ...] = ("trackingId", "sha256")
    faults: list[Response | None] = field(default_factory=list)
    lost: list[Response] = field(default_factory=list)
    flows: dict[str, Held] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    asked_for_tokens: int = 0
    requests: list[Request] = field(default_factory=list)

    def offer(self, name: str, data: bytes, at: datetime) -> None:
        """Put a lifecycle message for the client into the list."""
        self._hold(name, {"name": name, "flowSyntax": "CDAR", "flowType": "CustomerInvoiceLC"}, data, "In", at)

    def acknowledge(self, flow_id: str, status: str, details: list[dict], at: datetime) -> None:
        """Say what it made of a flow that the client handed over."""
        acknowledgement = {"status": status} | ({"details": details} if details else {})
        self.flows[flow_id].info |= {"acknowledgement": acknowledgement, "updatedAt": at.isoformat()}

    def out(self) -> list[Held]:
        """What the client has handed over."""
        return [held for held in self.flows.values() if held.info["flowDirection"] == "Out"]

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/flow-service/v1/healthcheck", self._served(self._health)),
                Route("/flow-service/v1/flows", self._served(self._submit), methods=["POST"]),
                Route("/flow-service/v1/flows/search", self._served(self._search), methods=["POST"]),
                Route("/flow-service/v1/flows/{flow_id:path}", self._served(self._download)),
            ]
        )

    def _served(self, serve):
        async def endpoint(request: Request) -> Response:
            self.requests.append(request)
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self.tokens.get(token, datetime.min.replace(tzinfo=UTC)) <= self.now():
                return _error(401, "INVALID_TOKEN")
            fault = self.faults.pop(0) if self.faults else None
            if fault is not None:
                return fault
            answer = await serve(request)
            return self.lost.pop(0) if self.lost else answer

        return endpoint

    async def _token(self, request: Request) -> Response:
        self.asked_for_tokens += 1
        if self.token_auth == "json":
            given = await request.json()
        else:
            async with request.form() as form:
                given = dict(form)
        if self.token_auth == "basic":
            pair = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            given["client_id"], given["client_secret"] = map(unquote_plus, pair.split(":"))
        if (given["client_id"], given["client_secret"]) != (CLIENT_ID, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        assert given["grant_type"] == "client_credentials"
        token = f"token-{self.asked_for_tokens}"
        self.tokens[token] = self.now() + timedelta(hours=1)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    async def _health(self, _request: Request) -> Response:
        return Response()

    async def _submit(self, request: Request) -> Response:
        async with request.form() as form:
            info, data = json.loads(str(form["flowInfo"])), await form["file"].read()
        if sha256(data).hexdigest() != info.get("sha256"):
            return _error(400, "CHECKSUM_MISMATCH")
        if not data.startswith((b"<", b"%PDF-")):
            return _error(400, "UNPROCESSABLE_ENTITY", "this is no invoice")
        flow_id = f"flow/{len(self.flows) + 1} é"
        self._hold(flow_id, {**info, "flowType": "CustomerInvoice"}, data, "Out", self.now())
        return JSONResponse({**info, "flowId": flow_id, "submittedAt": self.now().isoformat()}, 202)

    async def _search(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        where = asked["where"]
        found = [held.info for held in self.flows.values() if held.info["flowDirection"] in where["flowDirection"]]
        if "trackingId" in where and not self.ignores_tracking_id:
            found = [info for info in found if info.get("trackingId") == where["trackingId"]]
        if "updatedAfter" in where:
            after = datetime.fromisoformat(where["updatedAfter"])
            found = [info for info in found if datetime.fromisoformat(info["updatedAt"]) > after]
        if "updatedBefore" in where:
            before = datetime.fromisoformat(where["updatedBefore"])
            found = [info for info in found if datetime.fromisoformat(info["updatedAt"]) < before]
        for criterion in ("flowType", "processingRule"):
            if criterion in where and not self.ignores_kinds:
                found = [info for info in found if info.get(criterion, "Undefined") in where[criterion]]
        if "ackStatus" in where and not self.ignores_kinds:
            found = [info for info in found if info["acknowledgement"]["status"] == where["ackStatus"]]
        found.sort(key=lambda info: info["updatedAt"])
        start, limit = int(asked.get("cursor", 0)), asked["limit"]
        page = {"limit": limit, "results": [self._shown(info) for info in found[start : start + limit]]}
        if start + limit < len(found) and not self.by_date:
            page["nextCursor"] = str(start + limit)
        return JSONResponse(page)

    async def _download(self, request: Request) -> Response:
        held = self.flows.get(request.path_params["flow_id"])
        if held is None:
            return _error(404, "MISSING_RESOURCE")
        if request.query_params["docType"] == "Metadata":
            return JSONResponse(self._shown(held.info))
        assert request.query_params["docType"] == "Original"
        return Response(held.data, media_type="application/octet-stream")

    def _hold(self, flow_id: str, info: dict, data: bytes, direction: str, at: datetime) -> None:
        told = {"flowId": flow_id, "flowDirection": direction, "updatedAt": at.isoformat()}
        told["acknowledgement"] = {"status": "Pending" if direction == "Out" else "Ok"}
        self.flows[flow_id] = Held({**info, **told}, data)

    def _shown(self, info: dict) -> dict:
        hidden = {"trackingId", "sha256"} - set(self.shows)
        return {key: value for key, value in info.items() if key not in hidden}


def _error(status: int, code: str, message: str = "") -> Response:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status)
