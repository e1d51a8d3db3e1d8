"""The lifecycle messages of one step of a scenario. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from gateway.flows.simulator.scenarios import Step
from gateway.invoices.model import Invoice
from gateway.kernel.clock import paris_date
from gateway.kernel.identifiers import SCHEME_E_ADDRESS
from gateway.kernel.money import ZERO, round_cents, share_out
from gateway.lifecycle.cdar.building import (
    GivenReason,
    InvoiceReference,
    build_status,
    collected,
    company,
    not_approved,
    paid,
    platform,
)
from gateway.lifecycle.cdar.model import ROLE_BUYER, ROLE_SELLER, CdarMessage, Characteristic, Party
from gateway.lifecycle.statuses import Phase, status

PAYMENT_SENT = "211"
PAYMENT_RECEIVED = "212"
_RATE_OF_NO_VAT = Decimal(0)


@dataclass(frozen=True, slots=True)
class AnsweredInvoice:
    """What the simulator keeps of an invoice to speak of it: both parties by SIREN, dates, amounts."""

    invoice: Invoice
    seller_siren: str
    buyer_siren: str
    issue_date: date


def answer(subject: AnsweredInvoice, step: Step, *, at: datetime, received_at: datetime) -> CdarMessage:
    """The message that tells `step` to the seller, set `at`; the platform had received the invoice `received_at`.

    Transmission statuses come from the platform, treatment statuses from the buyer but for those only a seller sets
    (209, 212), which its own platform shows it in the same list.
    """
    invoice = subject.invoice
    seller = _seller(subject)
    return build_status(
        InvoiceReference(
            number=invoice.number,
            issued=subject.issue_date,
            seller_siren=subject.seller_siren,
            type_code=invoice.type_code,
            received_at=received_at,
        ),
        step.status,
        issuer=_issuer(subject, step),
        recipients=(seller,),
        at=at,
        reasons=(GivenReason(step.reason, step.action, _disputed(invoice, step)),) if step.reason else (),
        amounts=_paid(invoice, step, at),
        comment=step.comment,
    )


def _issuer(subject: AnsweredInvoice, step: Step) -> Party:
    known = status(step.status)
    if known.phase is Phase.TRANSMISSION:
        return platform()
    refund = subject.invoice.is_credit_note and step.status == PAYMENT_SENT
    if "buyer" in known.set_by and not refund:
        return company(subject.buyer_siren, ROLE_BUYER, subject.invoice.buyer.name or "")
    return company(subject.seller_siren, ROLE_SELLER, subject.invoice.seller.name or "")


def _seller(subject: AnsweredInvoice) -> Party:
    """The seller as recipient, at the address that its invoice gives (BT-34)."""
    seller = subject.invoice.seller
    address = seller.electronic_address
    return company(
        subject.seller_siren,
        ROLE_SELLER,
        seller.name or "",
        address.value if address else subject.seller_siren,
        (address.scheme if address else None) or SCHEME_E_ADDRESS,
    )


def _disputed(invoice: Invoice, step: Step) -> tuple[Characteristic, ...]:
    return (not_approved(_part(invoice, step), invoice.currency),) if step.share else ()


def _paid(invoice: Invoice, step: Step, at: datetime) -> tuple[Characteristic, ...]:
    if step.status == PAYMENT_SENT:
        return (paid(_part(invoice, step), paris_date(at), invoice.currency),)
    if step.status == PAYMENT_RECEIVED:
        return tuple(
            collected(amount, rate, invoice.currency) for rate, amount in by_rate(invoice, _part(invoice, step))
        )
    return ()


def _part(invoice: Invoice, step: Step) -> Decimal:
    """The amount a step speaks of; negative for a credit note, whose money goes back (annex B, UC5)."""
    amount = round_cents((invoice.totals.due or ZERO) * step.share)
    return -amount if invoice.is_credit_note else amount


def by_rate(invoice: Invoice, amount: Decimal) -> list[tuple[Decimal, Decimal]]:
    """`amount` (with VAT) split by VAT rate in proportion to the VAT breakdown (BG-23): rule G7.45 asks for it."""
    weights: dict[Decimal, Decimal] = {}
    for group in invoice.vat_breakdown:
        rate = group.rate if group.rate is not None else _RATE_OF_NO_VAT
        weights[rate] = weights.get(rate, ZERO) + (group.taxable_amount or ZERO) + (group.tax_amount or ZERO)
    if not sum(weights.values()):
        return [(_RATE_OF_NO_VAT, amount)]
    return list(zip(weights, share_out(amount, list(weights.values())), strict=True))
