"""Pages of promises, disputes and plans: recorded from the customer and the invoice, listed, talked about, settled."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.collection.agreements.model import Dispute, Plan, Promise
from gateway.collection.agreements.views import plan_views, promise_views
from gateway.customers.model import CustomerInvoice
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.model import AccountingEntry
from tests.treasury.making_books import fec, row
from tests.web.story import post


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


@pytest.fixture
def silent(site):
    """An invoice of which nothing is heard, and its customer."""
    with site.services.database.transaction(site.story.house) as session:
        statement = select(CustomerInvoice).join(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")
        return session.exec(statement).one()


def rows(site, table):
    with site.services.database.transaction(site.story.house) as session:
        return list(session.exec(select(table)))


def in_days(site, days):
    return (paris_date(site.clock()) + timedelta(days=days)).isoformat()


def promise(site, browser, silent, **changes):
    told = {"amount": "10,50", "currency": "EUR", "due_on": in_days(site, 5), "contact": "Mme Roy", "comment": ""}
    return post(browser, f"/customers/{silent.customer_id}/promises", told | changes)


def test_a_promise_is_recorded_on_the_customers_page_listed_and_cancelled(site, manager, silent):
    answer = promise(site, manager, silent)
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"/customers/{silent.customer_id}?done=promise_made",
    )  # fmt: skip
    assert "Mme Roy" in manager.get(f"/customers/{silent.customer_id}").text
    assert "Mme Roy" not in manager.get("/promises").text
    for path in ("/promises?view=open", "/promises?view=all", f"/invoices/{silent.invoice_id}"):
        assert "Mme Roy" in manager.get(path).text, path
    (made,) = rows(site, Promise)
    post(manager, f"/promises/{made.id}/cancel", {"because": "Nouvelle date"})
    assert rows(site, Promise)[0].state == "cancelled"
    assert "annulée" in manager.get("/promises?view=over").text


@pytest.fixture
def booked(site, silent):
    """A line of the books of that customer, which is no invoice here."""
    lines = [
        row("VE", "1", "411000", "500,00", piece="V1", aux="C1"),
        row("VE", "1", "706000", credit="500,00", piece="V1"),
    ]
    database, house, facts = site.services.database, site.story.house, {"by": "operator", "now": site.clock()}
    import_entries(database, house, BytesIO(fec(*lines).encode()), dry_run=False, **facts)
    with database.transaction(house) as session:
        assign_account(session, "C1", str(silent.customer_id), **facts)
        return session.exec(select(AccountingEntry.id).where(AccountingEntry.piece == "V1")).one()


def test_what_is_ticked_is_promised_and_spread_also_what_only_the_books_know(site, manager, silent, booked):
    page = manager.get(f"/customers/{silent.customer_id}").text
    for ticked in (booked, silent.invoice_id):
        assert f'name="about" value="{ticked}"' in page
    assert promise(site, manager, silent, about=[str(booked)]).status_code == 303
    plan = {"count": "2", "first_on": in_days(site, 5), "currency": "EUR", "about": [str(silent.invoice_id)]}
    assert post(manager, f"/customers/{silent.customer_id}/plans", plan).status_code == 303
    with site.services.database.transaction(site.story.house) as session:
        (promised,) = promise_views(session, session.exec(select(Promise)).all())
        (spread,) = plan_views(session, session.exec(select(Plan)).all())
    assert ([each.id for each in promised.entries], promised.invoices) == ([booked], ())
    assert ([each.id for each in spread.invoices], spread.entries) == ([silent.invoice_id], ())
    assert "connue des seuls livres" in manager.get("/promises?view=open").text


@pytest.mark.parametrize("change", [{"amount": "dix"}, {"due_on": "demain"}, {"amount": "99999999"}, {"currency": "€"}])
def test_a_promise_that_cannot_be_read_is_refused_with_its_reason(site, manager, silent, change):
    answer = promise(site, manager, silent, **change)
    assert answer.status_code == 422
    assert rows(site, Promise) == []


def test_a_dispute_is_opened_on_the_invoices_page_talked_about_settled_and_reopened(site, manager, silent):
    told = {"reason_code": "delivery", "amount": "", "comment": "Rien reçu"}
    post(manager, f"/invoices/{silent.invoice_id}/disputes", told)
    (dispute,) = [each for each in rows(site, Dispute) if each.invoice_id == silent.invoice_id]
    page = f"/disputes/{dispute.id}"
    for path in ("/disputes", "/disputes?team=logistics&whose=nobody", f"/invoices/{silent.invoice_id}", page):
        assert "Rien reçu" in manager.get(path).text, path
    owner = re.search(r'<option value="([0-9a-f-]{36})"', manager.get(page).text)[1]
    post(manager, f"{page}/assign", {"owner": owner, "team": "sales", "deadline": in_days(site, 3)})
    post(manager, f"{page}/say", {"text": "Transporteur appelé"})
    assert "Transporteur appelé" in manager.get(page).text
    post(manager, f"{page}/settle", {"settlement": "refused", "because": "Bon signé"})
    assert "contestation non fondée" in manager.get(page).text
    assert "Rien reçu" in manager.get("/disputes?state=closed").text
    post(manager, f"{page}/reopen", {"because": "Signature contestée"})
    (dispute,) = [each for each in rows(site, Dispute) if each.invoice_id == silent.invoice_id]
    assert (dispute.closed_on, dispute.team, str(dispute.owner_id)) == (None, "sales", owner)
    wrong = post(manager, f"{page}/assign", {"owner": "quelqu’un", "team": "", "deadline": ""})
    assert wrong.status_code == 422


def test_the_dispute_of_a_status_is_listed_with_the_status_that_opened_it(site, manager):
    opened = [each for each in rows(site, Dispute) if each.status == "210"]
    assert [each.closed_on for each in opened] == [None]
    page = manager.get(f"/disputes/{opened[0].id}").text
    assert "Refusée" in page
    assert "F-REFUSED" in manager.get("/disputes").text


def test_a_plan_is_granted_on_the_customers_page_and_cancelled(site, manager, silent):
    told = {"count": "2", "currency": "EUR", "first_on": in_days(site, 5), "suspends_penalties": "yes", "comment": ""}
    assert post(manager, f"/customers/{silent.customer_id}/plans", told).status_code == 303
    (plan,) = rows(site, Plan)
    assert "pénalités suspendues" in manager.get("/plans").text
    post(manager, f"/plans/{plan.id}/cancel", {"because": "Il paie tout"})
    assert "pénalités suspendues" not in manager.get("/plans").text
    assert "annulé" in manager.get("/plans?state=over").text


def test_a_reader_sees_and_changes_nothing(site, silent):
    reader = site.signed_in(Role.READER)
    assert "Enregistrer une promesse" not in reader.get(f"/customers/{silent.customer_id}").text
    assert promise(site, reader, silent).status_code == 403
    assert rows(site, Promise) == []


def test_a_collector_neither_sees_nor_makes_what_lies_outside_their_agencies(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        statement = select(CustomerInvoice).join(InvoiceRecord).where(InvoiceRecord.number == "F-REJECTED")
        hidden = session.exec(statement).one()
    collector = site.signed_in(Role.COLLECTOR)
    assert promise(site, collector, hidden).status_code == 404
    told = {"reason_code": "price", "amount": "", "comment": ""}
    assert post(collector, f"/invoices/{hidden.invoice_id}/disputes", told).status_code == 404


def test_the_pages_speak_english_too(site, manager, silent):
    promise(site, manager, silent)
    post(manager, "/language", {"language": "en", "next": "/"})
    assert "Promises and disputes" in manager.get(f"/customers/{silent.customer_id}").text
    for path in ("/promises", "/disputes", "/plans"):
        assert manager.get(path).status_code == 200
