"""Tell a receipt by the status it calls for: a 212 to each invoice it pays, split by VAT rate."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.flows.context import FlowsContext
from gateway.flows.emission.orders import CollectedAmount, StatusOrder
from gateway.flows.emission.service import GivenStatus, give_status
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.lifecycle.repository import invoice_by_id
from gateway.treasury.errors import NoVatRateError
from gateway.treasury.model import Receipt
from gateway.treasury.receipts import telling_of, undeclared_parts
from gateway.treasury.vat_split import split_by_rate


def declare_receipt(
    session: Session, context: FlowsContext, receipt: Receipt, *, now: datetime
) -> tuple[GivenStatus, ...]:
    """Give the 212 of what no 212 tells of a receipt yet, one for each invoice; nothing when all is told.

    Raises NoVatRateError, and what `give_status` refuses: nothing is written then.
    """
    given = []
    for part, amount in undeclared_parts(session, receipt.id):
        invoice = invoice_by_id(session, Scope.everything(), part.invoice_id)
        order = StatusOrder(status="212", collected=_split(invoice, amount), comment=receipt.comment)
        with telling_of(session, part.id):
            given.append(give_status(session, context, invoice, order, now=now))
    return tuple(given)


def _split(invoice: InvoiceRecord, amount: Decimal) -> tuple[CollectedAmount, ...]:
    totals = {Decimal(rate): Decimal(total) for rate, total in invoice.totals_by_rate.items()}
    collected: dict[Decimal, Decimal] = {}
    for each in InvoiceState.model_validate(invoice.state).collected:
        if each.rate is not None and each.currency == invoice.currency:
            collected[each.rate] = collected.get(each.rate, ZERO) + each.amount
    parts = split_by_rate(amount, totals, collected)
    if not parts:
        raise NoVatRateError(invoice.number)
    return tuple(CollectedAmount(rate=rate, amount=part) for rate, part in parts.items())
