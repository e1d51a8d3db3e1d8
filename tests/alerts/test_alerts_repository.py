"""The inbox shows the most pressing alerts first, narrowed as asked, and never outside a person's scope."""

from uuid import uuid4

import pytest

from gateway.access.scope import Scope
from gateway.alerts.conditions import Severity
from gateway.alerts.model import AlertState
from gateway.alerts.repository import AlertFilter, count_alerts, invoices_with_unsettled_alerts, list_alerts
from gateway.alerts.service import close
from gateway.lifecycle.repository import InvoiceFilter, search_invoices
from tests.alerts.raising import follow
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import BUYER_SIREN, START

EVERYTHING = Scope.everything()
LYON, LILLE = uuid4(), uuid4()


@pytest.fixture
def inbox(database, organisation):
    """A suspension and a dispute in Lyon, a rejection in Lille, a closed alert, an invoice without trouble."""
    for number, agency in (("F1", LYON), ("F2", LYON), ("F3", LILLE), ("F4", LILLE), ("F5", LYON)):
        register(database, organisation, invoice(number), agency_id=agency)
    follow(database, organisation, "208", 1, reasons=["JUSTIF_ABS"], number="F1")
    follow(database, organisation, "207", 1, reasons=["QTE_ERR"], number="F2")
    follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"], number="F3")
    opened = follow(database, organisation, "221", 1, reasons=["ROUTAGE_ERR"], number="F4").reaction.opened
    with database.transaction(organisation) as session:
        close(session, EVERYTHING, opened.alert.id, user_id=uuid4(), because="renvoyée", now=START)


def codes(page):
    return [alert.condition.partition(".")[2] for alert in page.items]


@pytest.mark.usefixtures("inbox")
def test_the_inbox_shows_the_gravest_first_and_narrows_as_asked(database, organisation):
    with database.transaction(organisation) as session:
        for wanted, expected in (
            (AlertFilter(), ["rejected", "disputed", "suspended"]),
            (AlertFilter(states=(AlertState.CLOSED,)), ["routing_error"]),
            (AlertFilter(states=()), ["rejected", "routing_error", "disputed", "suspended"]),
            (AlertFilter(severities=(Severity.WARNING,)), ["suspended"]),
            (AlertFilter(teams=("logistics",)), ["disputed"]),
            (AlertFilter(text="LITIGE"), ["disputed"]),
            (AlertFilter(text="dispute on"), ["disputed"]),
            (AlertFilter(text="%"), []),
        ):
            assert codes(list_alerts(session, EVERYTHING, wanted)) == expected, wanted


@pytest.mark.usefixtures("inbox")
def test_the_pages_of_the_inbox_show_each_alert_once(database, organisation):
    with database.transaction(organisation) as session:
        wanted, seen, cursor = AlertFilter(states=()), [], None
        for _ in range(4):
            page = list_alerts(session, EVERYTHING, wanted, cursor=cursor, limit=1)
            seen += codes(page)
            cursor = page.next_cursor
        assert cursor is None
        assert seen == codes(list_alerts(session, EVERYTHING, wanted))


@pytest.mark.usefixtures("inbox")
def test_a_collector_sees_and_counts_only_what_is_in_scope(database, organisation):
    with database.transaction(organisation) as session:
        lyon = Scope.limited_to([LYON], [])
        assert codes(list_alerts(session, lyon, AlertFilter())) == ["disputed", "suspended"]
        assert count_alerts(session, lyon).by_state == {"open": 2}
        assert codes(list_alerts(session, Scope.limited_to([], [BUYER_SIREN]), AlertFilter(states=())))[0] == "rejected"
        assert list_alerts(session, Scope.limited_to([uuid4()], []), AlertFilter()).items == []


@pytest.mark.usefixtures("inbox")
def test_counts_add_up_and_leave_closed_alerts_out_of_severities_and_teams(database, organisation):
    with database.transaction(organisation) as session:
        counts = count_alerts(session, EVERYTHING)
    assert counts.by_state == {"open": 3, "closed": 1}
    assert counts.by_severity == {"critical": 1, "urgent": 1, "warning": 1}
    assert counts.by_team == {"billing": 1, "logistics": 1, "ar": 1}


@pytest.mark.usefixtures("inbox")
def test_invoices_can_be_searched_by_their_unsettled_alerts(database, organisation):
    with database.transaction(organisation) as session:
        wanted = InvoiceFilter(among=invoices_with_unsettled_alerts())
        numbers = {each.number for each in search_invoices(session, EVERYTHING, wanted).items}
    assert numbers == {"F1", "F2", "F3"}
