"""The worklist's page: calls recorded on the line without JavaScript, comments, and what a limited person sees."""

import re

import pytest
from sqlmodel import col, select

from gateway.access.roles import Role
from gateway.collection.agreements.model import Promise
from gateway.collection.model import CollectionAction
from gateway.collection.worklist.model import CollectionCall, MatterComment
from gateway.customers.model import CustomerInvoice
from gateway.kernel.clock import paris_date
from gateway.kernel.working_days import add_working_days
from gateway.lifecycle.model import InvoiceRecord
from tests.web.story import post


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


def rows(site, table):
    with site.services.database.transaction(site.story.house) as session:
        return list(session.exec(select(table)))


def test_a_call_is_recorded_on_the_line_and_the_line_comes_back_later(site, manager):
    page = manager.get("/worklist").text
    address = re.search(r'action="(/worklist/action/[^"]+/calls)"', page).group(1)
    matter_id = address.split("/")[3]
    assert "de chances" in page
    answer = post(manager, address, {"outcome": "no_answer", "contact": "01 02 03 04 05"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/worklist?done=call_recorded")
    (call,) = rows(site, CollectionCall)
    assert f'id="{matter_id}"' not in manager.get("/worklist").text
    assert f'id="{matter_id}"' in manager.get("/worklist?state=later").text
    customer = manager.get(f"/customers/{call.customer_id}").text
    assert "01 02 03 04 05" in customer
    assert "Pas de réponse" in customer
    assert post(site.signed_in(Role.READER), address, {"outcome": "no_answer"}).status_code == 403


def test_a_promise_is_recorded_in_two_clicks_with_the_amount_and_the_day_that_the_line_proposes(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        silent = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
        known = col(CollectionAction.invoice_id).is_not(None), col(CollectionAction.state) == "todo"
        action = session.exec(select(CollectionAction).where(*known)).first()
        action.kind, action.invoice_id, action.amount = "call", silent.id, silent.amount_due
    page = manager.get("/worklist?kind=call").text
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'value="promise"' in each)
    shown = dict(re.findall(r'<input[^>]*name="(amount|due_on)"[^>]* value="([^"]+)"', form))
    address = re.search(r'action="([^"]+/calls)"', form).group(1)
    assert post(manager, address, {"outcome": "promise", "reason": "price", **shown}).status_code == 303
    (promise,) = rows(site, Promise)
    assert (str(promise.amount), promise.due_on.isoformat()) == (shown["amount"], shown["due_on"])
    assert promise.due_on == add_working_days(paris_date(site.services.clock()), 5)


def test_a_form_that_is_refused_leads_back_to_its_page_and_nowhere_else(manager):
    address = re.search(r'action="(/worklist/action/[^"]+/calls)"', manager.get("/worklist").text).group(1)
    here = f"{manager.base_url}/worklist?team=ar"
    for referer, back in ((here, 'href="/worklist?team=ar"'), ("https://elsewhere.example/worklist?team=ar", None)):
        manager.headers["referer"] = referer
        page = post(manager, address, {"outcome": "promise", "due_on": ""})
        assert page.status_code == 422
        assert ("Revenir au formulaire" in page.text) == (back is not None)
        assert back is None or back in page.text
        assert "elsewhere" not in page.text


def test_comments_are_written_on_customers_and_invoices_and_never_become_markup(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        link = session.exec(select(CustomerInvoice).join(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
    for path in (f"/customers/{link.customer_id}", f"/invoices/{link.invoice_id}"):
        assert post(manager, f"{path}/comments", {"text": "<b>Vu</b>"}).status_code == 303
        assert "&lt;b&gt;Vu&lt;/b&gt;" in manager.get(path).text
        assert post(manager, f"{path}/comments", {"text": "@personne"}).status_code == 422
    assert {each.subject for each in rows(site, MatterComment)} == {"customer", "invoice"}


def lines_of(page):
    return page.count('<article class="card matter"')


def test_the_list_is_narrowed_by_kind_team_and_portfolio_and_says_how_much_waits_for_each_team(site, manager):
    every = manager.get("/worklist").text
    teams = dict(re.findall(r'team=(\w+)[^"]*"[^>]*>[^<]*<strong>(\d+)</strong>', every))
    kinds = set(re.findall(r'<option value="(\w+)"', every.split('name="kind"')[1].split("</select>")[0]))
    assert teams
    for team, count in teams.items():
        assert lines_of(manager.get("/worklist", params={"team": team}).text) == int(count)
    by_kind = [lines_of(manager.get("/worklist", params={"kind": kind}).text) for kind in kinds]
    assert (sum(by_kind), min(by_kind) > 0) == (lines_of(every), True)
    action = re.search(r'action="/worklist/([^/"]+)/assign"', every).group(1)
    post(manager, f"/worklist/{action}/assign", {})
    offered = manager.get("/worklist").text.split('name="whose"')[1]
    mine = re.search(r'<option value="([0-9a-f-]{36})"', offered).group(1)
    assert f'id="{action}"' in manager.get("/worklist", params={"whose": mine}).text
    assert lines_of(manager.get("/worklist", params={"whose": mine}).text) == 1


def test_a_comment_is_written_on_the_line_and_the_last_one_stands_under_it(site, manager):
    page = manager.get("/worklist").text
    address = re.search(r'action="(/invoices/[^"]+/comments)"', page).group(1)
    answer = post(manager, address, {"text": "Vu avec le commerce", "next": "/worklist"})
    assert answer.headers["location"] == "/worklist?done=commented"
    assert "Vu avec le commerce" in manager.get("/worklist").text


def test_whom_one_may_call_stands_on_the_line_with_the_number(site, manager):
    page = manager.get("/worklist").text
    customer = re.search(r'href="/customers/([0-9a-f-]{36})"', page).group(1)
    told = {"role": "accounting", "name": "Mme <Durand>", "phone": "01 02 03 04 05"}
    post(manager, f"/customers/{customer}/contacts", told)
    page = manager.get("/worklist").text
    assert 'href="tel:0102030405"' in page
    assert 'value="Mme &lt;Durand&gt;"' in page
