"""The worklist's page: calls recorded on the line without JavaScript, comments, and what a limited person sees."""

import re

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.collection.worklist.model import CollectionCall, MatterComment
from gateway.customers.model import CustomerInvoice
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


def test_comments_are_written_on_customers_and_invoices_and_never_become_markup(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        link = session.exec(select(CustomerInvoice).join(InvoiceRecord).where(InvoiceRecord.number == "F-SILENT")).one()
    for path in (f"/customers/{link.customer_id}", f"/invoices/{link.invoice_id}"):
        assert post(manager, f"{path}/comments", {"text": "<b>Vu</b>"}).status_code == 303
        assert "&lt;b&gt;Vu&lt;/b&gt;" in manager.get(path).text
        assert post(manager, f"{path}/comments", {"text": "@personne"}).status_code == 422
    assert {each.subject for each in rows(site, MatterComment)} == {"customer", "invoice"}
