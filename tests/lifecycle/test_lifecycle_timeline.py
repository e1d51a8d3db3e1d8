"""The timeline says what happened, who said it, when, why, through whom, and what should come next."""

import json
from datetime import date
from decimal import Decimal

from gateway.access.scope import Scope
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.timeline import Timeline, timeline_of
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import START, amount


def timeline(database, organisation, invoice) -> Timeline:
    with database.transaction(organisation) as session:
        return timeline_of(session, Scope.everything(), invoice_by_id(session, Scope.everything(), invoice.id), START)


def test_an_invoice_without_any_status_has_an_empty_timeline(database, organisation):
    told = timeline(database, organisation, register(database, organisation).invoice)
    assert told.entries == ()
    assert told.status is None
    assert [each.code for each in told.expected_next] == ["200", "213"]


def test_each_status_is_told_in_words_with_its_proof(database, organisation):
    record(database, organisation, "200")
    record(database, organisation, "207", 3, reasons=["PU_ERR"], comment="Prix du devis 41.", actions=["CNP"])
    record(database, organisation, "212", 2, data=[amount("MEN", "20.00", "20.00")], now=START)
    invoice = register(database, organisation).invoice
    told = timeline(database, organisation, invoice)
    assert [entry.status.code for entry in told.entries] == ["200", "212", "207"]
    assert told.status is not None
    assert told.status.label.fr == "En litige"
    receipt, dispute = told.entries[1:]
    assert [each.label.fr for each in dispute.reasons] == ["Prix unitaires incorrects"]
    assert [each.code for each in dispute.actions] == ["CNP"]
    assert dispute.comment == "Prix du devis 41."
    assert dispute.issuer is not None
    assert dispute.issuer.label.fr == "Acheteur"
    assert (dispute.source, dispute.document_sha256) == ("platform:test", "0" * 64)
    assert receipt.verdict == "out_of_order"
    assert "207" in receipt.verdict_reason.fr
    assert [(datum.kind.code, datum.amount, datum.percent) for datum in receipt.data] == [
        ("MEN", Decimal("20.00"), Decimal("20.00"))
    ]
    assert (told.collected, told.remaining) == (Decimal("20.00"), Decimal("100.00"))


def test_an_announced_payment_tells_its_amount_and_its_day_until_money_is_received(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "211", 2, data=[amount("MPA", "120.00", on=date(2026, 10, 29))])
    told = timeline(database, organisation, invoice)
    [datum] = told.entries[0].data
    assert (datum.kind.code, datum.amount, datum.on) == ("MPA", Decimal("120.00"), date(2026, 10, 29))
    assert told.announced is not None
    assert (told.announced.on, told.announced.amount) == (date(2026, 10, 29), Decimal("120.00"))
    record(database, organisation, "212", 3, data=[amount("MEN", "120.00", "20.00")])
    assert timeline(database, organisation, invoice).announced is None


def test_a_closed_invoice_expects_nothing(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "213", 1, reasons=["REJ_SEMAN"])
    assert timeline(database, organisation, invoice).expected_next == ()


def test_the_timeline_survives_json(database, organisation):
    record(database, organisation, "212", 2, data=[amount("MEN", "20.00", "20.00")])
    told = timeline(database, organisation, register(database, organisation).invoice)
    assert Timeline.model_validate_json(told.model_dump_json()) == told
    assert json.loads(told.model_dump_json())["entries"][0]["status"]["label"]["fr"] == "Encaissée"
