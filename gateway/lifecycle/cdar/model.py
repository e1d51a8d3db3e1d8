"""The lifecycle message in the terms of the norm: each field carries its MDT number.

An absent text is "", an absent value None. Codes are kept as written, without outer spaces.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.kernel.clock import paris_instant
from gateway.kernel.text import Text

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}

#: Roles the rules turn on (UNCL 3035); all of them are in `schemas/lifecycle.toml`.
ROLE_SELLER = "SE"
ROLE_BUYER = "BY"
ROLE_PLATFORM = "WK"
ROLE_PUBLIC_PORTAL = "DFH"

#: UNCL 2379 date formats met in CDAR, with their length and their meaning.
_PATTERNS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}

#: Years a message may speak of: 1900 is the placeholder of the public portal; the far ends cannot change time zone.
_YEARS = range(1900, 9999)


def mdt(terms: str, meaning: str, default: object = "") -> Any:
    """A field of the message: its MDT number(s), its meaning, its value when absent."""
    return Field(default=default, description=f"{terms}: {meaning}", json_schema_extra={"term": terms})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CdarDate(_Part):
    """A date or an instant as written, with what it means."""

    raw: str = Field(description="The characters received: the proof, whatever their meaning.")
    format: str = Field(default="204", description="UNCL 2379: 204 to the second, 203 to the minute, 102 a day.")

    @property
    def wall_clock(self) -> datetime | None:
        """The naive wall-clock time written, None when the characters are no date."""
        pattern = _PATTERNS.get(len(self.raw)) if re.fullmatch(r"[0-9]+", self.raw) else None
        try:
            moment = datetime.strptime(self.raw, pattern) if pattern else datetime.fromisoformat(self.raw)  # noqa: DTZ007
        except ValueError:
            return None
        return moment if moment.year in _YEARS else None

    @property
    def instant(self) -> datetime | None:
        """The instant in UTC. Without an offset, which format 204 never has, the time is read as Europe/Paris."""
        moment = self.wall_clock
        if moment is None:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else paris_instant(moment)

    @property
    def day(self) -> date | None:
        """The calendar day written."""
        return self.wall_clock.date() if self.wall_clock else None


class Identifier(_Part):
    """An identifier in a scheme: 0002 SIREN, 0009 SIRET, 0225 e-address, 0238 platform…"""

    scheme: str = Field(default="", description="@schemeID, ISO 6523 or EAS code.")
    value: str


class Party(_Part):
    """A party of the message or of the invoice it speaks of."""

    ids: tuple[Identifier, ...] = mdt("MDT-18, 19, 37, 38, 56, 57, 129, 130", "identifiers and schemes", ())
    name: str = mdt("MDT-20, 39, 58", "name")
    role: str = mdt("MDT-21, 40, 59, 132, 158", "role, UNCL 3035")
    address: Identifier | None = mdt("MDT-73, 73-1", "electronic address and its scheme", None)

    def id_in(self, scheme: str) -> str:
        """The identifier in a scheme, "" when the party has none."""
        return next((each.value for each in self.ids if each.scheme == scheme), "")


class Attachment(_Part):
    """A document joined to the status."""

    filename: str = mdt("MDT-96 @filename", "file name")
    mime_type: str = mdt("MDT-96 @mimeCode", "MIME type")
    content: bytes = mdt("MDT-96", "content, decoded", b"")

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class Characteristic(_Part):
    """One piece of data of a status: an amount collected, a wrong value, a bank account (MDG-43)."""

    term: str = mdt("MDT-206", "business term concerned, such as BT-152")
    type_code: str = mdt("MDT-207", "MEN, MPA, RAP, MNATTC, DIV, DVA…")
    changed: bool | None = mdt("MDT-209", "whether the value is changed", None)
    name: str = mdt("MDT-211", "name of the data")
    location: str = mdt("MDT-213", "XPath of the data in the invoice")
    value: str = mdt("MDG-43 ram:Value", "value in words: wrong data, expected data, bank account")
    amount: Decimal | None = mdt("MDT-215", "amount, negative for a refund", None)
    currency: str = mdt("MDT-216", "currency of the amount")
    on: CdarDate | None = mdt("MDT-219", "date of the fact, such as the payment date", None)
    percent: Decimal | None = mdt("MDT-224", "VAT rate of the amount, in percent", None)


class Note(_Part):
    """A comment on a status. Which of MDT-125 and MDT-127 each code holds is not settled by public texts."""

    content: str = mdt("MDT-126", "comment; a refusal or a refund says why here")
    content_code: str = mdt("MDT-125", "identifier of the rule broken")
    subject_code: str = mdt("MDT-127", "place of the data")


class StatusDetail(_Part):
    """One reason of the status with what is asked and the data behind it (MDG-37)."""

    reason_code: str = mdt("MDT-113", "reason")
    reason: str = mdt("MDT-114", "reason in words")
    status_code: str = mdt("MDT-115", "status the detail belongs to, when it differs (history)")
    action_code: str = mdt("MDT-121", "action expected")
    action: str = mdt("MDT-122", "action in words")
    sequence: int | None = mdt("MDT-124-2", "number of the detail, required by BR-FR-CDV-16", None)
    notes: tuple[Note, ...] = mdt("MDT-125, 126, 127", "comments", ())
    characteristics: tuple[Characteristic, ...] = mdt("MDG-43", "data", ())


class ReferencedDocument(_Part):
    """The invoice (or flow, or status) the message speaks of, and the status it is given."""

    number: str = mdt("MDT-87", "invoice number, BT-1")
    uncl_code: str = mdt("MDT-88", "status in UNCL 1373")
    type_code: str = mdt("MDT-91", "invoice type, BT-3")
    global_id: Identifier | None = mdt("MDT-92", "global identifier of the object", None)
    received: CdarDate | None = mdt("MDT-95", "when this side received the invoice", None)
    attachments: tuple[Attachment, ...] = mdt("MDT-96", "documents joined", ())
    reference_type: str = mdt("MDT-97", "URN of the reference")
    issued: CdarDate | None = mdt("MDT-100", "invoice date, BT-2", None)
    status_code: str = mdt("MDT-105", "status")
    status_label: str = mdt("MDT-106", "label of the status as written")
    seller: Party | None = mdt("MDT-129, 130, 132", "seller of the invoice", None)
    parties: tuple[Party, ...] = mdt("MDT-158", "other parties of the invoice", ())
    details: tuple[StatusDetail, ...] = mdt("MDG-37", "reasons, actions, data", ())


class Deviation(_Part):
    """A departure from the norm that the reader accepted."""

    code: str = Field(description="Stable identifier.")
    term: str = Field(description="The MDT concerned.")
    text: Text


class CdarMessage(_Part):
    """One lifecycle message (CDV), as exchanged between platforms or with the public portal."""

    process: str = mdt("MDT-2", "process type, REGULATED between platforms")
    profile: str = mdt("MDT-3", "profile URN")
    message_id: str = mdt("MDT-4", "message identifier: shown, never trusted alone as a key")
    name: str = mdt("MDT-5", "message name")
    issued: CdarDate | None = mdt("MDT-8", "when the message was made", None)
    sender: Party | None = mdt("MDG-9", "sending platform", None)
    issuer: Party | None = mdt("MDT-37 to 40", "who set the status", None)
    recipients: tuple[Party, ...] = mdt("MDT-56 to 73", "to whom", ())
    multiple: bool = mdt("MDT-74", "several references", False)
    phase: str = mdt("MDT-77", "305 transmission, 23 treatment")
    status_at: CdarDate | None = mdt("MDT-78", "when the status was set", None)
    documents: tuple[ReferencedDocument, ...] = mdt("MDT-87 to 224", "documents referenced", ())
    deviations: tuple[Deviation, ...] = Field(default=(), description="What the reader had to tolerate.")
