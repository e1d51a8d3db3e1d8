"""A matter told twice is one task on the page of its invoice, as it is one line of the worklist."""

import re
from datetime import timedelta

from sqlmodel import select

from gateway.access.roles import Role
from gateway.collection.model import ActionState, CollectionAction
from gateway.flows.deadlines import review_due_invoices
from tests.alerts.raising import follow
from tests.lifecycle.following import register
from tests.web.story import csrf_of, post
from tests.web.test_web_pages import text_of


def test_a_dispute_that_passed_its_deadline_is_one_task_and_is_done_at_once(site):
    database, house = site.services.database, site.story.house
    invoice = register(database, house, now=site.clock()).invoice
    follow(database, house, "207", 1, reasons=["PU_ERR"], now=site.clock())
    site.clock.advance(timedelta(days=9))
    review_due_invoices(site.services.flows, house)
    browser, here = site.signed_in(Role.AR_MANAGER), f"/invoices/{invoice.id}"
    page = browser.get(here)
    (complete,) = re.findall(r'action="(/worklist/[0-9a-f-]{36}/complete)"', page.text)
    assert "Même affaire : Litige sans issue sur la facture F1" in text_of(page)
    assert complete in browser.get("/worklist").text
    post(browser, "/language", {"language": "en"})
    assert "Same matter: Dispute without outcome on invoice F1" in text_of(browser.get(here))
    answer = browser.post(complete, data={"outcome": "Prix corrigé", "csrf": csrf_of(browser, here)})
    assert answer.status_code in (200, 303)
    with database.transaction(house) as session:
        states = session.exec(select(CollectionAction.state).where(CollectionAction.invoice_id == invoice.id)).all()
    assert states == [ActionState.DONE, ActionState.DONE]
    assert "Same matter" not in browser.get(here).text


def test_two_matters_of_one_invoice_are_two_tasks(site):
    database, house = site.services.database, site.story.house
    invoice = register(database, house, now=site.clock()).invoice
    follow(database, house, "207", 1, reasons=["PU_ERR"], now=site.clock())
    follow(database, house, "208", 2, reasons=["JUSTIF_ABS"], now=site.clock())
    page = site.signed_in(Role.AR_MANAGER).get(f"/invoices/{invoice.id}")
    assert len(re.findall(r'action="/worklist/[0-9a-f-]{36}/complete"', page.text)) == 2
    assert "Même affaire" not in page.text
