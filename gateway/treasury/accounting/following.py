"""An invoice that the books knew first takes the place of what they told: it is owed once, and paid as they say."""

from datetime import datetime

from sqlmodel import Session

from gateway.ledger.service import take_turn
from gateway.lifecycle.model import Direction
from gateway.lifecycle.service import Registration, RegistrationOutcome
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.applying import apply
from gateway.treasury.accounting.results import ImportResult

_GATEWAY = "gateway"


def follow_registration(session: Session, registration: Registration, now: datetime) -> None:
    """A new invoice of ours, tied to its customer: settle again the accounts of the books that name its number."""
    invoice = registration.invoice
    if registration.outcome is not RegistrationOutcome.CREATED or invoice.direction != Direction.RECEIVABLE:
        return
    for account in rows.accounts_naming(session, invoice.number):
        take_turn(session)
        apply(session, account, ImportResult("", written=True), _GATEWAY, now)
