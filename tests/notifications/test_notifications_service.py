"""A notification waits in the pages until it is read."""

from uuid import uuid4

from gateway.kernel.text import Text
from gateway.notifications.repository import count_unread, notifications_of
from gateway.notifications.service import Channels, Notice, Recipient, mark_read, notify
from tests.lifecycle.making_events import START

SOMEONE, SOMEONE_ELSE = (Recipient(uuid4(), f"{name}@example.fr", "fr") for name in ("un", "deux"))
CHANNELS = Channels(by_email=False)


def notice(key: str) -> Notice:
    return Notice(key, Text(f"Sujet {key}", f"Subject {key}"), Text("Corps", "Body"), "/alerts")


def test_each_person_reads_notifications_alone(database, organisation):
    with database.transaction(organisation) as session:
        notify(session, [SOMEONE, SOMEONE_ELSE], notice("a"), CHANNELS, now=START)
        notify(session, [SOMEONE], notice("b"), CHANNELS, now=START)
        assert {each.subject for each in notifications_of(session, SOMEONE.user_id)} == {"Sujet a", "Sujet b"}
        assert mark_read(session, SOMEONE.user_id, now=START) == 2
        assert mark_read(session, SOMEONE.user_id, now=START) == 0
        assert (count_unread(session, SOMEONE.user_id), count_unread(session, SOMEONE_ELSE.user_id)) == (0, 1)
        assert all(each.read_at == START for each in notifications_of(session, SOMEONE.user_id))


def test_notifications_stay_inside_their_organisation(database, organisation, other_organisation):
    with database.transaction(organisation) as session:
        notify(session, [SOMEONE], notice("a"), CHANNELS, now=START)
    with database.transaction(other_organisation) as session:
        assert notifications_of(session, SOMEONE.user_id) == []
