"""The page of an invoice tells its three state lines, what is expected by when, and the chain of its corrections."""

import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import select

from gateway.access.roles import Role
from gateway.flows.emission.orders import CollectedAmount, StatusOrder
from gateway.flows.emission.service import give_status
from gateway.invoices.model import PrecedingInvoice
from gateway.invoices.reading import read_invoice
from gateway.jobs.model import OutboxMessage, TryOutcome
from gateway.jobs.tries import Try, keep_tries
from gateway.kernel.dated import data_file
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.service import record_message, register_invoice
from tests.lifecycle.making_events import amount, message
from tests.web.story import Site, post


@pytest.fixture
def manager(site):
    return site.signed_in(Role.AR_MANAGER)


def record_of(session, number: str) -> InvoiceRecord:
    return session.exec(select(InvoiceRecord).where(InvoiceRecord.number == number)).one()


def receive(site: Site, number: str, code: str, **details) -> None:
    """A status of another, about an invoice of the story, just now."""
    with site.services.database.transaction(site.story.house) as session:
        record, now = record_of(session, number), site.clock()
        told = message(code, number=number, **details)
        instant = told.status_at.model_copy(update={"raw": f"{now + timedelta(hours=2):%Y%m%d%H%M%S}"})
        [document] = told.documents
        seller = document.seller.model_copy(
            update={"ids": (document.seller.ids[0].model_copy(update={"value": record.seller_siren}),)}
        )
        issued = document.issued.model_copy(update={"raw": f"{record.issue_date:%Y%m%d}"})
        about = document.model_copy(update={"seller": seller, "issued": issued})
        record_message(
            session,
            message=told.model_copy(update={"documents": (about,), "status_at": instant, "issued": instant}),
            direction=Direction.RECEIVABLE,
            document_sha256=None,
            flow_id=None,
            now=now,
            source="platform:simulator",
        )


def give_receipt(site: Site, number: str) -> None:
    """A 212 of ours of the whole invoice, with its copy for the portal."""
    with site.services.database.transaction(site.story.house) as session:
        record = record_of(session, number)
        parts = tuple(
            CollectedAmount(rate=Decimal(rate), amount=Decimal(total)) for rate, total in record.totals_by_rate.items()
        )
        order = StatusOrder(status="212", collected=parts, to_portal=True)
        give_status(session, site.services.flows, record, order, now=site.clock())
    site.services.engine.run_until_idle()


def correct(site: Site, number: str, by: str) -> None:
    """Register an invoice of ours that refers to another one."""
    with site.services.database.transaction(site.story.house) as session:
        record = record_of(session, number)
        invoice = read_invoice(site.services.documents.get(record.document_sha256), site.services.flows.limits).invoice
        register_invoice(
            session,
            invoice=invoice.model_copy(
                update={"number": by, "preceding_invoices": (PrecedingInvoice(number=number),), "type_code": "384"}
            ),
            document=InvoiceDocument(record.syntax, record.profile, record.document_sha256),
            flow_id=None,
            agency_id=record.agency_id,
            direction=Direction.RECEIVABLE,
            now=site.clock(),
        )


def section(page, name: str) -> str:
    """The text of a state line of the page."""
    found = re.search(rf'<h3 id="{name}">(.*?)</ol>\s*(?=<h3|</section>)', page.text, re.DOTALL)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_the_delivery_of_the_invoice_is_told_with_its_acknowledgement_and_what_answers_it(site, manager):
    receive(site, "F-SILENT", "213", reasons=["DOUBLON"])
    page = manager.get(site.invoice("silent"))
    told = section(page, "transmission")
    assert "La facture" in told
    assert "Remise à la plateforme" in told
    assert "Identifiant chez la plateforme" in told
    assert "Rejetée" in told
    assert "DOUBLON" in told
    with site.services.database.transaction(site.story.house) as session:
        assert record_of(session, "F-SILENT").status != "213"


def test_a_report_to_the_portal_is_open_then_accepted_by_silence(site, manager):
    give_receipt(site, "F-SILENT")
    path = site.invoice("silent")
    assert "un refus peut encore venir jusqu’au" in section(manager.get(path), "reporting")
    site.clock.advance(timedelta(days=data_file("lifecycle.toml")["ppf"]["refusal_days"]))
    manager = site.signed_in(Role.AR_MANAGER)
    assert "Accepté par silence" in section(manager.get(path), "reporting")


def test_a_report_that_the_portal_refuses_says_so_with_its_reason(site, manager):
    give_receipt(site, "F-SILENT")
    site.clock.advance(timedelta(hours=3))
    receive(site, "F-SILENT", "601", reasons=["REJ_ENCAISSEMENT"])
    told = section(site.signed_in(Role.AR_MANAGER).get(site.invoice("silent")), "reporting")
    assert "Refusé par le portail public" in told
    assert "Encaissement non ventilé par taux de TVA" in told


def test_what_the_portal_refused_is_told_it_again_by_the_same_button(site, manager):
    give_receipt(site, "F-SILENT")
    site.clock.advance(timedelta(hours=3))
    receive(site, "F-SILENT", "601", reasons=["REJ_HAB"])
    site.clock.advance(timedelta(minutes=1))
    with site.services.database.transaction(site.story.house) as session:
        messages = session.exec(select(OutboxMessage).where(OutboxMessage.kind == "platform.flow")).all()
        [refused] = [each for each in messages if each.payload.get("for_portal")]
        path = f"{site.invoice('silent')}/deliveries/{refused.id}/resend"
    manager = site.signed_in(Role.AR_MANAGER)
    assert path in manager.get(site.invoice("silent")).text
    assert post(manager, path, {}).status_code == 303
    page = manager.get(site.invoice("silent"))
    assert path not in page.text
    told = section(page, "reporting")
    assert "Refusé par le portail public" in told
    assert "Pas encore parti" in told


