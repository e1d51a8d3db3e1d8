"""The message is read before it is confirmed, its documents are handed out, and nobody gets more than theirs."""

from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlmodel import col, select

from gateway.access import service
from gateway.access.model import User
from gateway.access.roles import ApiScope, Role
from gateway.collection.dispatching import dispatch
from gateway.collection.model import AddressFaultRow, Reminder, ReminderInvoice
from gateway.collection.reminding import ReminderRound, preview
from tests.web.story import Site, post
from tests.web.test_web_reminders import LATER


@pytest.fixture
def late(site: Site) -> Site:
    """The story, months later, before any round of reminders."""
    site.clock.advance(LATER - site.clock())
    return site


def the_reminder(site: Site) -> Reminder:
    """The reminder of the invoice that goes on in silence."""
    ReminderRound(site.services.database, site.clock, automatic=False).run(site.story.house)
    with site.services.database.transaction(site.story.house) as session:
        about = select(ReminderInvoice.reminder_id).where(ReminderInvoice.number == site.story.numbers["silent"])
        return session.exec(select(Reminder).where(col(Reminder.id).in_(about))).one()


def changed(site: Site, reminder: Reminder, **values: object) -> Reminder:
    """The reminder as it stands, with other facts."""
    with site.services.database.transaction(site.story.house) as session:
        row = session.get_one(Reminder, reminder.id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        return row


def text_of(answer) -> str:
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)


def program(site: Site):
    with site.services.database.transaction(site.story.house) as session:
        made = service.create_client(session, name="ERP", scopes=[ApiScope.COLLECTION_READ], now=site.clock())
    caller = site.browser()
    told = {"grant_type": "client_credentials"}
    token = caller.post("/oauth2/token", data=told, auth=(made.client.client_id, made.secret)).json()["access_token"]
    caller.headers["authorization"] = f"Bearer {token}"
    return caller


def test_a_formal_notice_is_read_before_it_is_confirmed_and_its_papers_after_with_the_evidence(late):
    reminder = changed(late, the_reminder(late), channel="registered_letter", template="mise_en_demeure")
    browser, here = late.signed_in(Role.AR_MANAGER), f"/reminders/{reminder.id}"
    number = late.story.numbers["silent"]
    page = browser.get(here).text
    assert "Le message tel qu’il partirait" in page
    assert "MISE EN DEMEURE" in page
    assert "Le dossier de preuve de chaque facture" in page
    letter = text_of(browser.get(f"{here}/documents/1"))
    assert number in letter
    assert browser.get(f"{here}/documents/9").status_code == 404
    post(browser, f"{here}/confirm", {"note": "Dernier avis."})
    dispatch(late.services.reminders, late.story.house)
    reminder = changed(late, reminder)
    assert (reminder.state, [each["kind"] for each in reminder.documents]) == (
        "todo",
        ["letter", "statement", "invoice", "evidence"],
    )
    page = browser.get(here).text
    assert "dossier de preuve, conservé et non envoyé" in page
    assert "Dernier avis." in text_of(browser.get(f"{here}/documents/1"))
    evidence = browser.get(f"{here}/documents/4")
    assert evidence.headers["content-type"] == "application/zip"
    assert evidence.content.startswith(b"PK")
    assert program(late).get(f"/api/v1{here}/documents/4").content == evidence.content


def test_the_next_message_is_read_in_the_preview_and_by_programs_as_the_reminder_then_says_it(late):
    browser, caller = late.signed_in(Role.AR_MANAGER), program(late)
    shown = browser.get("/reminders/preview").text
    assert "/reminders/preview/message?customer=" in shown
    with late.services.database.transaction(late.story.house) as session:
        decision = next(each for each in preview(session, late.clock()) if each.step is not None)
    asked = {"customer": str(decision.account.customer.id), "currency": decision.account.currency}
    page = browser.get("/reminders/preview/message", params=asked).text
    told = caller.get("/api/v1/reminders/preview/message", params=asked).json()
    assert told["subject"] in page.replace("&#39;", "'")
    letter = caller.get("/api/v1/reminders/preview/documents/1", params=asked)
    assert letter.content == browser.get("/reminders/preview/documents/1", params=asked).content
    reminder = the_reminder(late)
    now = caller.get(f"/api/v1/reminders/{reminder.id}/message").json()
    assert (now["subject"], now["text"]) == (told["subject"], told["text"])
    assert caller.get("/api/v1/reminders/preview/message", params=asked).json()["code"] == "NOTHING_TO_SEND"


def test_who_sees_another_part_of_the_organisation_reads_neither_message_nor_documents(late):
    reminder = the_reminder(late)
    with late.services.database.transaction(late.story.house) as session:
        user = session.exec(select(User).where(User.role == Role.COLLECTOR.value)).one()
        service.limit_user(session, user, agencies=[], key_accounts=["443061841"])
    browser = late.signed_in(Role.COLLECTOR)
    asked = {"customer": str(reminder.customer_id)}
    assert browser.get("/reminders/preview/message", params=asked).status_code == 404
    assert browser.get("/reminders/preview/documents/1", params=asked).status_code == 404
    assert browser.get(f"/reminders/{reminder.id}/documents/1").status_code == 404


def test_an_e_mail_that_came_back_stops_its_address_until_a_person_says_it_is_right(late):
    reminder = the_reminder(late)
    told = {"role": "accounting", "name": "Mme Durand", "email": "d@example.fr", "phone": None}
    contact = {**told, "language": "fr", "postal": []}
    changed(late, reminder, channel="email", state="sent", sent_at=late.clock(), contact=contact)
    browser, here = late.signed_in(Role.COLLECTOR), f"/reminders/{reminder.id}"
    customer = f"/customers/{reminder.customer_id}"
    post(browser, f"{customer}/contacts", {"role": "accounting", "name": "Mme Durand", "email": "d@example.fr"})
    assert post(browser, f"{here}/bounce", {"reason": " "}).status_code == 422
    answer = post(browser, f"{here}/bounce", {"reason": "Boîte <inconnue>", "next": here})
    assert answer.headers["location"] == f"{here}?done=reminder_bounced"
    listed = browser.get("/worklist").text
    assert "Trouver la bonne adresse" in listed
    assert "Boîte &lt;inconnue&gt;" in browser.get(customer).text
    with late.services.database.transaction(late.story.house) as session:
        fault = session.exec(select(AddressFaultRow)).one()
    lift = f"/address-faults/{fault.id}/lift"
    assert post(late.signed_in(Role.READER), lift, {}).status_code == 403
    assert post(browser, lift, {}).headers["location"].startswith(customer)
    assert "Trouver la bonne adresse" not in browser.get("/worklist").text
