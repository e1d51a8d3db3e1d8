"""The pages of the books and of files of customers: tried first, taken on a word, refused lines named; write-offs."""

import re
from decimal import Decimal

import pytest
from sqlmodel import col, select

from fixtures.fec import faulty_fec, fec, year_of_books
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.customers.model import Customer, TriedFile
from gateway.kernel.clock import paris_date
from gateway.treasury.accounting.importing import assign_account
from gateway.treasury.accounting.model import AccountingEntry, AccountingImport
from gateway.treasury.model import WriteOff
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import ItemKind
from tests.web.story import Site, csrf_of, post

TAKE = re.compile(r'action="(/(?:accounting/tried|customers/import)/[0-9a-f-]{36})"')
BOOKS = year_of_books(3)


def give(browser, path, content, name="fec.txt"):
    """Send a file by the form of a page."""
    data = {"csrf": csrf_of(browser, path)}
    return browser.post(path, data=data, files={"file": (name, content)}, follow_redirects=False)


def rows(site: Site, table):
    with site.services.database.transaction(site.story.house) as session:
        return list(session.exec(select(table)))


@pytest.fixture
def debtor(site: Site) -> Customer:
    """A customer who owes an invoice."""
    with site.services.database.transaction(site.story.house) as session:
        items = open_items(session, Scope.everything(), paris_date(site.clock()))
        owing = next(item.customer_id for item in items if item.kind is ItemKind.INVOICE and item.customer_id)
        return session.get_one(Customer, owing)


def test_books_are_tried_then_taken_then_told(site):
    browser = site.signed_in(Role.AR_MANAGER)
    tried = give(browser, "/accounting", faulty_fec(BOOKS, "finer than a cent"))
    assert tried.status_code == 200
    for words in ("Rien n’est encore écrit", "1,005", "Debit", "client inconnu"):
        assert words in tried.text, words
    assert (rows(site, AccountingEntry), rows(site, AccountingImport)) == ([], [])
    (take,) = TAKE.findall(tried.text)
    taken = post(browser, take, {}, seen_on="/accounting")
    assert taken.status_code == 303
    shown = browser.get(taken.headers["location"])
    assert "1,005" in shown.text
    assert "Le fichier est repris." in shown.text
    assert rows(site, AccountingEntry)
    history = browser.get("/accounting").text
    assert "fec.txt" in history
    assert taken.headers["location"].split("?")[0] in history
    assert post(browser, take, {}, seen_on="/accounting").status_code == 404
    assert rows(site, TriedFile) == []


def test_a_file_waits_for_the_person_who_tried_it_alone(site):
    manager, administrator = site.signed_in(Role.AR_MANAGER), site.signed_in(Role.ADMINISTRATOR)
    (take,) = TAKE.findall(give(manager, "/accounting", fec(BOOKS)).text)
    assert post(administrator, take, {}, seen_on="/accounting").status_code == 404
    (again,) = TAKE.findall(give(manager, "/accounting", fec(BOOKS)).text)
    assert post(manager, take, {}, seen_on="/accounting").status_code == 404
    assert post(manager, again.replace("accounting/tried", "customers/import"), {}).status_code == 404
    assert post(manager, again, {}, seen_on="/accounting").status_code == 303


def test_a_form_without_a_file_or_with_one_too_large_is_refused(site):
    browser = site.signed_in(Role.AR_MANAGER)
    assert give(browser, "/accounting", b"").status_code == 422
    assert give(browser, "/customers/import", b"x" * 10_000_001).status_code == 422
    assert give(browser, "/customers/import", b"x" * 10_100_000).status_code == 413
    assert browser.post("/accounting", data={"csrf": "wrong"}, files={"file": ("f", b"x")}).status_code == 403
    assert post(browser, "/alerts/x/close", {"because": "x" * 2**17}).status_code == 403


def test_customers_are_tried_then_taken(site):
    browser = site.signed_in(Role.AR_MANAGER)
    before = len(rows(site, Customer))
    content = "SIREN;Nom;Délai\n732829320;Ateliers du Nord;30\n123;Faux;30\n".encode()
    tried = give(browser, "/customers/import", content, "clients.csv")
    assert tried.status_code == 200
    for words in ("1 clients créés", "Ateliers du Nord", "1 ligne refusée", "Rien n’est encore écrit"):
        assert words in tried.text, words
    assert len(rows(site, Customer)) == before
    (take,) = TAKE.findall(tried.text)
    taken = post(browser, take, {}, seen_on="/customers/import")
    assert "Le fichier est repris." in taken.text
    assert len(rows(site, Customer)) == before + 1


@pytest.mark.parametrize("path", ["/accounting", "/customers/import"])
@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.READER, Role.TREASURER])
def test_only_the_manager_takes_files(site, role, path):
    browser = site.signed_in(role)
    assert browser.get(path).status_code == 403
    assert path not in browser.get("/customers").text


def test_the_manager_writes_off_and_undoes_on_the_page_of_the_customer(site, debtor):
    browser = site.signed_in(Role.AR_MANAGER)
    here = f"/customers/{debtor.id}"
    block = browser.get(here).text.partition('id="write-offs"')[2]
    invoice_id = re.findall(r'<option value="([0-9a-f-]{36})">', block)[0]
    told = {"invoice_id": invoice_id, "amount": "2,50", "kind": "small_difference", "reason": "Frais de <banque>"}
    assert post(browser, f"{here}/write-offs", told).status_code == 303
    page = browser.get(here).text
    for words in ("Petit écart", "Frais de &lt;banque&gt;", "Passé en perte"):
        assert words in page, words
    (undo,) = set(re.findall(r'action="(/write-offs/[^"]+/undo)"', page))
    assert post(browser, undo, {"reason": "Erreur.", "next": here}).status_code == 303
    assert sorted(row.amount for row in rows(site, WriteOff)) == [Decimal("-2.50"), Decimal("2.50")]
    assert post(browser, f"{here}/write-offs", {**told, "amount": "9999999"}).status_code == 422
    collector = site.signed_in(Role.COLLECTOR)
    assert post(collector, f"{here}/write-offs", told).status_code == 403
    assert post(collector, undo, {"reason": "x"}).status_code == 403


def test_the_pages_of_files_speak_english(site):
    browser = site.signed_in(Role.AR_MANAGER)
    browser.cookies.set("gateway_language", "en")
    assert "Nothing is written yet" in give(browser, "/accounting", fec(BOOKS)).text
    assert "Take a file of customers" in browser.get("/customers/import").text


def test_what_only_the_books_know_opens_on_the_pages_of_what_is_owed(site, debtor):
    browser = site.signed_in(Role.AR_MANAGER)
    (take,) = TAKE.findall(give(browser, "/accounting", fec(BOOKS)).text)
    post(browser, take, {}, seen_on="/accounting")
    with site.services.database.transaction(site.story.house) as session:
        account = session.exec(select(AccountingEntry.account).where(col(AccountingEntry.lettering) == "")).first()
    with site.services.database.transaction(site.story.house) as session:
        assign_account(session, account, str(debtor.id), by="a test", now=site.clock())
    page = browser.get(f"/customers/{debtor.id}").text
    assert "Reprise comptable" in page
    assert "reprise comptable" in page