def test_what_has_not_left_says_why(site, manager):
    give_receipt(site, "F-SILENT")
    with site.services.database.transaction(site.story.house) as session:
        for waiting in session.exec(select(OutboxMessage).where(OutboxMessage.kind == "platform.flow")):
            waiting.state, waiting.sent_at, waiting.last_error, waiting.attempts = "pending", None, "HTTP 503", 3
            session.add(waiting)
    told = section(manager.get(site.invoice("silent")), "reporting")
    assert "En attente d’envoi" in told
    assert "3 essais" in told
    assert "HTTP 503" in told


def test_a_file_that_its_platform_refused_is_sent_again_by_a_button_for_those_who_may(site, manager):
    with site.services.database.transaction(site.story.house) as session:
        flow_id = record_of(session, "F-SILENT").flow_id
        refused = session.exec(select(OutboxMessage).where(OutboxMessage.subject_id == flow_id)).one()
        refused.answer = {"status": "Error", "at": site.clock().isoformat(), "remarks": []}
        session.add(refused)
        path = f"{site.invoice('silent')}/deliveries/{refused.id}/resend"
    collector = site.signed_in(Role.COLLECTOR)
    assert path not in collector.get(site.invoice("silent")).text
    assert post(collector, path, {}).status_code == 403
    assert path in manager.get(site.invoice("silent")).text
    elsewhere = path.replace(site.invoice("silent"), site.invoice("paid"))
    assert post(manager, elsewhere, {}).status_code == 404
    answer = post(manager, path, {})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{site.invoice('silent')}?done=resent")
    assert path not in manager.get(site.invoice("silent")).text
    with site.services.database.transaction(site.story.house) as session:
        keys = session.exec(select(OutboxMessage.idempotency_key).where(OutboxMessage.subject_id == flow_id)).all()
    assert sorted(keys) == [refused.idempotency_key, f"{refused.idempotency_key}-2"]


def test_each_try_of_a_delivery_is_shown_with_its_reason_as_text(site, manager):
    path = site.invoice("silent")
    with site.services.database.transaction(site.story.house) as session:
        record, now = record_of(session, "F-SILENT"), site.clock()
        sent = session.exec(select(OutboxMessage).where(OutboxMessage.subject_id == record.flow_id)).one()
        sent.last_error = "<b>HTTP 503</b>"
        keep_tries(session, [Try(sent, TryOutcome.FAILED, now, now)])
    told = manager.get(path).text
    assert 'Échec <span class="quiet">&lt;b&gt;HTTP 503' in told
    assert "Échec HTTP 503" not in section(manager.get(site.invoice("paid")), "transmission")


def test_the_day_of_a_payment_announced_is_shown(site, manager):
    receive(site, "F-SILENT", "211", data=[amount("MPA", "120.00", on=date(2026, 10, 29))])
    page = " ".join(re.sub(r"<[^>]+>", " ", manager.get(site.invoice("silent")).text).split())
    assert "Montant payé : 120,00 € le 29 oct. 2026" in page


def test_what_is_expected_by_when_and_what_happens_otherwise_is_told(site, manager):
    page = " ".join(manager.get(site.invoice("silent")).text.split())
    assert re.search(r"Mise à disposition \(203\) attendue de la plateforme de l’acheteur au plus tard le", page)
    assert "Sinon, une alerte s’ouvre : « Facture F-SILENT pas encore mise à disposition »." in page
    assert "à l’échéance, le" in page


def test_the_chain_of_corrections_is_linked_both_ways(site, manager):
    correct(site, "F-REJECTED", "F-CORRIGEE")
    first = manager.get(site.invoice("rejected")).text
    [corrected] = re.findall(r'<a href="(/invoices/[0-9a-f-]{36})">F-CORRIGEE</a>', first)
    second = manager.get(corrected).text
    assert f'<a href="{site.invoice("rejected")}">F-REJECTED</a>' in second
    assert "Rejetée" in second


def test_every_recorded_message_is_one_click_away(site, manager):
    path = site.invoice("paid")
    links = re.findall(rf'href="({path}/messages/[0-9a-f-]{{36}})" download', manager.get(path).text)
    assert len(links) >= 5
    for link in links:
        assert b"CrossDomainAcknowledgementAndResponse" in manager.get(link).content


def test_the_page_shows_what_the_platform_made_of_the_file_and_why(site, manager):
    path = site.invoice("paid")
    remark = {"level": "Error", "item": "file", "reason_code": "VirusFound", "message": "<b>A virus</b>"}
    with site.services.database.transaction(site.story.house) as session:
        record = session.get_one(InvoiceRecord, UUID(path.rsplit("/", 1)[1]))
        sent = session.exec(select(OutboxMessage).where(OutboxMessage.subject_id == record.flow_id)).one()
        sent.answer = {"status": "Error", "at": site.clock().isoformat(), "remarks": [remark]}
        session.add(sent)
    page = manager.get(path).text
    assert "Refusée par la plateforme" in page
    assert "<code>VirusFound</code> file &lt;b&gt;A virus" in page
