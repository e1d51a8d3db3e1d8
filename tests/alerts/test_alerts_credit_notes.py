"""An alert about a credit note (BT-3) says so: nothing to pay, nothing to chase, no invoice."""

import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gateway.alerts.conditions import alert_for
from gateway.alerts.deadline_policy import deadline_policy
from gateway.alerts.deadlines import InvoiceFacts, Unsent, overdue
from gateway.alerts.refused_deliveries import RefusedDelivery, alert_for_refused_delivery
from gateway.alerts.refused_flows import RefusedFlow, alert_for_refused_flow
from gateway.alerts.unaddressable import alert_for_unaddressable
from gateway.collection.decisions import action_for
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.projection import InvoiceAmounts, project
from gateway.lifecycle.statuses import status
from tests.alerts.raising import ALERTING, follow
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import START, event

KEY = InvoiceKey("A1", "552100554", 2026)
CREDITED = Decimal("-120.00")
#: A word for an invoice; software that invoices, and what was invoiced, are something else.
OF_AN_INVOICE = re.compile(r"\b(factures?|invoices?)\b", re.IGNORECASE)


def says_invoice(decision):
    """What an alert and its action say of an invoice."""
    action = action_for(decision, date(2026, 10, 5))
    texts = (decision.title, decision.reason, decision.next_step, action.title, action.explanation)
    return {found for text in texts for said in (text.fr, text.en) for found in OF_AN_INVOICE.findall(said)}


def alert_on(code, *, credit_note):
    given = event(code, 3, reasons=[ALERTING[code]])
    decision = alert_for(given, project([given], InvoiceAmounts(CREDITED, "EUR")), credit_note=credit_note)
    assert decision is not None
    return decision


@pytest.mark.parametrize("code", sorted(ALERTING))
def test_a_status_of_a_credit_note_is_told_as_one(code):
    assert says_invoice(alert_on(code, credit_note=False))
    told = alert_on(code, credit_note=True)
    assert says_invoice(told) == set()
    assert "avoir" in told.title.fr.lower()
    assert "credit note" in told.title.en.lower()


def test_a_reason_sends_the_same_steps_whatever_the_document_is():
    routes = [route["next"] for route in data_file("alerts.toml")["route"]]
    assert [each for each in routes if OF_AN_INVOICE.search(each["fr"] + each["en"])] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"unsent": (Unsent(START, False),)},
        {"unsent": (Unsent(START, False, "212", "abc"),)},
        {"sent_at": START},
    ],
    ids=["not sent", "status not sent", "not deposited"],
)
def test_a_credit_note_that_is_late_is_told_as_one(changes):
    known = InvoiceFacts(KEY, "EUR", CREDITED, date(2026, 10, 1), is_credit_note=True, **changes)
    standing = project([], InvoiceAmounts(CREDITED, "EUR"))
    (late,) = overdue(known, standing, deadline_policy(date(2026, 10, 5)), START + timedelta(days=30))
    assert says_invoice(late.alert) == set()
    assert "avoir" in late.alert.title.fr.lower()


@pytest.mark.parametrize(("code", "reason"), [("207", "PU_ERR"), ("208", "JUSTIF_ABS"), ("205", "")])
def test_no_other_deadline_runs_for_a_credit_note(code, reason):
    known = InvoiceFacts(KEY, "EUR", CREDITED, date(2026, 10, 1), sent_at=START, is_credit_note=True)
    standing = project([event(code, reasons=[reason] if reason else [])], InvoiceAmounts(CREDITED, "EUR"))
    assert overdue(known, standing, deadline_policy(date(2026, 10, 5)), START + timedelta(days=60)) == []


def test_a_file_of_a_credit_note_that_was_not_sent_is_told_as_one():
    problems = [Text("Total faux.", "Wrong total.")]
    told = alert_for_refused_flow(RefusedFlow(uuid4(), "a.xml", problems, "A1", is_credit_note=True), START)
    assert says_invoice(told) == set()
    assert told.title.fr.startswith("Avoir A1 non envoyé")


def test_a_credit_note_that_cannot_be_routed_is_told_as_one():
    told = alert_for_unaddressable(KEY, Text("Inconnu.", "Unknown."), Text("Corrigez.", "Correct."), credit_note=True)
    assert says_invoice(told) == set()
    assert told.reason.fr.startswith("Inconnu. L’avoir est parti")


@pytest.mark.parametrize("code", [None, "212"])
def test_a_credit_note_that_a_platform_refused_is_told_as_one(database, organisation, code):
    credited = register(database, organisation, invoice("A1", type_code="381")).invoice
    refused = RefusedDelivery(uuid4(), "p1", "a.xml", (), status(code) if code else None, credited)
    told = alert_for_refused_delivery(refused)
    assert says_invoice(told) == set()
    assert told.title.fr.startswith("Avoir A1")


def test_the_type_of_what_was_registered_chooses_the_words(database, organisation):
    register(database, organisation, invoice(type_code="381"))
    followed = follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"])
    assert followed.reaction.opened.alert.title_fr == "Avoir F1 rejeté"
    assert followed.action.title_fr == "Corriger et réémettre : avoir F1"
