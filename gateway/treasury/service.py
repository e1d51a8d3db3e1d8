"""The treasury's figures from the invoices as the lifecycle left them."""

from datetime import date, timedelta

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.treasury import repository
from gateway.treasury.accounting.opening_rows import opening_items
from gateway.treasury.aged_balance import AgedBalance, OpenItem, age
from gateway.treasury.definitions import definitions
from gateway.treasury.dso import Dso, Sale, count_back
from gateway.treasury.receivables import disputed_by_statuses


def aged_balance(session: Session, scope: Scope, as_of: date) -> list[AgedBalance]:
    """What customers owe today by how late it is on `as_of` (Europe/Paris), one balance for each currency.

    What only the books know is in it; it is not in the DSO, whose sales are those of the gateway.

    Amounts are those of now: a past `as_of` ages today's open items, it does not bring back yesterday's.
    """
    openings = (
        OpenItem(None, each.currency, each.due_date, each.remaining) for each in opening_items(session, scope, as_of)
    )
    return age([*_open_items(session, scope, as_of), *openings], as_of, definitions(as_of).buckets)


def days_sales_outstanding(session: Session, scope: Scope, as_of: date) -> list[Dso]:
    """Count-back DSO on `as_of` (Europe/Paris), one for each currency; open amounts are those of now."""
    first = as_of.replace(day=1)
    for _ in range(definitions(as_of).dso_months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    sales = (
        Sale(each.id, each.currency, each.issue_date, each.total_with_vat)
        for each in repository.invoiced(session, scope, first, as_of)
    )
    return count_back(_open_items(session, scope, as_of), sales, as_of)


def _open_items(session: Session, scope: Scope, as_of: date) -> list[OpenItem]:
    term = timedelta(days=definitions(as_of).default_term_days)
    return [
        OpenItem(
            invoice_id=each.id,
            currency=each.currency,
            due_date=each.due_date or each.issue_date + term,
            amount=each.remaining,
            disputed=disputed_by_statuses(each.issues, each.remaining),
        )
        for each in repository.open_invoices(session, scope, as_of)
    ]
