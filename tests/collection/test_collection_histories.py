"""Whatever happens to what is owed, in whatever order: money is conserved, nothing is told twice or chased in vain.

Every history is lived through the real services on the real database, beside books kept by hand.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.database import Database
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from tests.collection.histories import (
    CAST,
    LOWER_RATES,
    Act,
    Booked,
    Call,
    ChaseBooks,
    Collected,
    CreditNote,
    Days,
    Dispute,
    FileRefused,
    HandOver,
    Insolvency,
    Invoice,
    Opening,
    Plan,
    Promise,
    Receipt,
    Returned,
    Spare,
    Status,
    Terms,
    Undo,
    WriteOff,
    histories,
)
from tests.collection.naive_books import NaiveBooks
from tests.collection.owing import siren
from tests.collection.running_histories import Watched
from tests.conftest import START, add_organisation, fresh_database

#: How many histories, and in how many parts that processes share: some in every run of the tests, thousands with
#: `make histories`.
COUNT = int(os.environ.get("HISTORIES", "4"))
PARTS = min(4, max(1, COUNT // 100))
_served = 0


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """One database for all histories; each has an organisation of its own."""
    with fresh_database(server_url) as database:
        yield database


def late(currency: int = 0, *, debtor: int = 0, due_in: int = -2, silent: bool = False) -> Invoice:
    """An invoice whose first e-mail is due tomorrow, unless it is due otherwise."""
    return Invoice(
        debtor, agency=0, seller=0, currency=currency, cents=120_000, issued_ago=40, due_in=due_in, silent=silent
    )


EURO, DOLLAR = 0, 3
#: What chance seldom brings together, by what it is about.
SELDOM: dict[str, Sequence[Act]] = {
    "the worker dies when it has sent": [late(), Days(1, "dies, having sent it"), Days(3), Days(3)],
    "a credit note, one that only the books know, and money on account": [
        *(late(), CreditNote(0, 35), Receipt((), 100, 5_000, 0, names_payer=True), Opening(0, -2_000, 49)),
        *(Days(1), Days(3)),
    ],
    "an e-mail comes back when another one is worded": [
        *(late(EURO), late(DOLLAR), Days(1)),
        *(Days(13, meanwhile=(Returned(0),)), Days(1)),
    ],
    "an address that nobody has, then the wrong person": [
        *(late(EURO), Days(1, "knows no such address")),
        *(late(DOLLAR), Days(1)),
        *(Undo("stop", 0), Call(0, "wrong_contact", 100, 0, names=True), Days(1)),
    ],
    "one that may never have arrived, looked for when its e-mail waits for the mail server": [
        *(late(silent=True), late(DOLLAR, silent=True), late(DOLLAR), Days(1, "away")),
        *(Days(3), Days(1)),
        Days(13),
    ],
    "a message in doubt": [late(), Days(1, "silent, having taken it"), Days(13)],
    "calls and e-mails keep their distance": [
        *(late(), Days(1)),
        *(late(), Days(1), Days(1)),
        *(Dispute(0, 35), Call(0, "message_left", 100, 0, names=False), Days(4)),
    ],
    "a letter that waits is void when another step is due": [
        *(late(due_in=-25), Days(1), Days(9)),
        *(late(), Receipt((0,), 100, 0, 0, names_payer=False), Days(6)),
    ],
    "everything that holds an invoice back, each": [
        *(*(late() for _ in range(9)), late(debtor=1), late(debtor=2, due_in=-5)),
        *(FileRefused(1, taken_back=False), Promise(2, False, 100, 5), Spare(3, False, 1), Dispute(4, None)),
        *(Plan(5, False, (20,), suspends=False), HandOver(6, False), Status(7, "501"), Status(8, "208")),
        *(Spare(9, True, 1), Insolvency(10, 0), Days(1)),
    ],
    "receipts pay what only the books knew, which arrives for less": [
        *(late(), Opening(0, 50_000, 120), Opening(0, 30_000, 49)),
        *(Booked("paid", 0, 35), Booked("paid", 0, 60), Booked("arrived", 0, 60), Booked("paid", 0, 60)),
        *(Undo("receipt", 0), Undo("receipt", 1), Days(1)),
    ],
    "what was given up is paid after all, and a 212 tells what a receipt told": [
        *(late(), late(), WriteOff(0, 35), Receipt((0,), 100, 0, 0, names_payer=False)),
        *(Receipt((1,), 60, 0, 0, names_payer=False), Collected(1, 60, 0)),
    ],
    "the books are chased, in the same message, until the invoice itself arrives": [
        *(late(), ChaseBooks(), Opening(0, 50_000, 49), Opening(0, 30_000, 49), Opening(0, -2_000, 49)),
        *(Days(1), Booked("arrived", 0, 100), Booked("paid", 0, 60)),
        *(Days(13, meanwhile=(Booked("arrived", 0, 100),)), Days(1)),
    ],
    "promises and plans of what only the books know: paid, settled there, arrived, broken": [
        *(ChaseBooks(), late(debtor=1), Opening(0, 50_000, 49), Opening(0, 30_000, 49), Opening(0, 20_000, 49)),
        *(Opening(0, 40_000, 49), Opening(1, 10_000, 49)),
        *(Promise(1, False, 60, 1), Promise(2, False, 100, 0), Promise(3, False, 100, 0), Promise(4, False, 35, 2)),
        *(Plan(5, False, (0, 20), suspends=True), Days(1)),
        *(Booked("paid", 0, 60), Booked("settled", 1, 100), Booked("arrived", 1, 100), Days(1)),
        *(Undo("receipt", 0), Days(6), Booked("arrived", 2, 60), Days(3)),
    ],
    "promises of an invoice and in a call, and money that comes too late": [
        *(late(), late(debtor=1, due_in=-12), late(debtor=1)),
        *(Promise(0, False, 100, 0), Dispute(2, 35), Call(0, "promise", 100, 5, names=False), Days(1)),
        Days(6),
        *(Receipt((0,), 60, 0, 0, names_payer=False), Days(1)),
    ],
    "rates that were agreed, a public buyer and a contested part": [
        *(late(), late(debtor=1), late(debtor=2)),
        *(Terms(0, False, 9, 30, 30), Terms(1, True, 0, LOWER_RATES, 30)),
        *(Status(2, "203", days_ago=1), Dispute(0, 60), Days(6)),
    ],
}


def lived(shared: Database, folder: Path, told: Sequence[Act]) -> None:
    """A history from its beginning to its end."""
    global _served
    _served += 1
    life = new_life(shared, folder, _served)
    for act in told:
        life.live(act)


@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=COUNT // PARTS, suppress_health_check=list(HealthCheck))
@given(told=histories(most_weeks=8))
def test_every_instant_of_a_history_holds(
    shared: Database, tmp_path_factory: pytest.TempPathFactory, part: int, told: Sequence[Act]
) -> None:
    lived(shared, tmp_path_factory.getbasetemp(), told)


@pytest.mark.parametrize("told", SELDOM.values(), ids=SELDOM)
def test_every_instant_of_what_seldom_comes_together_holds(
    shared: Database, tmp_path_factory: pytest.TempPathFactory, told: Sequence[Act]
) -> None:
    lived(shared, tmp_path_factory.getbasetemp(), told)


def new_life(shared: Database, folder: Path, serial: int) -> Watched:
    """An organisation that begins."""
    house = siren(serial)
    return Watched(
        shared,
        add_organisation(shared, house, f"Maison {serial}"),
        ManualClock(START),
        load_settings(data_dir=folder),
        NaiveBooks(CAST, house),
        store=DocumentStore(folder / "documents"),
    )
