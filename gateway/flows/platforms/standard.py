"""A platform that speaks XP Z12-013 (Flow Service 1.3.0) over HTTP; its profile says how it departs from it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import structlog

from gateway.flows.errors import PlatformAmbiguousError
from gateway.flows.platforms.client import (
    FlowPage,
    OutgoingFlow,
    PlatformAcknowledgement,
    PlatformFlow,
    SentFlow,
    Sighting,
)
from gateway.flows.platforms.crowded import TINY, flows_of_crowded_instant
from gateway.flows.platforms.errors import PlatformAnswerError, PlatformFileTooLargeError
from gateway.flows.platforms.profile import PlatformProfile
from gateway.flows.platforms.session import PlatformSession
from gateway.flows.platforms.sightings import sighting_of
from gateway.flows.terms import AckStatus, DocType, FlowDirection
from gateway.kernel.text import printable
from gateway.lifecycle.deliveries import Remark

_LONGEST_NAME = 255
_UNDEFINED = "Undefined"
#: The clocks of two machines differ, and a flow may bear the instant at which its file began to arrive.
_CLOCK_MARGIN = timedelta(minutes=5)
#: What is kept of an acknowledgement, for people to read.
_MOST_REMARKS, _LONGEST_REMARK = 50, 1000
_log = structlog.get_logger(__name__)


class StandardPlatform:
    """A `PlatformClient` over HTTP. Threads may share it."""

    def __init__(
        self, session: PlatformSession, profile: PlatformProfile, flow_url: str, *, max_download_bytes: int
    ) -> None:
        """`flow_url`: address of the Flow Service with its version, such as https://…/flow-service/v1."""
        self._session = session
        self._profile = profile
        self._url = flow_url.rstrip("/")
        self._max_download_bytes = max_download_bytes

    @property
    def visible_within(self) -> timedelta:
        """How long after its submission a flow may be missing from a search."""
        return self._profile.visible_within

    def submit(self, flow: OutgoingFlow) -> str:
        """Hand over a file (POST /flows) and return its flowId."""
        if len(flow.data) > self._profile.max_file_bytes:
            raise PlatformFileTooLargeError(flow.name, self._profile.max_file_bytes)
        name = _short(flow.name)
        answer = self._session.call(
            "POST",
            f"{self._url}/flows",
            effects=True,
            files={
                "flowInfo": (None, json.dumps(_info(flow, name)), "application/json"),
                "file": (name, flow.data, "application/pdf" if flow.data[:5] == b"%PDF-" else "application/xml"),
            },
        )
        try:
            flow_id = answer.object().get("flowId")
        except PlatformAnswerError as error:
            raise PlatformAmbiguousError(str(error.what.en)) from error
        if not isinstance(flow_id, str) or not flow_id:
            raise PlatformAmbiguousError(f"it answers {answer.status} without a flowId")
        return flow_id

    def look_up(self, flow: SentFlow) -> Sighting:
        """Whether the platform holds a flow: by its trackingId, or among what it lists since the flow left."""
        where: dict[str, Any] = {"flowDirection": [FlowDirection.OUT.value]}
        if self._profile.tracking_id_search:
            where["trackingId"] = flow.tracking_id
        else:
            where["updatedAfter"] = _instant(flow.left_at - _CLOCK_MARGIN)
        return sighting_of(SentFlow(flow.tracking_id, _short(flow.name), flow.sha256, flow.left_at), self._all(where))

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """A page of the flows for us and from us (POST /flows/search)."""
        where: dict[str, Any] = {"flowDirection": self._profile.listed_directions}
        if updated_after is not None:
            where["updatedAfter"] = _instant(updated_after)
        return self._page(where, cursor)

    def read(self, flow_id: str) -> PlatformFlow:
        """One flow as it is now (GET /flows/{flowId}?docType=Metadata)."""
        answer = self._session.call(
            "GET", self._address(flow_id), service=False, params={"docType": DocType.METADATA.value}
        )
        flow = _listed(answer.object())
        if flow is None or flow.flow_id != flow_id:
            raise PlatformAnswerError("it shows another flow than the one asked for")
        return flow

    def download(self, flow_id: str) -> bytes:
        """The original file of a flow (GET /flows/{flowId}?docType=…)."""
        return self._session.call(
            "GET",
            self._address(flow_id),
            service=False,
            max_bytes=self._max_download_bytes,
            params={"docType": self._profile.original},
        ).content

    def check(self) -> None:
        """Make sure that the platform answers (GET /healthcheck) and lets us read our flows."""
        self._session.call("GET", f"{self._url}/healthcheck")
        self._page({"flowDirection": [FlowDirection.IN.value]}, None)

    def _address(self, flow_id: str) -> str:
        return f"{self._url}/flows/{quote(flow_id, safe='')}"

    def _all(self, where: dict[str, Any]) -> Iterator[PlatformFlow]:
        cursor = None
        while True:
            page = self._page(where, cursor)
            yield from page.flows
            if page.next_cursor is None or page.next_cursor == cursor:
                return
            cursor = page.next_cursor

    def _page(self, where: dict[str, Any], cursor: str | None) -> FlowPage:
        asked: dict[str, Any] = {"where": where, "limit": self._profile.page_limit}
        by_date = self._profile.paging == "updated_after"
        if cursor is not None and by_date:
            asked["where"] = where | {"updatedAfter": cursor}
        elif cursor is not None:
            asked["cursor"] = cursor
        flows, next_cursor = self._asked(asked)
        if not by_date:
            return FlowPage(flows, next_cursor)
        if len(flows) < self._profile.page_limit:
            return FlowPage(flows)
        # More flows may share the newest updatedAt: the next page starts just before it, the one after that behind it.
        newest = max(flow.updated_at for flow in flows)
        if cursor is None or datetime.fromisoformat(cursor) < newest - TINY:
            return FlowPage(flows, _instant(newest - TINY))
        instant = where | {"updatedAfter": _instant(newest - TINY), "updatedBefore": _instant(newest + TINY)}
        limit = self._profile.page_limit
        crowd = flows_of_crowded_instant(
            lambda part: self._asked({"where": part, "limit": limit})[0], instant, flows, limit
        )
        return FlowPage(crowd, _instant(newest))

    def _asked(self, search: dict[str, Any]) -> tuple[tuple[PlatformFlow, ...], str | None]:
        """The flows of one search, and the nextCursor that the platform gives."""
        told = self._session.call("POST", f"{self._url}/flows/search", json=search).object()
        results = told.get("results") or []
        if not isinstance(results, list):
            raise PlatformAnswerError("its list of flows is no list")
        return tuple(flow for flow in map(_listed, results) if flow is not None), told.get("nextCursor") or None


