"""What we want to tell of an invoice, and the messages that tell it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from stdnum import iban

from gateway.flows.emission.errors import (
    DataOfAnotherStatusError,
    RateNotOfInvoiceError,
    StatusNotOursError,
)
from gateway.flows.emission.portal import owes_portal_copy
from gateway.flows.platforms.errors import MissingPlatformNumberError
from gateway.invoices.model import Invoice
from gateway.invoices.parties import Party as InvoiceParty
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file
from gateway.kernel.identifiers import SCHEME_E_ADDRESS
from gateway.kernel.text import Text
from gateway.lifecycle.cdar.building import (
    GivenReason,
    InvoiceReference,
    bank_account,
    build_status,
    collected,
    company,
    not_approved,
    paid,
    public_portal,
)
from gateway.lifecycle.cdar.model import ROLE_BUYER, ROLE_SELLER, Attachment, CdarMessage, Characteristic, Party
from gateway.lifecycle.model import Direction, InvoiceRecord

_ROLES = {Direction.RECEIVABLE: Text("vendeur", "seller"), Direction.PAYABLE: Text("acheteur", "buyer")}
_Amount = Annotated[Decimal, Field(max_digits=19, decimal_places=2)]
_Iban = Annotated[str, Field(max_length=50), AfterValidator(iban.validate)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderedReason(_Part):
    """A reason to give."""

    code: str = Field(description="MDT-113, such as PU_ERR", max_length=50)
    action: str = Field(default="", description="MDT-121, what the other party should do, such as NIN", max_length=10)


class CollectedAmount(_Part):
    """Money received at one VAT rate."""

    rate: Decimal = Field(description="MDT-224: VAT rate in percent, one of the invoice’s (BT-119)", ge=0, le=100)
    amount: _Amount = Field(description="MDT-215: amount received, VAT included; negative for a refund")


class SentPayment(_Part):
    """A payment sent."""

    amount: _Amount = Field(description="MDT-215: amount sent, VAT included")
    on: date = Field(description="MDT-219: date of the payment")


class StatusOrder(_Part):
    """A status to give to an invoice."""

    status: str = Field(description="MDT-105", pattern=r"^\d{3}$")
    reasons: tuple[OrderedReason, ...] = Field(default=(), description="Required for some statuses", max_length=20)
    comment: str = Field(default="", description="MDT-126; required to the portal: 210, refunds", max_length=2000)
    collected: tuple[CollectedAmount, ...] = Field(default=(), description="Required for 212", max_length=50)
    paid: SentPayment | None = Field(default=None, description="For 211")
    not_approved: _Amount | None = Field(default=None, description="For 206 and 207: VAT included (MNATTC)")
    bank_account: _Iban | None = Field(default=None, description="For 225 and 227: IBAN to pay to from now on (CBB)")
    attachments: tuple[Attachment, ...] = Field(default=(), description="MDT-96, content in base64", max_length=20)
    at: AwareDatetime | None = Field(default=None, description="When the fact happened (MDT-78), to the second; now")
    to_portal: bool | None = Field(
        default=None, description="Whether the public portal gets a copy; by default when the law asks for it"
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """The invoice a status is given to: as followed, and as its file says."""

    record: InvoiceRecord
    invoice: Invoice

    @property
    def direction(self) -> Direction:
        """Ours to collect, or ours to pay."""
        return Direction(self.record.direction)


def messages_of(
    order: StatusOrder, subject: Subject, *, at: datetime, now: datetime, platform_number: str
) -> Iterator[CdarMessage]:
    """The message to the other party, then the copy to the public portal when one is owed or asked for.

    `at`: when the status was set; `now`: when the messages are made; `platform_number`: of the platform that signs the
    copy (scheme 0238), "" when it is not known. Raises StatusNotOursError, DataOfAnotherStatusError,
    RateNotOfInvoiceError, MissingPlatformNumberError, or a subclass of InvalidStatusMessageError on what the rules of
    the message forbid or require that day.
    """
    _check(order, subject)
    issuer, recipient = _parties(subject)

    def message(to: Party, attachments: tuple[Attachment, ...], number: str) -> CdarMessage:
        return build_status(
            _reference(subject),
            order.status,
            issuer=issuer,
            recipients=(to,),
            at=at,
            reasons=tuple(GivenReason(each.code, each.action) for each in order.reasons),
            amounts=tuple(_amounts(order, subject.record.currency)),
            comment=order.comment,
            attachments=attachments,
            sent_at=now,
            sending_platform=number,
        )

    yield message(recipient, order.attachments, "")
    owed = (
        owes_portal_copy(order.status, subject.invoice, paris_date(at)) if order.to_portal is None else order.to_portal
    )
    if owed and not platform_number:
        raise MissingPlatformNumberError
    if owed:
        yield message(public_portal(), (), platform_number)


def _check(order: StatusOrder, subject: Subject) -> None:
    rules = data_file("flows.toml")["own_status"]
    allowed = rules[subject.direction.value]
    if order.status not in allowed:
        raise StatusNotOursError(order.status, _ROLES[subject.direction], allowed)
    for field, carriers in rules["data"].items():
        if getattr(order, field) and order.status not in carriers:
            raise DataOfAnotherStatusError(field, order.status, carriers)
    rates = [Decimal(rate) for rate in subject.record.totals_by_rate]
    for part in order.collected:
        if rates and part.rate not in rates:
            raise RateNotOfInvoiceError(part.rate, rates)


def _parties(subject: Subject) -> tuple[Party, Party]:
    """Who speaks (us), and to whom."""
    record, invoice = subject.record, subject.invoice
    seller = _party(invoice.seller, record.seller_siren, ROLE_SELLER)
    buyer = _party(invoice.buyer, record.buyer_siren or "", ROLE_BUYER)
    return (seller, buyer) if subject.direction is Direction.RECEIVABLE else (buyer, seller)


def _party(party: InvoiceParty, siren: str, role: str) -> Party:
    """A party as the message names it, at the electronic address that the invoice gives (BT-34, BT-49)."""
    address = party.electronic_address
    return company(
        siren,
        role,
        party.name or "",
        address.value if address else "",
        (address.scheme if address else None) or SCHEME_E_ADDRESS,
    )


def _reference(subject: Subject) -> InvoiceReference:
    record = subject.record
    return InvoiceReference(
        number=record.number,
        issued=record.issue_date,
        seller_siren=record.seller_siren,
        type_code=record.type_code,
        received_at=record.received_at,
    )


def _amounts(order: StatusOrder, currency: str) -> Iterator[Characteristic]:
    for part in order.collected:
        yield collected(part.amount, part.rate, currency)
    if order.paid is not None:
        yield paid(order.paid.amount, order.paid.on, currency)
    if order.not_approved is not None:
        yield not_approved(order.not_approved, currency)
    if order.bank_account is not None:
        yield bank_account(order.bank_account)
