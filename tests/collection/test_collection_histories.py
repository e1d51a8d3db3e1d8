"""Whatever happens to what is owed, in whatever order: money is conserved, nothing is told twice or chased in vain.

Every history is lived through the real services on the real database, beside books kept by hand.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from gateway.database import Database
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from tests.collection.histories import CAST, Act, CreditNote, Days, Invoice, Receipt, Returned, histories
from tests.collection.naive_books import NaiveBooks
from tests.collection.owing import siren
from tests.collection.running_histories import Watched
from tests.conftest import START, add_organisation, fresh_database

#: How many histories, and in how many parts that processes share: some in every run of the tests, thousands with
#: `make histories`.
COUNT = int(os.environ.get("HISTORIES", "7"))
PARTS = min(4, max(1, COUNT // 100))
_served = 0


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """One database for all histories; each has an organisation of its own."""
    with fresh_database(server_url) as database:
        yield database


def late(currency: int, cents: int = 120_000) -> Invoice:
    """An invoice whose first e-mail is due tomorrow."""
    return Invoice(debtor=0, agency=0, seller=0, currency=currency, cents=cents, issued_ago=40, due_in=-2)


#: What chance seldom brings together.
SENT_AND_DIED = [late(0), Days(1, "dies, having sent it"), Days(3), Days(3)]
CREDITED = [late(0), CreditNote(0, 35), Receipt((), 100, 5_000, 0, names_payer=True), Days(1), Days(3)]
RETURNED_MEANWHILE = [late(0), late(3), Days(1), Days(13, meanwhile=(Returned(0),)), Days(1)]


@pytest.mark.parametrize("part", range(PARTS))
@example(told=SENT_AND_DIED)
@example(told=CREDITED)
@example(told=RETURNED_MEANWHILE)
@settings(max_examples=COUNT // PARTS, suppress_health_check=list(HealthCheck))
@given(told=histories(most_weeks=8))
def test_every_instant_of_a_history_holds(
    shared: Database, tmp_path_factory: pytest.TempPathFactory, part: int, told: Sequence[Act]
) -> None:
    global _served
    _served += 1
    life = new_life(shared, tmp_path_factory.getbasetemp(), _served)
    for act in told:
        life.live(act)


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
