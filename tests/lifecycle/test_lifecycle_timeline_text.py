"""`gateway timeline` tells the three state lines apart, and what is expected by when."""

from datetime import date, timedelta
from uuid import uuid4

from gateway.access.scope import Scope
from gateway.alerts.awaiting import awaited_next
from gateway.cli.timeline import as_text
from gateway.jobs.channels import Channel, DeliveryFailedError
from gateway.jobs.outbox import OutboxWorker, put_in_outbox
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import Direction
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.service import record_message
from gateway.lifecycle.timeline import timeline_of
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import START, amount, message


def lines_of(database, organisation, invoice, language="fr", now=START):
    with database.transaction(organisation) as session:
        followed = invoice_by_id(session, Scope.everything(), invoice.id)
        told = timeline_of(session, Scope.everything(), followed, now, awaited_next)
    return as_text(told, language).splitlines()


def report(database, organisation):
    """A 212 of ours with its copy for the portal, both still in the outbox."""
    flow_id = uuid4()
    with database.transaction(organisation) as session:
        record_message(
            session,
            message=message("212", 2, data=[amount("MEN", "20.00", "20.00")]),
            direction=Direction.RECEIVABLE,
            document_sha256=None,
            flow_id=flow_id,
            now=START,
        )
        for for_portal in (False, True):
            put_in_outbox(
                session,
                kind=PLATFORM_FLOW,
                idempotency_key=f"k{for_portal}",
                payload={"platform": "simulator", "for_portal": for_portal},
                now=START,
                subject_id=flow_id,
            )


def test_each_line_has_its_own_place(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "200")
    record(database, organisation, "501", 1, reasons=["IRR_SYNTAX"])
    report(database, organisation)
    told = lines_of(database, organisation, invoice)
    transmission, reporting = (
        told.index(each) for each in ("remises à la plateforme", "déclarations au portail public")
    )
    assert any("200 Déposée" in each for each in told[:transmission])
    assert any("501 Irrecevable" in each for each in told[transmission:reporting])
    assert any("212 Encaissée  En attente d’envoi (simulator)" in each for each in told[transmission:reporting])
    assert any("En attente d’envoi (simulator)  Pas encore parti" in each for each in told[reporting:])


def test_a_status_is_told_with_its_reasons_amounts_and_comment_and_why_it_is_unusual(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "200")
    record(database, organisation, "207", 1, reasons=["QTE_ERR"], actions=["NIN"], comment="Deux palettes manquaient")
    record(database, organisation, "212", 2, data=[amount("MEN", "20.00", "5.50")])
    told = lines_of(database, organisation, invoice)
    dispute, receipt = (next(n for n, each in enumerate(told) if code in each) for code in ("207", "212"))
    assert told[dispute + 1].startswith(
        "      QTE_ERR Quantité facturée incorrecte — NIN Émettre une facture rectifiée — Deux palettes manquaient — "
    )
    assert told[receipt + 1].startswith("      Montant encaissé TTC 20,00\xa0€ (5,5 %)")
    assert "Suite habituelle" not in "".join(told)


def test_the_day_of_an_announced_payment_is_told(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "211", 2, data=[amount("MPA", "120.00", on=date(2026, 10, 29))])
    told = lines_of(database, organisation, invoice)
    assert "Montant payé 120,00\xa0€ le 29 octobre 2026" in "\n".join(told)


def test_each_try_is_told_under_its_delivery_and_a_single_one_that_left_is_not(database, organisation, clock):
    invoice = register(database, organisation).invoice
    report(database, organisation)
    ends = [DeliveryFailedError("HTTP 503"), "R-1", "R-2"]

    def deliver(_delivery):
        end = ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    worker = OutboxWorker(database, clock, {PLATFORM_FLOW: Channel(deliver)}, attempts=3, batch=10)
    for _ in range(2):
        worker.drain(organisation)
        clock.advance(timedelta(minutes=1))
    told = lines_of(database, organisation, invoice)
    assert [each.strip() for each in told if each.strip()[:2] in ("1.", "2.")] == [
        "1.  2026-10-05 10:00:00  Échec  HTTP 503",
        "2.  2026-10-05 10:01:00  Remis",
    ]


def test_a_line_on_which_nothing_happened_is_left_out(database, organisation):
    told = lines_of(database, organisation, register(database, organisation).invoice)
    assert not {"remises à la plateforme", "déclarations au portail public"} & set(told)


def test_what_is_expected_says_what_happens_otherwise_and_what_to_do_once_late(database, organisation):
    invoice = register(database, organisation).invoice
    record(database, organisation, "200")
    record(database, organisation, "203", 1)
    told = lines_of(database, organisation, invoice, "en")
    place = told.index("  Taken in charge (204) expected from the buyer by 16 October 2026.")
    assert told[place + 1] == "      Otherwise an alert opens: “Invoice F1 not taken in charge by the buyer”."
    late = lines_of(database, organisation, invoice, "en", START + timedelta(days=15))
    place = late.index("  en retard / late: Taken in charge (204) expected from the buyer by 16 October 2026.")
    assert late[place + 1].strip().startswith("Call the buyer")
