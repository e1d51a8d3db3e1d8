"""The wholesaler's billing and accounting system: it knows nothing but the API of the gateway."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from gateway.app.demo.script import Pushed
from gateway.app.demo.stage import Stage

_TIMEOUT_SECONDS = 60


class BillingSystem:
    """Speaks HTTP to a running gateway. What it tells twice is one thing there."""

    def __init__(self, stage: Stage, base_url: str) -> None:
        self._credentials = (stage.client_id, stage.client_secret)
        self._http = httpx.Client(base_url=base_url, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def push(self, file: Pushed) -> None:
        """Hand a file over, an invoice mostly."""
        content = {"file": (file.file_name, file.data, file.media_type)}
        self._post("/flow-service/v1/flows", data={"flowInfo": _flow_info(file)}, files=content)

    def import_customers(self, portfolio: bytes) -> None:
        """Tell terms, limits and contacts of customers, as a file."""
        self._post("/api/v1/customers/import", params={"dry_run": "false"}, content=portfolio)

    def agree_on_rate(self, customer: str, percent: Decimal, valid_from: date, source: str) -> None:
        """Tell the late-payment rate that was agreed with a customer; told twice, it is noted twice."""
        told = {"customer": customer, "percent": str(percent), "valid_from": valid_from.isoformat(), "source": source}
        self._post("/api/v1/agreed-rates", json=told)

    def claim_by_itself(self, customer: str, reason: str) -> None:
        """Choose that the penalties of a customer are to be claimed; told twice, it is noted twice."""
        self._post("/api/v1/penalty-choices", json={"treatment": "claimed", "customer": customer, "reason": reason})

    def record_receipt(self, reference: str, on: date, payer_reference: str, paid: Mapping[UUID, Decimal]) -> None:
        """Tell money received on a day, and what it pays of which invoice."""
        told = {
            "reference": reference,
            "received_on": on.isoformat(),
            "amount": str(sum(paid.values())),
            "payer_reference": payer_reference,
            "allocations": [{"invoice_id": str(each), "amount": str(amount)} for each, amount in paid.items()],
        }
        self._post("/api/v1/receipts", json=told)

    def claim_penalties(self, invoice_id: UUID, until: date) -> None:
        """Ask for what has run on an invoice up to a day, and for the indemnity."""
        self._post(f"/api/v1/invoices/{invoice_id}/penalties", json={"until": until.isoformat()})

    def _post(self, path: str, **content: Any) -> None:
        """With a new token when the day of the last one is over. Raises httpx.HTTPStatusError."""
        answer = self._http.post(path, **content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            grant = {"grant_type": "client_credentials"}
            token = self._http.post("/oauth2/token", data=grant, auth=self._credentials).raise_for_status().json()
            self._http.headers["Authorization"] = f"Bearer {token['access_token']}"
            answer = self._http.post(path, **content)
        answer.raise_for_status()


def _flow_info(file: Pushed) -> str:
    sha256 = hashlib.sha256(file.data).hexdigest()
    return json.dumps(
        {"name": file.file_name, "flowSyntax": _syntax(file), "trackingId": f"demo-{sha256[:24]}", "sha256": sha256}
    )


def _syntax(file: Pushed) -> str:
    if file.data.startswith(b"%PDF"):
        return "Factur-X"
    return "CII" if b"CrossIndustryInvoice" in file.data else "UBL"
