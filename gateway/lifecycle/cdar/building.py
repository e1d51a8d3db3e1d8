"""Statuses to messages: the CDAR that a platform, a buyer or a seller sends for one status of one invoice.

What the rules forbid is refused here with the name of the rule, before anything is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from gateway.kernel.clock import PARIS, paris_date, require_aware
from gateway.kernel.dated import data_file
from gateway.kernel.identifiers import SCHEME_PLATFORM, SCHEME_SIREN
from gateway.kernel.text import Text
from gateway.lifecycle.catalogue import entry
from gateway.lifecycle.cdar.model import (
    ROLE_PLATFORM,
    ROLE_PUBLIC_PORTAL,
    ROLE_SELLER,
    Attachment,
    CdarDate,
    CdarMessage,
    Characteristic,
    Identifier,
    Note,
    Party,
    ReferencedDocument,
    StatusDetail,
)
from gateway.lifecycle.errors import (
    MissingRecipientError,
    MissingStatusDataError,
    NotForPublicPortalError,
    ReasonNotAllowedError,
    UnknownStatusError,
    WrongIssuerError,
)
from gateway.lifecycle.reasons import allowed_reasons, label
from gateway.lifecycle.reasons import reason as reason_of
from gateway.lifecycle.requirements import Datum, carried, first_missing
from gateway.lifecycle.statuses import Phase, Status
from gateway.lifecycle.statuses import status as status_of

#: In `Status.set_by`: a status that nobody writes for the public portal.
_PORTAL_ONLY = ("public_portal",)

#: MDT-91 of a referenced object that is itself a status: annex 7, G7.15.
_STATUS_MESSAGE = "305"


@dataclass(frozen=True, slots=True)
class InvoiceReference:
    """The invoice a status is given to.

    Attributes:
        number: BT-1, MDT-87.
        issued: BT-2, MDT-100.
        seller_siren: BT-30, MDT-129.
        type_code: BT-3, MDT-91.
        received_at: when the side that speaks received the invoice (MDT-95), aware.
    """

    number: str
    issued: date
    seller_siren: str
    type_code: str = "380"
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GivenReason:
    """A reason to give: its code (MDT-113), the action asked for (MDT-121), and the data that show it (MDG-43)."""

    code: str
    action: str = ""
    data: tuple[Characteristic, ...] = ()


def platform() -> Party:
    """A platform as it appears between platforms: by its role alone."""
    return Party(role=ROLE_PLATFORM)


def company(siren: str, role: str, name: str = "", address: str = "", address_scheme: str = "0225") -> Party:
    """A company under one of its roles, with its SIREN and, to receive messages, its electronic address."""
    return Party(
        ids=(Identifier(scheme=SCHEME_SIREN, value=siren),),
        name=name,
        role=role,
        address=Identifier(scheme=address_scheme, value=address) if address else None,
    )


def public_portal() -> Party:
    """The public portal as a recipient."""
    matricule = data_file("lifecycle.toml")["ppf"]["matricule"]
    return Party(ids=(Identifier(scheme=SCHEME_PLATFORM, value=matricule),), role=ROLE_PUBLIC_PORTAL)


def collected(amount: Decimal, rate: Decimal, currency: str = "EUR") -> Characteristic:
    """An amount with VAT received at one VAT rate (MEN), negative for a refund."""
    return Characteristic(type_code="MEN", changed=False, amount=amount, currency=currency, percent=rate)


def paid(amount: Decimal, on: date, currency: str = "EUR") -> Characteristic:
    """A payment sent by the buyer (MPA), at its date."""
    return Characteristic(type_code="MPA", changed=False, amount=amount, currency=currency, on=_day(on))


def not_approved(amount: Decimal, currency: str = "EUR") -> Characteristic:
    """The amount with VAT that the buyer does not approve (MNATTC)."""
    return Characteristic(type_code="MNATTC", changed=False, amount=amount, currency=currency)


def bank_account(iban: str) -> Characteristic:
    """The bank account to pay to (CBB), by its IBAN."""
    return Characteristic(type_code="CBB", changed=True, value=iban)


def build_status(
    invoice: InvoiceReference,
    status: str,
    *,
    issuer: Party,
    recipients: Sequence[Party],
    at: datetime,
    reasons: Sequence[GivenReason] = (),
    amounts: Sequence[Characteristic] = (),
    comment: str = "",
    attachments: Sequence[Attachment] = (),
    sent_at: datetime | None = None,
    sending_platform: str = "",
) -> CdarMessage:
    """The message that gives `status` to `invoice`.

    Between platforms by default; to the public portal when `recipients` is `public_portal()` alone, and then
    `sending_platform`, the platform's four-digit number, is written as sender (annex 7, G7.54).

    Args:
        status: MDT-105, one of the catalogue.
        issuer: who sets the status: `platform()` for a transmission status, a company with its SIREN for a treatment
            one, `public_portal()` for a 601, whose `invoice` then stands for the rejected status message.
        recipients: one or more; each but platforms with an electronic address.
        at: when the status was set (MDT-78), aware. `sent_at`: when the message was made (MDT-8), `at` by default.
        reasons: of those that the status may carry that day.
        amounts: data that belong to no reason.

    What must be given, and whether the status and its reasons exist, is what the catalogue says of the day of `at`.

    The message id is a digest of the whole content, microseconds of `at` and `sent_at` included: the same call gives
    the same id, two partial receipts of one day never do. Raises a subclass of InvalidStatusMessageError, or ValueError
    on a naive instant.
    """
    on = paris_date(at)
    known = status_of(status, on)
    to_portal = [party.role for party in recipients] == [ROLE_PUBLIC_PORTAL]
    _check(known, issuer, recipients, reasons, on)
    if to_portal:
        _check_for_portal(known, amounts, attachments, on)
    _check_data(known, carried(reasons, amounts, comment, attachments), amounts, to_portal, on)
    profiles = data_file("lifecycle.toml")["profiles"]
    profile = profiles["status_message" if known.object == "status_message" else "ppf" if to_portal else "parties"]
    matricule = (Identifier(scheme=SCHEME_PLATFORM, value=sending_platform),) if sending_platform else ()
    sender = issuer if issuer.role == ROLE_PUBLIC_PORTAL else Party(ids=matricule, role=ROLE_PLATFORM)
    message = CdarMessage(
        process="" if to_portal else "REGULATED",
        profile=profile,
        issued=_instant(sent_at or at),
        sender=sender,
        issuer=issuer.model_copy(update={"ids": matricule}) if issuer.role == ROLE_PLATFORM else issuer,
        recipients=tuple(recipients),
        phase=known.phase or "",
        status_at=_instant(at),
        documents=(
            ReferencedDocument(
                number=invoice.number,
                uncl_code=known.uncl,
                type_code=_STATUS_MESSAGE if known.object == "status_message" else invoice.type_code,
                received=_instant(invoice.received_at) if invoice.received_at else None,
                attachments=tuple(attachments),
                reference_type=profile,
                issued=_day(invoice.issued),
                status_code=known.code,
                status_label=known.label.fr,
                seller=Party(ids=(Identifier(scheme=SCHEME_SIREN, value=invoice.seller_siren),), role=ROLE_SELLER),
                details=_details(reasons, amounts, comment, on),
            ),
        ),
    )
    return message.model_copy(update={"message_id": _message_id(message, at, sent_at or at)})


def told_again(message: CdarMessage, *, sent_at: datetime, sending_platform: str = "") -> CdarMessage:
    """The same status to the same recipients in a new message of `sent_at`, under an identifier of its own.

    `sending_platform`: number of the platform that signs it now (scheme 0238); "" to keep the one it has.
    """
    sender = message.sender
    if sender is not None and sending_platform:
        sender = sender.model_copy(update={"ids": (Identifier(scheme=SCHEME_PLATFORM, value=sending_platform),)})
    new = message.model_copy(update={"issued": _instant(sent_at), "sender": sender, "deviations": ()})
    return new.model_copy(update={"message_id": _message_id(new, sent_at, sent_at)})


def _details(
    reasons: Sequence[GivenReason], amounts: Sequence[Characteristic], comment: str, on: date
) -> tuple[StatusDetail, ...]:
    """One detail for each reason, numbered from 1; the comment and the loose data go with the first."""
    given: Sequence[GivenReason] = reasons or ([GivenReason("")] if amounts or comment else [])
    return tuple(
        StatusDetail(
            reason_code=each.code,
            reason=reason_of(each.code, on).label.fr if each.code else "",
            action_code=each.action,
            action=label("action", each.action, on).fr if each.action else "",
            sequence=number,
            notes=(Note(content=comment),) if comment and number == 1 else (),
            characteristics=(each.data + tuple(amounts)) if number == 1 else each.data,
        )
        for number, each in enumerate(given, start=1)
    )


def _check(
    known: Status,
    issuer: Party,
    recipients: Sequence[Party],
    reasons: Sequence[GivenReason],
    on: date,
) -> None:
    if not known.known:
        raise UnknownStatusError(known.code, on)
    if not _may_issue(known, issuer):
        raise WrongIssuerError(known.code, portal_only=known.set_by == _PORTAL_ONLY)
    people = (party for party in recipients if party.role not in (ROLE_PLATFORM, ROLE_PUBLIC_PORTAL))
    if not recipients or any(party.address is None for party in people):
        raise MissingRecipientError
    allowed = allowed_reasons(known.code, on=on) if known.object != "status_message" else None
    for given in reasons:
        if allowed is not None and given.code not in allowed:
            raise ReasonNotAllowedError(known.code, given.code, allowed)


def _check_data(
    known: Status, there: frozenset[Datum], amounts: Sequence[Characteristic], to_portal: bool, on: date
) -> None:
    required = known.requires
    if to_portal:
        refund = any(data.amount is not None and data.amount < 0 for data in amounts)
        required += known.portal_requires + (known.portal_requires_of_refund if refund else ())
    missing = first_missing(required, there)
    if missing:
        raise MissingStatusDataError(known.code, [label("datum", each, on) for each in missing], on)


def _may_issue(known: Status, issuer: Party) -> bool:
    if known.set_by == _PORTAL_ONLY:
        return issuer.role == ROLE_PUBLIC_PORTAL
    if known.phase is Phase.TRANSMISSION:
        return issuer.role == ROLE_PLATFORM
    return issuer.role not in (ROLE_PLATFORM, ROLE_PUBLIC_PORTAL) and bool(issuer.id_in(SCHEME_SIREN))


def _check_for_portal(
    known: Status, amounts: Sequence[Characteristic], attachments: Sequence[Attachment], on: date
) -> None:
    if not known.to_ppf:
        what = Text(f"le statut facultatif {known.code}", f"optional status {known.code}")
        raise NotForPublicPortalError(what, "MDT-105, G7.44")
    if attachments:
        raise NotForPublicPortalError(Text("de pièce jointe", "attachments"), "MDT-96, G7.49")
    for data in amounts:
        if not (entry("characteristic", data.type_code, on) or {}).get("to_ppf", False):
            what = Text(f"la donnée {data.type_code}", f"data of type {data.type_code}")
            raise NotForPublicPortalError(what, "MDT-207, G7.12")


def _message_id(message: CdarMessage, at: datetime, sent_at: datetime) -> str:
    document = message.documents[0]
    content = f"{message.model_dump_json()} {require_aware(at).isoformat()} {require_aware(sent_at).isoformat()}"
    digest = sha256(content.encode()).hexdigest()[:16]
    return f"{document.number}_{document.status_code}_{digest}"


def _instant(moment: datetime) -> CdarDate:
    """Format 204, which has no offset: written in Paris time, as it is read."""
    return CdarDate(raw=require_aware(moment).astimezone(PARIS).strftime("%Y%m%d%H%M%S"))


def _day(day: date) -> CdarDate:
    return CdarDate(raw=day.strftime("%Y%m%d"), format="102")
