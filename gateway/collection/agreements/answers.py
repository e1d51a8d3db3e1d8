"""What was made of the disputes of invoices, for the deadlines that wait for their outcome."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.alerts.deadlines import Disputes
from gateway.collection.agreements import repository
from gateway.collection.agreements.model import Dispute, DisputeOutcome
from gateway.collection.agreements.reading import disputed_of_row
from gateway.collection.agreements.values import Agreements
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord


def disputes_known(session: Session, invoices: Sequence[InvoiceRecord]) -> Mapping[UUID, Disputes]:
    """What the disputes of invoices say beside their statuses, in one statement; an invoice without any is left out."""
    rows = repository.disputes_of(session, [each.id for each in invoices])
    return {each.id: answers_of(rows[each.id], each.amount_due) for each in invoices if each.id in rows}


def answers_of(rows: Sequence[Dispute], amount_due: Decimal) -> Disputes:
    """What was made of all the disputes of one invoice, of which `amount_due` was asked. Pure."""
    agreed = Agreements(disputes=tuple(disputed_of_row(each) for each in rows))
    withheld = (each for each in rows if each.closed_on is None or each.outcome == DisputeOutcome.CREDIT_NOTE)
    return Disputes(
        answered=agreed.answered(rows[0].invoice_id),
        since={each.status: each.since for each in rows if each.status and each.closed_on is None},
        withheld=sum((amount_due if each.amount is None else each.amount for each in withheld), ZERO),
    )
