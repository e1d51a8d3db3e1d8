"""The immutable event: one status given to one document, as the pure rules read it."""

import json
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gateway.kernel.clock import paris_date
from gateway.lifecycle.cdar.model import ROLE_PLATFORM, CdarMessage, Characteristic, ReferencedDocument, StatusDetail
from gateway.lifecycle.correlation import InvoiceKey, key_of
from gateway.lifecycle.statuses import StateLine, Status, status

OrderKey = tuple[datetime, datetime, str, str]


class StatusEvent(BaseModel):
    """One status given to one document.

    Attributes:
        fingerprint: sha256 over what makes the event (see `fingerprint_of`): two events with one fingerprint are one.
        key: the invoice spoken of, maybe incomplete.
        code: MDT-105, known or not.
        label: MDT-106 as written.
        line: the state line it moves.
        status_at: UTC instant of MDT-78; of MDT-8, else of reception, when it is absent or unreadable.
        message_at: UTC instant of MDT-8, else of reception.
        message_id: MDT-4.
        issuer_role, issuer_name, issuer_id: who set the status (MDT-40, 39, 38).
        recipient_roles: MDT-59 of each recipient: the seller alone, or both parties.
        details: reasons, requested actions, comments and data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str
    key: InvoiceKey
    code: str
    label: str = ""
    line: StateLine
    status_at: AwareDatetime
    message_at: AwareDatetime
    message_id: str = ""
    issuer_role: str = ""
    issuer_name: str = ""
    issuer_id: str = ""
    recipient_roles: tuple[str, ...] = ()
    details: tuple[StatusDetail, ...] = ()

    @property
    def status(self) -> Status:
        """The catalogue entry of the code, as in force on the day of the status."""
        return status(self.code, self.day)

    @property
    def day(self) -> date:
        """The day of the status (MDT-78, Europe/Paris), which decides what holds for it."""
        return paris_date(self.status_at)

    @property
    def order_key(self) -> OrderKey:
        """Place in the history: status date, then message date, then message id, then fingerprint for a total order."""
        return (self.status_at, self.message_at, self.message_id, self.fingerprint)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reason codes (MDT-113) of this status, in the order given, each once."""
        return tuple(dict.fromkeys(detail.reason_code for detail in self.own_details if detail.reason_code))

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions asked for (MDT-121), in the order given, each once."""
        return tuple(dict.fromkeys(detail.action_code for detail in self.own_details if detail.action_code))

    @property
    def comment(self) -> str:
        """The comments (MDT-126), one a line."""
        return "\n".join(note.content for detail in self.own_details for note in detail.notes if note.content)

    @property
    def own_details(self) -> tuple[StatusDetail, ...]:
        """The details of this status; those that recall another one (MDT-115) are history."""
        return _own_details(self.code, self.details)

    def data(self, *type_codes: str) -> tuple[Characteristic, ...]:
        """The pieces of data of the given types (MDT-207), in the order given."""
        return tuple(
            data for detail in self.own_details for data in detail.characteristics if data.type_code in type_codes
        )


def events_of(message: CdarMessage, received_at: datetime) -> tuple[StatusEvent, ...]:
    """One event for each document the message refers to. `received_at`, aware, stands in for absent dates."""
    return tuple(_event(message, document, received_at) for document in message.documents)


def _event(message: CdarMessage, document: ReferencedDocument, received_at: datetime) -> StatusEvent:
    message_at = (message.issued.instant if message.issued else None) or received_at
    status_at = (message.status_at.instant if message.status_at else None) or message_at
    issuer = message.issuer
    return StatusEvent(
        fingerprint=fingerprint_of(message, document),
        key=key_of(document),
        code=document.status_code,
        label=document.status_label,
        line=status(document.status_code, paris_date(status_at)).line_for(
            frozenset(detail.reason_code for detail in _own_details(document.status_code, document.details)) - {""}
        ),
        status_at=status_at,
        message_at=message_at,
        message_id=message.message_id,
        issuer_role=issuer.role if issuer else "",
        issuer_name=issuer.name if issuer else "",
        issuer_id=issuer.ids[0].value if issuer and issuer.ids else "",
        recipient_roles=tuple(party.role for party in message.recipients),
        details=document.details,
    )


def fingerprint_of(message: CdarMessage, document: ReferencedDocument) -> str:
    """sha256 (hexadecimal) of what makes an event: invoice key, status, its date as written, issuer, reasons, data.

    Message id, message date, recipients and wording are left out: platforms repeat a status under new ones, and MDT-4
    is not reliably unique. A platform's own identifier is left out too, since it signs only the copy to the portal.
    """
    issuer = message.issuer
    treatment_issuer = issuer.ids[0].value if issuer and issuer.ids and issuer.role != ROLE_PLATFORM else ""
    key = key_of(document)
    written = message.status_at or message.issued
    content = [
        [key.number, key.seller_siren, key.year],
        document.status_code,
        written.raw if written else "",
        [issuer.role if issuer else "", treatment_issuer],
        sorted(_detail_content(detail) for detail in document.details),
    ]
    return sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _own_details(code: str, details: tuple[StatusDetail, ...]) -> tuple[StatusDetail, ...]:
    return tuple(detail for detail in details if detail.status_code in ("", code))


def _detail_content(detail: StatusDetail) -> list[object]:
    data = sorted(
        [
            each.type_code,
            each.term,
            each.value,
            _plain(each.amount),
            each.currency,
            _plain(each.percent),
            each.on.raw if each.on else "",
        ]
        for each in detail.characteristics
    )
    return [detail.reason_code, detail.status_code, detail.action_code, data]


def _plain(number: Decimal | None) -> str:
    """A number whatever its trailing zeros: 100.0 and 100.00 are one amount."""
    return "" if number is None else f"{number.normalize() + 0:f}"
