"""A word for money means one figure, whichever page shows it."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.collection.agreements.disputing import NewDispute, open_dispute
from gateway.collection.receivables import Books
from gateway.customers.model import CustomerInvoice
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import FRENCH
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.service import Channels
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.definitions import definitions
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt
from gateway.treasury.receivables import Dimension, Family, totals_of


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


def shown_figures(page):
    """The figures of the tiles, by the word that names them."""
    tiles = re.findall(r'<a class="tile[^"]*"[^>]*><span>([^<]+)</span><strong>([^<]+)</strong>', page.text)
    return {unescape(word): unescape(figure).strip() for word, figure in tiles}


def test_one_word_is_one_figure_on_the_overview_and_among_receivables(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        owed = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
        credit = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SUSPENDED")).one()
        credit.amount_due, credit.remaining = Decimal("-40.00"), Decimal("-40.00")
        owed.due_date = credit.due_date = paris_date(site.clock()) - timedelta(days=3)
        customer = session.exec(select(CustomerInvoice).where(CustomerInvoice.invoice_id == owed.id)).one().customer_id
        new = NewReceipt(Decimal("25.00"), "EUR", paris_date(site.clock()), reference="V1", customer_id=customer)
        now, everything = site.clock(), Scope.everything()
        record_receipt(session, everything, new, source=ReceiptSource.API, by="user:1", now=now)
        told = NewDispute(owed.id, "PU_ERR", Decimal("15.00"))
        open_dispute(session, everything, told, Channels(by_email=False), by="user:1", now=now)
        books = Books.read(session, everything, paris_date(now))
    (total,) = totals_of(books.cells(Dimension.ENTITY))
    assert total.amount(Family.TO_DEDUCT) == Decimal("-65.00")
    overview, receivables = shown_figures(manager.get("/")), manager.get("/receivables").text
    row = re.search(r"<tbody>\s*<tr>.*?</tr>", receivables, re.DOTALL).group()
    cells = re.findall(r'<td class="figure" data-label="([^"]+)">(.*?)</td>', row)
    among_receivables = {unescape(word): unescape(re.sub(r"<[^>]+>", "", figure)).strip() for word, figure in cells}
    for family in (Family.BALANCE, Family.OVERDUE, Family.DISPUTED):
        word, amount = family.label.fr, FRENCH.money(total.amount(family), "EUR")
        assert overview[word] == among_receivables[word] == amount
    words = {*overview, *(bucket.label.fr for bucket in definitions().buckets), "Contesté par statut"}
    assert words & {family.label.fr for family in Family} == {"Encours", "Échu", "Litige"}
