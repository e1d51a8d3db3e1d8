"""The page of an invoice shows the money that came in for it, and whether a status tells it."""

from decimal import Decimal

import pytest
from sqlmodel import col, select

from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import FRENCH
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt, reverse_receipt
from tests.web.story import Site


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


def open_invoice(session) -> InvoiceRecord:
    return session.exec(
        select(InvoiceRecord).where(
            InvoiceRecord.remaining > 20,
            InvoiceRecord.direction == "receivable",
            col(InvoiceRecord.is_closed).is_(False),
        )
    ).first()


def receive(site: Site, amount: str) -> tuple:
    """Money for an invoice that is not paid; the receipt and the invoice."""
    now = site.clock()
    with site.services.database.transaction(site.story.house) as session:
        invoice = open_invoice(session)
        new = NewReceipt(
            amount=Decimal(amount),
            currency=invoice.currency,
            received_on=paris_date(now),
            reference="VIR-1",
            payer_reference="Virement SEPA 42",
            allocations={invoice.id: Decimal(amount)},
        )
        recorded = record_receipt(
            session, Scope.everything(), new, source=ReceiptSource.PERSON, by="Treasurer", now=now
        )
        return recorded.receipt.id, invoice.id


def test_money_that_no_status_tells_is_shown_with_what_is_missing(site, manager):
    _, invoice_id = receive(site, "12.34")
    page = manager.get(f"/invoices/{invoice_id}")
    assert "Virement SEPA 42" in page.text
    assert "12,34" in page.text
    assert "qu’aucun statut 212 ne déclare" in page.text


def test_the_list_and_the_page_show_what_money_left_of_an_invoice(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        before = open_invoice(session)
    _, invoice_id = receive(site, "12.34")
    left = FRENCH.money(before.remaining - Decimal("12.34"), before.currency)
    assert before.id == invoice_id
    assert left in manager.get("/invoices", params={"q": before.number}).text
    assert left in manager.get(f"/invoices/{invoice_id}").text


def test_a_receipt_undone_and_its_counter_entry_are_both_shown(site, manager):
    receipt_id, invoice_id = receive(site, "12.34")
    with site.services.database.transaction(site.story.house) as session:
        reverse_receipt(
            session, Scope.everything(), receipt_id, reason="wrong invoice", by="Treasurer", now=site.clock()
        )
    page = manager.get(f"/invoices/{invoice_id}")
    assert "Annulé par une écriture inverse" in page.text
    assert "Écriture inverse d’un encaissement" in page.text


def test_without_money_nothing_is_said_of_it(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        invoice_id = open_invoice(session).id
    assert 'id="receipts"' not in manager.get(f"/invoices/{invoice_id}").text
