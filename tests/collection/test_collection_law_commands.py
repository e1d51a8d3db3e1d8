"""An operator claims penalties, records what happens to claims, and blocks orders, from the terminal."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from gateway.app.services import build_services
from gateway.cli import app, working
from gateway.collection.law.errors import NothingToClaimError, ReceiptCannotSettleError
from gateway.database import Database
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt
from tests.collection.agreeing import BY, EVERYTHING, House
from tests.lifecycle.making_events import BUYER_SIREN, START

Run = Callable[..., str]


@pytest.fixture
def house(database: Database, organisation: UUID) -> House:
    house = House(database, organisation, now=START)
    house.owes("F1", "1200.00", issue_date=date(2026, 2, 28), due_date=date(2026, 3, 31))
    return house


@pytest.fixture
def run(database: Database, settings: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command of `gateway` on the test's own database; errors come through as they are."""
    services = build_services(settings, clock=clock, database=database)
    monkeypatch.setattr(working, "build_services", lambda _settings: services)
    monkeypatch.setattr(database, "close", lambda: None)

    def call(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output.replace("\xa0", " ").replace("\u202f", " ")

    yield call
    monkeypatch.undo()


def test_a_claim_that_exceeds_what_is_due_is_told_and_corrected(house: House, run: Run) -> None:
    assert "en trop" not in run("penalties", "claim", "F1", "--until", "2026-04-10")
    house.pay("1200.00", on=date(2026, 4, 5))
    assert "réclamé en trop : 1,99 € + 0,00 €" in run("penalties", "show", "F1")
    corrected = run("penalties", "correct", "F1", "--reason", "Virement du 5 avril")
    assert "réclamé 3,99 €, reste 2,00 €, corrigé de 1,99 €" in corrected
    assert "en trop" not in corrected


def test_interest_at_a_rate_that_is_not_published_yet_is_not_told_as_to_claim(house: House, run: Run) -> None:
    told = run("penalties", "show", "F1", "--until", "2035-01-10")
    assert ": à réclamer une fois le taux publié" in told
    assert told.rstrip().endswith("à réclamer 40,00 €")


def test_the_team_of_a_dispute_is_told_in_words(house: House, run: Run) -> None:
    run("disputes", "open", "F1", "--reason", "CMD_ERR")
    told = run("disputes", "list")
    assert ("Administration des ventes" in told, "order_desk" in told) == (True, False)


def test_penalties_are_shown_claimed_paid_and_waived(house: House, run: Run) -> None:
    assert "10 × 1 200,00 € × 12,15 %  = 3,9945" in run("penalties", "show", "F1", "--until", "2026-04-10")
    assert "F1" in run("penalties", "show", "--customer", BUYER_SIREN)
    claimed = run("penalties", "claim", "F1", "--until", "2026-04-10")
    interest, indemnity = (line.split()[0] for line in claimed.splitlines() if "réclamé" in line and "reste" in line)
    with house.database.transaction(house.organisation) as session:
        new = NewReceipt(Decimal("3.99"), "EUR", date(2026, 9, 30), reference="R1")
        receipt = record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by=BY, now=START).receipt.id
    pay = ("--receipt", str(receipt), "--amount")
    assert "reste 0,00 €" in run("penalties", "pay", interest, *pay, "3,99")
    with pytest.raises(ReceiptCannotSettleError):
        run("penalties", "pay", indemnity, *pay, "0.01")
    assert "reste 30,00 €" in run("penalties", "waive", indemnity, "--reason", "Geste", "--amount", "10")
    run("penalties", "choose", "waived", "--invoice", "F1")
    with pytest.raises(NothingToClaimError):
        run("penalties", "claim", "F1", "--until", "2026-06-30")
    assert "not-a-number" in run("penalties", "waive", indemnity, "--reason", "x", "--amount", "not-a-number", code=2)


def test_claims_and_orders_are_followed(house: House, run: Run) -> None:
    told = run("claims", "act", "F1", "acknowledgement", "--on", "2026-09-01", "--document", "Courriel")
    assert "1er septembre 2031" in told
    assert told == run("claims", "limitation", "F1")
    court = run("claims", "act", "F1", "court_claim", "--on", "2026-09-10", "--document", "RG 26/1")
    act = court.split()[-1]
    over = ("--on", "2026-10-02", "--ending", "withdrawn", "--document", "Conclusions")
    withdrawn = run("claims", "outcome", act, *over)
    assert "1er septembre 2031" in withdrawn
    assert "Désistement de la demande  (code civil, art. 2243)  Conclusions" in withdrawn
    judged = ("--judgment", "2026-09-01", "--source", "BODACC")
    insolvency = run("claims", "insolvent", BUYER_SIREN, "receivership", *judged).split()[0]
    declared = run("claims", "declare", insolvency, "--on", "2026-09-20", "--amount", "1200,00", "--reference", "LRAR")
    assert "20 septembre 2026" in declared
    assert "Bloquée" in run("orders", "check", BUYER_SIREN, "100", code=1)
    run("claims", "end", insolvency, "--on", "2026-10-01")
    run("orders", "policy", "overdue_days_blocked=0", "overdue_days_warned=0", "--from", "2026-10-01")
    assert "À surveiller" in run("orders", "check", BUYER_SIREN, "100")
    run("orders", "block", BUYER_SIREN, "--because", "Impayés")
    assert "Impayés" in run("orders", "check", BUYER_SIREN, "100", code=1)
    run("orders", "unblock", BUYER_SIREN, "--because", "Payé")
    assert '"verdict": "warned"' in run("orders", "check", BUYER_SIREN, "100", "--format", "json")
    assert "overdue" in run("orders", "policy", "overdue", "--from", "2026-10-01", code=2)
