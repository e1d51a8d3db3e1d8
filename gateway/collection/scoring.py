"""How late a payer usually is: the amount-weighted delay of what fell due lately. The grades are dated data."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from gateway.collection.account import Risk
from gateway.kernel.dated import data_file, in_force

#: What fell due in the months looked at, with the day it was paid: by a 212, by receipts, or not yet;
#: a small difference counts as paid, a bad debt does not.
_PUNCTUALITY = text(
    """
    WITH mine AS (
        SELECT link.customer_id, invoice.id, currency, amount_due, due_date, remaining, status_at
        FROM customer_invoice AS link JOIN invoice ON invoice.id = link.invoice_id
        WHERE (CAST(:customers AS uuid[]) IS NULL OR link.customer_id = ANY(:customers))
            AND direction = 'receivable' AND NOT is_closed AND amount_due > 0
            AND due_date >= :since AND due_date < :today),
    received AS (
        SELECT invoice_id, sum(allocation.amount) AS amount, max(received_on) AS latest
        FROM receipt_allocation AS allocation JOIN receipt ON receipt.id = receipt_id
        WHERE invoice_id IN (SELECT id FROM mine) GROUP BY invoice_id),
    forgiven AS (
        SELECT invoice_id, sum(amount) AS amount FROM write_off
        WHERE kind = 'small_difference' AND invoice_id IN (SELECT id FROM mine) GROUP BY invoice_id),
    paid AS (
        SELECT customer_id, currency, amount_due, due_date, CASE
            WHEN remaining <= coalesce(forgiven.amount, 0) THEN CAST(status_at AT TIME ZONE 'Europe/Paris' AS date)
            WHEN amount_due <= received.amount + coalesce(forgiven.amount, 0) THEN received.latest
            ELSE :today END AS paid_on
        FROM mine LEFT JOIN received ON received.invoice_id = mine.id
            LEFT JOIN forgiven ON forgiven.invoice_id = mine.id)
    SELECT customer_id, currency, count(*), sum(amount_due), sum(amount_due * greatest(paid_on - due_date, 0))
    FROM paid GROUP BY customer_id, currency
    """
)


@dataclass(frozen=True, slots=True)
class Punctuality:
    """What fell due lately: how many invoices, their sum, and the sum of amount times days late (counted to today)."""

    invoices: int
    amount: Decimal
    amount_days: Decimal


def risk_of(known: Punctuality | None, on: date) -> Risk | None:
    """The grade of a payer on a day: by its mean delay in days; None when too little fell due. Pure."""
    entry = data_file("scenarios.toml")["risk"]
    policy = in_force(entry, on) or in_force(entry) or {}
    if known is None or known.invoices < policy["least_invoices"] or known.amount <= 0:
        return None
    days = known.amount_days / known.amount
    return next((Risk(grade) for grade, most in policy["most_days"].items() if days <= most), Risk.D)


def punctuality_of(
    session: Session, customer_ids: Collection[UUID] | None, today: date
) -> dict[tuple[UUID, str], Punctuality]:
    """How these customers, all when None, paid what fell due lately, by currency, in one statement."""
    entry = data_file("scenarios.toml")["risk"]
    since = today - timedelta(days=(in_force(entry, today) or in_force(entry) or {})["days"])
    customers = None if customer_ids is None else list(customer_ids)
    values = {"customers": customers, "since": since, "today": today}
    rows = session.connection().execute(_PUNCTUALITY, values)
    return {
        (customer_id, currency): Punctuality(count, amount, amount_days)
        for customer_id, currency, count, amount, amount_days in rows
    }
