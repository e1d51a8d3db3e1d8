"""A person reads a customer and what it owes in the terminal, in words and not in codes."""

from datetime import date

from typer.testing import CliRunner

from gateway.app.services import build_services
from gateway.cli import app, working
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
