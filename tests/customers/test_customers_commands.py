"""A person reads a customer and what it owes in the terminal, in words and not in codes."""

from datetime import date

from sqlmodel import select
from typer.testing import CliRunner

from gateway.access.scope import Scope
from gateway.app.services import build_services
from gateway.cli import app, working
from gateway.customers.model import Customer, CustomerContact
from gateway.customers.service import add_contact, change_customer
from tests.collection.agreeing import House
from tests.lifecycle.making_events import BUYER_SIREN, START


def test_a_customer_and_what_it_owes_are_shown_in_words(database, organisation, settings, clock, monkeypatch):
    house = House(database, organisation, now=START)
    house.owes("F1", "12345.60", issue_date=date(2026, 2, 28), due_date=date(2026, 3, 31))
    services = build_services(settings, clock=clock, database=database)
    monkeypatch.setattr(working, "build_services", lambda _settings: services)
    monkeypatch.setattr(database, "close", lambda: None)

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments, catch_exceptions=False).output

    run("customers", "change", BUYER_SIREN, "payment_terms=90", "credit_limit=5000")
    shown, owed = run("customers", "show", BUYER_SIREN), run("receivables")
    monkeypatch.undo()
    assert "90 jours nets : hors la loi." in shown
    assert "limite de crédit 5\u202f000,00\xa0€, garanti 0,00\xa0€" in shown
    assert f"vérifié    SIREN {BUYER_SIREN}" in shown
    assert "Échu 12\u202f345,60\xa0€" in shown
    assert "Échu 12\u202f345,60\xa0€" in owed


def test_contacts_that_spoke_the_language_of_their_customer_follow_when_it_changes(database, organisation):
    house = House(database, organisation, now=START)
    house.owes("F1", "100.00")
    with database.transaction(organisation) as session:
        [customer] = session.exec(select(Customer)).all()
        everything, by = Scope.everything(), {"by": "a test", "now": START}
        add_contact(session, everything, customer.id, {"name": "Anne"}, **by)
        add_contact(session, everything, customer.id, {"name": "Klaus", "language": "en"}, **by)
        change_customer(session, everything, customer.id, {"language": "en"}, **by)
        add_contact(session, everything, customer.id, {"name": "Zoe", "language": "fr"}, **by)
        change_customer(session, everything, customer.id, {"segment": "btp"}, **by)
    with database.transaction(organisation) as session:
        spoken = dict(session.exec(select(CustomerContact.name, CustomerContact.language)).all())
    assert spoken.items() >= {"Anne": "en", "Klaus": "en", "Zoe": "fr"}.items()