def _info(flow: OutgoingFlow, name: str) -> dict[str, str]:
    """The flowInfo of a submission; what is undefined is left for the platform to compute."""
    told = {
        "flowSyntax": flow.flow_syntax,
        "name": name,
        "trackingId": flow.tracking_id,
        "sha256": sha256(flow.data).hexdigest(),
        "processingRule": flow.processing_rule,
        "flowProfile": flow.flow_profile,
    }
    return {key: value for key, value in told.items() if value and value != _UNDEFINED}


def _short(name: str) -> str:
    """A file name of at most 255 characters, which keeps its extension."""
    if len(name) <= _LONGEST_NAME:
        return name
    extension = PurePath(name).suffix[:10]
    return name[: _LONGEST_NAME - len(extension)] + extension


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _listed(told: Any) -> PlatformFlow | None:
    """A flow as listed; one without identifier or instant cannot be fetched or placed: it is said and left out.

    A platform that tells no direction lists what is for us.
    """
    try:
        updated_at = datetime.fromisoformat(told["updatedAt"])
        return PlatformFlow(
            flow_id=str(told["flowId"]),
            name=str(told.get("name") or told["flowId"]),
            flow_syntax=str(told.get("flowSyntax") or ""),
            flow_type=str(told.get("flowType") or ""),
            updated_at=updated_at if updated_at.tzinfo else updated_at.replace(tzinfo=UTC),
            tracking_id=told.get("trackingId") or None,
            sha256=told.get("sha256") or None,
            direction=FlowDirection(told.get("flowDirection") or FlowDirection.IN),
            acknowledgement=_acknowledgement(told.get("acknowledgement")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        _log.error("platform_flow_unlistable", told=str(told)[:500])
        return None


def _acknowledgement(told: Any) -> PlatformAcknowledgement | None:
    """An acknowledgement as told; None for what is none. A remark may lack what the standard requires of it."""
    if not isinstance(told, dict) or told.get("status") not in set(AckStatus):
        return None
    details = told.get("details")
    remarks = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    return PlatformAcknowledgement(AckStatus(told["status"]), tuple(map(_remark, remarks[:_MOST_REMARKS])))


def _remark(told: dict[str, Any]) -> Remark:
    def said(name: str) -> str:
        words = str(told.get(name) or "").encode("utf-8", "replace").decode()
        return printable(" ".join(words.split()))[:_LONGEST_REMARK]

    return Remark(level=said("level"), item=said("item"), reason_code=said("reasonCode"), message=said("reasonMessage"))
