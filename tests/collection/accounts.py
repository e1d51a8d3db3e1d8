"""Accounts for tests: one customer with one invoice of 1,200.00 EUR that may be chased, and what breaks that."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from gateway.collection.account import Account, OpenItem, StepTaken
from gateway.collection.holds import Hold
from gateway.collection.reminders import ReminderDecision, decide
from gateway.collection.scenarios import Scenario, default_book
from gateway.customers.values import Contact, ContactRole, CustomerFacts
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.projection import InvoiceAmounts, InvoiceState, project
from tests.lifecycle.making_events import SELLER_SIREN, event

NAMES = UUID("6f1a2a4e-0c5f-4a2b-9a55-2f1d7c9d0001")
DUE = date(2026, 10, 31)
#: Tuesday, 17 November 2026, at eleven in Paris: seventeen days after `DUE`.
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
ACCOUNTING = Contact(ContactRole.ACCOUNTING, "Comptabilité", "compta@batir.example", "+33102030405", "fr", ())
DIRECTOR = Contact(ContactRole.MANAGEMENT, "Mme Durand", "durand@batir.example", None, "fr", ("1 rue A", "75001 Paris"))
CUSTOMER = CustomerFacts(
    id=uuid5(NAMES, "customer"),
    key="siren:732829320",
    name="Bâtir Ensemble",
    siren="732829320",
    segment=None,
    language="fr",
    contacts=(ACCOUNTING, DIRECTOR),
    credit_limit=None,
    credit_currency="EUR",
    collector_id=None,
    is_public=False,
    is_consumer=False,
    insolvent_since=None,
)


def state(*events: StatusEvent, due: str = "1200.00") -> InvoiceState:
    """The state after `events`, by default one taken in charge (204)."""
    return project(events or [event("204")], InvoiceAmounts(Decimal(due), "EUR"))


def item(number: str = "F1", due: date = DUE, remaining: str = "1200.00", **changes: Any) -> OpenItem:
    """An open invoice; of a credit note, `remaining` is negative."""
    facts: dict[str, Any] = {
        "invoice_id": uuid5(NAMES, number),
        "number": number,
        "agency_id": None,
        "seller_siren": SELLER_SIREN,
        "issue_date": due - timedelta(days=30),
        "due_date": due,
        "total": Decimal(remaining),
        "remaining": Decimal(remaining),
        "state": state(due=remaining),
    }
    return OpenItem(**{**facts, **changes})


def account(*items: OpenItem, **changes: Any) -> Account:
    """The customer's account in euros with `items`, by default F1."""
    return replace(Account(CUSTOMER, "EUR", items or (item(),)), **changes)


def customer(**changes: Any) -> CustomerFacts:
    """The customer with other facts."""
    return replace(CUSTOMER, **changes)


def taken(key: str, on: date, *, done: bool = True) -> StepTaken:
    """A step taken before."""
    return StepTaken(key, on, 1, done)


def standard(**changes: Any) -> Scenario:
    """The standard scenario, changed."""
    found = next(each for each in default_book().scenarios if each.key == "standard")
    return found.model_copy(update=changes)


def decided(of: Account, now: datetime = NOW, scenario: Scenario | None = None) -> ReminderDecision:
    """The decision about an account, under the standard scenario unless another is given."""
    return decide(of, scenario or standard(), now)


def held(decision: ReminderDecision, number: str = "F1") -> Hold:
    """What holds back an invoice that is not in the message."""
    (reason,) = [each.reason for each in decision.withheld if each.item.number == number]
    assert reason.text.fr
    assert reason.text.en
    assert "{" not in reason.text.fr + reason.text.en
    return reason.hold
