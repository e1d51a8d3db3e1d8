"""Claims are counted again when something happened that may lower them, and not otherwise."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlmodel import select

from gateway.app.services import build_services
from gateway.collection.agreements.disputing import NewDispute, open_dispute
from gateway.collection.agreements.planning import EvenSpread, NewPlan, make_plan
from gateway.collection.law.changes import look_of, touched_since
from gateway.collection.law.claiming import agree_on_rate, claim_penalties
from gateway.collection.law.insolvency import InsolvencyKind
from gateway.collection.law.proceedings import record_insolvency
from gateway.collection.law.statute import statute
from gateway.collection.law.tasks import review_law
from gateway.customers.model import Customer
from gateway.customers.service import change_customer
from gateway.invoices.model import PrecedingInvoice
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.model import WriteOffKind
from gateway.treasury.writing_off import write_off
from tests.collection.agreeing import BY, CHANNELS, EVERYTHING, House

LAW = statute()
EXCESS = "penalty.excess"
TODAY = date(2026, 3, 2)


@pytest.fixture
def house(database, organisation):
    """F1 and F2, due on 30 April 2025 and unpaid, are claimed up to today."""
    house = House(database, organisation, now=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    for number in ("F1", "F2"):
        house.owes(number, "12000.00", issue_date=date(2025, 3, 31), due_date=date(2025, 4, 30))
        with database.transaction(organisation) as session:
            claimed = house.owed[number].id
            claim_penalties(session, EVERYTHING, claimed, LAW, until=TODAY, by=BY, now=house.tick())
    return house


@pytest.fixture
def services(database, settings, house):
    services = build_services(settings, clock=lambda: house.now, database=database)
    yield services
    services.flows.connections.close()


def paid_earlier(house, session):
    house.pay("12000.00", on=date(2025, 5, 8))


def credited(house, session):
    reference = (PrecedingInvoice(number="F1", issue_date=date(2025, 3, 31)),)
    house.owes("A1", "600.00", type_code="381", issue_date=date(2025, 4, 15), preceding_invoices=reference)


def disputed(house, session):
    told = NewDispute(house.owed["F1"].id, "price")
    dispute = open_dispute(session, EVERYTHING, told, CHANNELS, by=BY, now=house.tick())
    dispute.opened_on = date(2025, 5, 1)


def spread(house, session):
    new = NewPlan(house.customer(), EvenSpread(3, TODAY), suspends_penalties=True)
    make_plan(session, EVERYTHING, new, by=BY, now=house.tick()).made_at = datetime(2025, 5, 1, tzinfo=UTC)


def judged(house, session):
    facts = {"judgment_on": date(2025, 5, 5), "published_on": None, "source": "BODACC", "by": BY, "now": house.tick()}
    record_insolvency(session, EVERYTHING, str(house.customer()), InsolvencyKind.RECEIVERSHIP, LAW, **facts)


def agreed(house, session, customer_id=None):
    facts = {"customer_id": customer_id, "source": "CGV", "by": BY, "now": house.tick()}
    agree_on_rate(session, LAW, Decimal("12.00"), date(2025, 1, 1), **facts)


def agreed_with_customer(house, session):
    agreed(house, session, house.customer())


def given_up(house, session):
    row = write_off(
        session, EVERYTHING, house.owed["F1"].id, Decimal("900.00"), kind=WriteOffKind.LOSS, reason="x", by=BY,
        now=house.tick(),
    )  # fmt: skip
    row.written_off_on = date(2025, 5, 1)


CHANGES = [paid_earlier, credited, judged, agreed, agreed_with_customer]


@pytest.mark.parametrize("happens", CHANGES)
def test_what_lowers_a_claim_is_told_at_the_next_look_of_the_same_process(house, services, happens):
    review_law(services.law, house.organisation)
    assert house.alerts(EXCESS) == []
    with house.database.transaction(house.organisation) as session:
        happens(house, session)
    review_law(services.law, house.organisation)
    assert house.owed["F1"].id in {each.invoice_id for each in house.alerts(EXCESS)}


@pytest.mark.parametrize(
    ("happens", "both"),
    [
        *((each, False) for each in (paid_earlier, credited, disputed, given_up)),
        *((each, True) for each in (spread, judged, agreed, agreed_with_customer)),
    ],
)
def test_only_what_something_happened_to_is_counted_again(house, services, happens, both):
    with house.database.transaction(house.organisation) as session:
        before = look_of(session, TODAY, LAW).position
        assert touched(session, before) == set()
        assert touched(session, None) >= {"F1", "F2"}
    with house.database.transaction(house.organisation) as session:
        happens(house, session)
    with house.database.transaction(house.organisation) as session:
        assert touched(session, before) & {"F1", "F2"} == ({"F1", "F2"} if both else {"F1"})


def test_a_changed_customer_is_counted_again_by_its_key(house):
    with house.database.transaction(house.organisation) as session:
        before = look_of(session, TODAY, LAW).position
        change_customer(session, EVERYTHING, house.customer(), {"payment_terms": "30"}, by=BY, now=house.tick())
    with house.database.transaction(house.organisation) as session:
        assert session.exec(select(Customer.key)).one().startswith("siren:")
        assert touched(session, before) == {"F1", "F2"}


def touched(session, position):
    return set(session.exec(select(InvoiceRecord.number).where(touched_since(session, position))))


def test_everything_is_counted_again_on_another_day_and_by_another_process(house, services):
    review_law(services.law, house.organisation)
    (look,) = services.law.looks.last.values()
    with house.database.transaction(house.organisation) as session:
        same, tomorrow = look_of(session, TODAY, LAW), look_of(session, date(2026, 3, 3), LAW)
    assert services.law.looks.since(house.organisation, same) == look.position
    assert services.law.looks.since(house.organisation, tomorrow) is None
    assert type(services.law.looks)().since(house.organisation, same) is None
