"""Pages of penalties, limitation, insolvency, litigation and blocked orders."""

import io
import re
import zipfile
from datetime import date
from uuid import UUID

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.customers.model import Customer, CustomerInvoice
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt
from tests.web.story import Site, post

#: Of an open invoice: its own identifier and its customer's.
Late = tuple[str, str]


@pytest.fixture
def late(site: Site) -> Late:
    """An open invoice of the story, due long ago."""
    with site.services.database.transaction(site.story.house) as session:
        invoice, customer_id = session.exec(
            select(InvoiceRecord, CustomerInvoice.customer_id)
            .join(CustomerInvoice, CustomerInvoice.invoice_id == InvoiceRecord.id)
            .where(InvoiceRecord.remaining > 0, InvoiceRecord.is_closed.is_(False))  # type: ignore[attr-defined]
            .order_by(InvoiceRecord.number)
        ).first()
        invoice.issue_date, invoice.due_date = date(2026, 2, 28), date(2026, 3, 31)
        session.add(invoice)
        return str(invoice.id), str(customer_id)


def test_the_sheet_opens_down_to_its_days(site, late):
    page = site.signed_in(Role.COLLECTOR).get(f"/invoices/{late[0]}/penalties?until=2026-04-03&line=1")
    assert page.status_code == 200
    for sentence in ("Pénalités de retard", "12,15", "1er avr. 2026", "2 avr. 2026", "3 avr. 2026", "L441-10"):
        assert sentence in page.text.replace("\u202f", " ").replace("\xa0", " "), sentence
    assert site.signed_in(Role.COLLECTOR).get(f"/invoices/{late[0]}/penalties?line=99").status_code == 404


def test_a_collector_claims_and_only_the_manager_waives(site, late):
    browser, manager = site.signed_in(Role.COLLECTOR), site.signed_in(Role.AR_MANAGER)
    here = f"/invoices/{late[0]}/penalties"
    assert post(browser, f"{here}/claim", {"until": "2026-04-10"}).status_code == 303
    waive = re.findall(r'action="(/penalties/[^"]+/waive)"', manager.get(here).text)[0]
    assert post(browser, waive, {"reason": "Geste"}).status_code == 403
    assert post(manager, waive, {"reason": ""}).status_code == 422
    assert post(manager, waive, {"reason": "Geste", "next": here}).headers["location"].startswith(here)
    assert post(manager, f"{here}/choose", {"treatment": "waived"}).status_code == 303
    assert "Abandonnées" in browser.get(here).text


def test_a_claim_that_exceeds_what_is_due_shows_both_figures_and_only_the_manager_corrects_it(site, late):
    browser, manager = site.signed_in(Role.COLLECTOR), site.signed_in(Role.AR_MANAGER)
    here = f"/invoices/{late[0]}/penalties"
    post(browser, f"{here}/claim", {"until": "2026-04-10"})
    assert "de trop" not in manager.get(here).text
    with site.services.database.transaction(site.story.house) as session:
        invoice = session.get_one(InvoiceRecord, UUID(late[0]))
        paid = {invoice.id: invoice.remaining}
        new = NewReceipt(invoice.remaining, invoice.currency, date(2026, 3, 31), reference="V", allocations=paid)
        now = site.services.clock()
        record_receipt(session, Scope.everything(), new, source=ReceiptSource.API, by="operator", now=now)
    page = manager.get(here).text.replace("\u202f", " ").replace("\xa0", " ")
    assert "Réclamé 40,00 €, dû 0,00 € : 40,00 € de trop." in page
    assert "réclamé en trop" in manager.get(f"/customers/{late[1]}").text
    assert f'action="{here}/correct"' not in browser.get(here).text
    assert post(browser, f"{here}/correct", {"reason": "Payée à temps"}).status_code == 403
    assert post(manager, f"{here}/correct", {"reason": " "}).status_code == 422
    assert post(manager, f"{here}/correct", {"reason": "Payée à temps"}).status_code == 303
    corrected = manager.get(here).text.replace("\u202f", " ").replace("\xa0", " ")
    assert ("de trop" in corrected, "corrigée de 40,00 €" in corrected) == (False, True)


