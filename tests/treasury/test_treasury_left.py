"""Lists, pages, figures and the API tell one story of what is left of an invoice."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gateway.access.roles import ApiScope
from gateway.access.scope import Scope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource, WriteOffKind
from gateway.treasury.receipts import record_receipt
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.writing_off import write_off
from tests.conftest import START
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import amount

ALL = Scope.everything()


@pytest.fixture
def read(database, settings, clock, organisation) -> Iterator[Callable[[str], Any]]:
    """Reads a path under /api/v1 as a program of the organisation."""
    with database.transaction(organisation) as session:
        created = create_client(session, name="Trésorerie", scopes=[ApiScope.INVOICES_READ], now=clock())
        client_id, secret = created.client.client_id, created.secret
    with database.system_transaction() as session:
        issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
    with TestClient(create_app(build_services(settings, clock=clock, database=database))) as http:
        headers = {"Authorization": f"Bearer {issued.token}"}
        yield lambda path: http.get(f"/api/v1{path}", headers=headers).json()


def told(read, invoice) -> set[Decimal]:
    """What is left of the only invoice, wherever the API tells it."""
    (listed,) = read("/invoices")["invoices"]
    one, timeline = read(f"/invoices/{invoice.id}"), read(f"/invoices/{invoice.id}/timeline")
    return {Decimal(each["remaining"]) for each in (listed, one, timeline)}


def pay(database, organisation, invoice, paid: str) -> None:
    new = NewReceipt(Decimal(paid), "EUR", date(2026, 10, 5), "VIR-1", "", "", {invoice.id: Decimal(paid)})
    with database.transaction(organisation) as session:
        record_receipt(session, ALL, new, source=ReceiptSource.API, by="a test", now=START)


def test_money_received_and_write_offs_lower_what_the_api_says_is_left(database, organisation, read):
    invoice = register(database, organisation).invoice
    assert told(read, invoice) == {Decimal("120.00")}
    record(database, organisation, "212", 1, data=[amount("MEN", "20.00", "20")])
    assert told(read, invoice) == {Decimal("100.00")}
    pay(database, organisation, invoice, "60.00")
    assert told(read, invoice) == {Decimal("40.00")}
    with database.transaction(organisation) as session:
        write_off(
            session, ALL, invoice.id, Decimal("15.00"), kind=WriteOffKind.LOSS, reason="Perdu.", by="x", now=START
        )
    assert told(read, invoice) == {Decimal("25.00")}
    with database.transaction(organisation) as session:
        (item,) = open_items(session, ALL, date(2026, 11, 20))
    assert item.remaining == Decimal("25.00")


def test_nothing_is_left_to_pay_of_an_invoice_that_was_refused(database, organisation, read):
    invoice = register(database, organisation).invoice
    record(database, organisation, "210", 1, reasons=["TX_TVA_ERR"])
    assert told(read, invoice) == {Decimal("0.00")}
