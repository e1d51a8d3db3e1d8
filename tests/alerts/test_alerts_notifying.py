"""A new alert reaches the people whose matter it is, once each, in their language."""

from uuid import uuid4

from sqlmodel import select

from gateway.access.model import Agency, User, UserAgency, UserKeyAccount
from gateway.alerts.notifying import tell_people
from gateway.jobs.model import OutboxMessage
from gateway.kernel.text import french_spaces
from gateway.notifications.model import Notification
from gateway.notifications.service import Channels
from tests.alerts.raising import follow
from tests.lifecycle.following import register
from tests.lifecycle.making_events import BUYER_SIREN, START

BY_EMAIL = Channels(by_email=True, public_url="https://gateway.example")
IN_PAGES = Channels(by_email=False)


def person(session, organisation, name, role, *, language="fr", active=True):
    user = User(
        organisation_id=organisation,
        email=f"{name}@example.fr",
        name=name,
        password_hash="-",
        role=role,
        language=language,
        is_active=active,
        created_at=START,
    )
    session.add(user)
    session.flush()
    return user


def staff(database, organisation):
    """Everyone the organisation employs; the agency of Lyon is the one whose invoice is in trouble."""
    with database.transaction(organisation) as session:
        lyon, lille = (
            Agency(organisation_id=organisation, siret=siret, code=code, name=code)
            for siret, code in (("73282932000074", "LYO"), ("73282932000082", "LIL"))
        )
        session.add_all([lyon, lille])
        session.flush()
        person(session, organisation, "manager", "ar_manager")
        person(session, organisation, "manager-en", "ar_manager", language="en")
        person(session, organisation, "gone", "ar_manager", active=False)
        person(session, organisation, "reader", "reader")
        person(session, organisation, "collector-all", "collector")
        for name, agency in (("collector-lyon", lyon), ("collector-lille", lille)):
            user = person(session, organisation, name, "collector")
            session.add(UserAgency(organisation_id=organisation, user_id=user.id, agency_id=agency.id))
        key = person(session, organisation, "collector-key", "collector")
        session.add(UserKeyAccount(organisation_id=organisation, user_id=key.id, customer_siren=BUYER_SIREN))
        other = person(session, organisation, "collector-other-key", "collector")
        session.add(UserKeyAccount(organisation_id=organisation, user_id=other.id, customer_siren="443061841"))
        return lyon.id


def tell(database, organisation, alert, channels):
    with database.transaction(organisation) as session:
        return tell_people(session, alert, channels, now=START)


def told(database, organisation):
    with database.transaction(organisation) as session:
        rows = session.exec(select(User.email, Notification).join(User, User.id == Notification.user_id)).all()
        return {email.removesuffix("@example.fr"): notification for email, notification in rows}


def test_managers_and_the_collectors_in_scope_are_told(database, organisation):
    lyon = staff(database, organisation)
    register(database, organisation, agency_id=lyon)
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    tell(database, organisation, opened.alert, IN_PAGES)
    notices = told(database, organisation)
    assert set(notices) == {"manager", "manager-en", "collector-all", "collector-lyon", "collector-key"}
    assert notices["manager"].subject == opened.alert.title_fr
    assert notices["manager-en"].subject == opened.alert.title_en
    assert french_spaces(opened.alert.next_step_fr) in notices["manager"].body
    assert notices["manager"].link == f"/alerts/{opened.alert.id}"


def test_an_alert_without_known_invoice_goes_to_those_who_see_everything(database, organisation):
    staff(database, organisation)
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    tell(database, organisation, opened.alert, IN_PAGES)
    assert set(told(database, organisation)) == {"manager", "manager-en", "collector-all"}


def test_nobody_is_told_twice_and_each_new_notification_is_one_email(database, organisation):
    staff(database, organisation)
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    first = tell(database, organisation, opened.alert, BY_EMAIL)
    assert len(first) == 3
    assert tell(database, organisation, opened.alert, BY_EMAIL) == []
    with database.transaction(organisation) as session:
        messages = session.exec(select(OutboxMessage)).all()
    assert {message.subject_id for message in messages} == set(first)
    assert {message.kind for message in messages} == {"email"}
    assert {message.payload["to"] for message in messages} == {
        f"{name}@example.fr" for name in ("manager", "manager-en", "collector-all")
    }
    assert all(f"https://gateway.example/alerts/{opened.alert.id}" in message.payload["body"] for message in messages)


def test_without_mail_server_nothing_is_put_in_the_outbox(database, organisation):
    staff(database, organisation)
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    assert tell(database, organisation, opened.alert, IN_PAGES)
    with database.transaction(organisation) as session:
        assert session.exec(select(OutboxMessage)).all() == []


def test_the_people_of_another_organisation_are_never_told(database, organisation, other_organisation):
    with database.transaction(other_organisation) as session:
        person(session, other_organisation, f"manager-{uuid4().hex[:6]}", "ar_manager")
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    assert tell(database, organisation, opened.alert, BY_EMAIL) == []