def test_an_act_moves_the_limitation(site, late):
    browser = site.signed_in(Role.COLLECTOR)
    act = {"kind": "court_claim", "on": "2026-04-15", "document": "RG 26/<1>"}
    assert post(browser, f"/invoices/{late[0]}/acts", act).status_code == 303
    page = browser.get(f"/invoices/{late[0]}/penalties").text
    assert "RG 26/&lt;1&gt;" in page
    assert "Interrompue par une instance" in page
    end = re.findall(r'action="(/acts/[^"]+/end)"', page)[0]
    assert post(browser, end, {"on": "2026-05-15"}).status_code == 303
    assert "15 mai 2031" in browser.get(f"/invoices/{late[0]}/penalties").text
    lapsed = {"on": "2026-05-20", "ending": "lapsed", "document": "Ordonnance <2>"}
    assert post(browser, end, lapsed).status_code == 303
    page = browser.get(f"/invoices/{late[0]}/penalties").text
    assert "Instance périmée · Ordonnance &lt;2&gt;" in page
    assert "n’interrompt pas" in page
    assert "15 mai 2031" not in page
    assert post(browser, end, {"on": "2026-05-20", "ending": "vanished"}).status_code == 422


def test_a_customer_is_handed_over_with_its_file_declared_insolvent_and_blocked(site, late):
    browser, here = site.signed_in(Role.AR_MANAGER), f"/customers/{late[1]}"
    assert post(browser, f"{here}/hand-overs", {"invoices": late[0], "handed_to": "Me Martin"}).status_code == 303
    page = browser.get(here).text
    file = browser.get(re.findall(r'href="(/hand-overs/[^"]+/file)"', page)[0])
    assert "index.html" in zipfile.ZipFile(io.BytesIO(file.content)).namelist()
    assert (
        post(browser, re.findall(r'action="(/hand-overs/[^"]+/close)"', page)[0], {"because": "Payé"}).status_code
        == 303
    )
    told = {"kind": "liquidation", "judgment_on": "2026-09-01", "source": "BODACC A n° 1"}
    assert post(browser, f"{here}/insolvencies", told).status_code == 303
    page = browser.get(here).text
    assert "Liquidation judiciaire" in page
    assert "1er nov. 2026" in page
    declare = re.findall(r'action="(/insolvencies/[^"]+/declare)"', page)[0]
    assert post(browser, declare, {"amount": "1 200,50", "reference": "LRAR", "on": "2026-09-15"}).status_code == 303
    assert post(browser, f"{here}/orders/block", {"reason": "Impayés"}).status_code == 303
    page = browser.get(here).text
    assert ("Bloquée" in page, "Impayés" in page) == (True, True)
    assert post(browser, f"{here}/orders/unblock", {"because": "Payé"}).status_code == 303
    end = re.findall(r'action="(/insolvencies/[^"]+/end)"', page)[0]
    assert post(browser, end, {"on": "2026-09-20"}).status_code == 303


def test_a_collector_hands_nothing_over(site, late):
    browser = site.signed_in(Role.COLLECTOR)
    for path, fields in (
        (f"/customers/{late[1]}/hand-overs", {"invoices": late[0], "handed_to": "x"}),
        (f"/customers/{late[1]}/orders/block", {"reason": "x"}),
        (f"/customers/{late[1]}/insolvencies", {"kind": "liquidation", "judgment_on": "2026-09-01", "source": "x"}),
        (f"/customers/{late[1]}/penalties/choose", {"treatment": "waived"}),
    ):
        assert post(browser, path, fields).status_code == 403
    assert browser.get(f"/customers/{late[1]}").status_code == 200


def test_the_blocks_are_there_in_english_too(site, late):
    browser = site.signed_in(Role.AR_MANAGER)
    browser.cookies.set("language", "en")
    with site.services.database.transaction(site.story.house) as session:
        assert session.exec(select(Customer)).first() is not None
    assert browser.get(f"/customers/{late[1]}").status_code == 200
