"""E-mails leave by real SMTP, and the outbox knows whether they left, did not leave, or may have left."""

import socket
import tempfile
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from gateway.jobs.channels import Channel, Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import OutboxWorker, put_in_outbox
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from gateway.notifications.errors import MailServerAddressError
from gateway.notifications.mail import EMAIL, MailServer, mail_deliverer
from tests.lifecycle.making_events import START
from tests.notifications.mail_server import Behaviour, mail_server

STORE = DocumentStore(Path(tempfile.mkdtemp(prefix="gateway-mail-")))
PAYLOAD = {"to": "responsable@example.fr", "subject": "Facture F1\nrejetée", "body": "Bonjour,\n.\n.. à corriger.\n"}


def delivery(key: str = "notification:1", **changes: object) -> Delivery:
    return Delivery(uuid4(), key, {**PAYLOAD, **changes}, None)


def deliverer(port: int, *, user: str = "", timeout: float = 5.0):
    told = load_settings(smtp_url=f"smtp://{user}127.0.0.1:{port}", mail_from="Passerelle <gateway@example.fr>")
    return mail_deliverer(told, ManualClock(START), STORE, timeout=timeout)


def send(behaviour: Behaviour, **options):
    with mail_server(behaviour) as port:
        return deliverer(port, **options)(delivery())


def test_without_mail_server_there_is_no_deliverer():
    assert mail_deliverer(load_settings(), ManualClock(START), STORE) is None


def test_an_email_arrives_as_it_was_written():
    behaviour = Behaviour()
    message_id = send(behaviour)
    (received,) = (message_from_bytes(each, policy=default) for each in behaviour.messages)
    assert received["To"] == PAYLOAD["to"]
    assert received["From"] == "Passerelle <gateway@example.fr>"
    assert received["Subject"] == "Facture F1 rejetée"
    assert received["Message-ID"] == message_id
    assert received["Date"].datetime == START
    assert received["Auto-Submitted"] == "auto-generated"
    assert received.get_content().splitlines() == PAYLOAD["body"].splitlines()
    assert behaviour.commands[1:3] == ["mail FROM:<gateway@example.fr>", "rcpt TO:<responsable@example.fr>"]


def test_an_email_carries_its_page_its_documents_and_where_to_answer():
    letter = b"%PDF-1.7 a letter"
    told = {"name": "Lettre.pdf", "media_type": "application/pdf", "sha256": STORE.put(letter)}
    behaviour = Behaviour()
    with mail_server(behaviour) as port:
        deliverer(port)(delivery(html="<p>Bonjour à tous</p>", reply_to="recouvrement@example.fr", attachments=[told]))
    (received,) = (message_from_bytes(each, policy=default) for each in behaviour.messages)
    assert received["Reply-To"] == "recouvrement@example.fr"
    assert received.get_body(("plain",)).get_content().splitlines() == PAYLOAD["body"].splitlines()
    assert received.get_body(("html",)).get_content().strip() == "<p>Bonjour à tous</p>"
    (attached,) = received.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Lettre.pdf", letter)


def test_an_email_whose_attachment_is_lost_does_not_leave_without_it():
    lost = {"name": "Lettre.pdf", "media_type": "application/pdf", "sha256": "0" * 64}
    behaviour = Behaviour()
    with mail_server(behaviour) as port, pytest.raises(DeliveryFailedError) as failed:
        deliverer(port)(delivery(attachments=[lost]))
    assert failed.value.permanent
    assert behaviour.messages == []


def test_a_repeat_bears_the_same_message_id_and_another_message_another_one():
    behaviour = Behaviour()
    with mail_server(behaviour) as port:
        deliver = deliverer(port)
        first, again, other = deliver(delivery("a")), deliver(delivery("a")), deliver(delivery("b"))
    assert first == again
    assert other != first


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=90), max_size=6))
def test_any_text_arrives_whole(lines):
    behaviour = Behaviour()
    with mail_server(behaviour) as port:
        deliverer(port)(delivery(body="\n".join(lines)))
    received = message_from_bytes(behaviour.messages[0], policy=default).get_content().replace("\r\n", "\n")
    assert received.rstrip("\n") == "\n".join(lines).rstrip("\n")


@pytest.mark.parametrize("step", ["greeting", "mail", "recipient", "data", "message"])
@pytest.mark.parametrize(("answer", "permanent"), [("550 no such thing", True), ("451 try later", False)])
def test_a_refusal_at_any_step_means_that_nothing_left(step, answer, permanent):
    behaviour = Behaviour(**{step: answer})
    with pytest.raises(DeliveryFailedError) as failure:
        send(behaviour)
    assert failure.value.permanent is permanent
    assert answer.split(" ", 1)[1] in str(failure.value)


@pytest.mark.parametrize("step", ["greeting", "mail", "recipient", "data"])
def test_a_connection_lost_before_the_message_means_that_nothing_left(step):
    with pytest.raises(DeliveryFailedError) as failure:
        send(Behaviour(**{step: ""}))
    assert not failure.value.permanent


@pytest.mark.parametrize("answer", ["", "silence"])
def test_no_answer_after_the_message_is_ambiguous(answer):
    behaviour = Behaviour(message=answer)
    with pytest.raises(DeliveryAmbiguousError):
        send(behaviour, timeout=0.3)
    assert len(behaviour.messages) == 1


def test_a_server_that_is_not_there_is_a_failure_to_try_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeliveryFailedError) as failure:
        deliverer(port)(delivery())
    assert not failure.value.permanent


def test_a_password_is_never_sent_in_clear():
    behaviour = Behaviour(offers_auth=True)
    with pytest.raises(DeliveryFailedError, match="STARTTLS"):
        send(behaviour, user="gateway:secret@")
    assert not any("AUTH" in command.upper() for command in behaviour.commands)


@pytest.mark.parametrize("url", ["http://secret@host", "smtp://u:secret@", "smtp://secret:port", "secret:25"])
def test_an_unreadable_server_address_is_refused_without_showing_it(url):
    with pytest.raises(MailServerAddressError) as refusal:
        MailServer.of(url)
    assert "secret" not in str(refusal.value)


def test_the_parts_of_an_address_are_read():
    assert MailServer.of("smtps://jo%40x.fr:p%3Aw@mail.x.fr") == MailServer("smtps", "mail.x.fr", 465, "jo@x.fr", "p:w")
    assert MailServer.of("smtp://mail.x.fr").port == 587


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        (Behaviour(), OutboxState.SENT),
        (Behaviour(recipient="550 unknown"), OutboxState.FAILED),
        (Behaviour(mail="451 later"), OutboxState.PENDING),
        (Behaviour(message=""), OutboxState.AMBIGUOUS),
    ],
)
def test_the_outbox_keeps_what_became_of_an_email(database, organisation, clock, behaviour, state):
    with database.transaction(organisation) as session:
        put_in_outbox(session, kind=EMAIL, idempotency_key="n1", payload=PAYLOAD, now=clock())
    with mail_server(behaviour) as port:
        OutboxWorker(database, clock, {EMAIL: Channel(deliverer(port))}, attempts=3, batch=5).drain(organisation)
    with database.transaction(organisation) as session:
        (message,) = session.exec(select(OutboxMessage)).all()
    assert message.state == state
    assert (message.remote_id is not None) is (state is OutboxState.SENT)
