"""What is written off is neither chased nor thanked for, and bears no interest; claimed penalties stand apart."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest

from gateway.access.scope import Scope
from gateway.collection.law.claiming import choose_treatment, claim_penalties, pay_penalty
from gateway.collection.law.model import Treatment
from gateway.collection.law.positions import positions_of
from gateway.collection.law.repository import paid_late
from gateway.collection.law.statute import statute
from gateway.collection.receivables import Books
from gateway.kernel.clock import ManualClock, paris_date
from gateway.treasury.accounting.importing import import_entries
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource, WriteOffKind
from gateway.treasury.receipts import record_receipt
from gateway.treasury.receivables import Dimension, Family
from gateway.treasury.writing_off import undo_write_off, write_off
from tests.collection.owing import NOW, Collecting
from tests.treasury.making_books import fec, row

ALL = Scope.everything()
LAW = statute()


@pytest.fixture
def house(database, organisation):
    """A house whose automatic reminders leave by themselves."""
    return Collecting(database, organisation, ManualClock(NOW))


def give_up(house, owed, amount=None, kind=WriteOffKind.LOSS):
    with house.database.transaction(house.organisation) as session:
        amount = None if amount is None else Decimal(amount)
        row_ = write_off(session, ALL, owed.id, amount, kind=kind, reason="x", by="user:1", now=house.clock())
        session.flush()
        return row_.id


def books(house):
    with house.database.transaction(house.organisation) as session:
        (cell,) = Books.read(session, ALL, paris_date(house.clock())).cells(Dimension.CUSTOMER)
    return {family: figure.amount for family, figure in cell.figures.items()}


def test_an_invoice_written_off_is_not_chased_until_that_is_undone(house):
    made = give_up(house, house.owe())
    house.send()
    assert house.reminders() == []
    with house.database.transaction(house.organisation) as session:
        undo_write_off(session, ALL, made, reason="x", by="user:1", now=house.clock())
    house.send()
    assert [each.total for each in house.reminders()] == [Decimal("1200.00")]


def test_only_what_is_still_awaited_is_claimed(house):
    give_up(house, house.owe(), "200.00")
    house.send()
    assert [each.total for each in house.reminders()] == [Decimal("1000.00")]


def test_a_reminder_of_an_invoice_written_off_before_it_leaves_is_withdrawn(house):
    owed = house.owe()
    house.run()
    give_up(house, owed)
    house.dispatch()
    house.deliver()
    assert ([each.state for each in house.reminders()], house.server.taken) == (["withdrawn"], [])


def test_nobody_is_thanked_for_a_bad_debt(house):
    owed = house.owe()
    house.send()
    give_up(house, owed)
    for _ in range(3):
        house.days(5)
        house.send()
    assert [each.step for each in house.reminders()] == ["relance_2"]


def test_who_paid_all_but_a_small_difference_is_thanked(house):
    owed = house.owe()
    house.send()
    house.pay(owed, "1198.00")
    give_up(house, owed, kind=WriteOffKind.SMALL_DIFFERENCE)
    house.days(8)
    house.send()
    assert [each.step for each in house.reminders()] == ["relance_2", "remerciement"]


def test_what_only_the_books_know_is_owed_and_never_chased(house):
    house.owe("F1", "300.00")
    lines = [
        row("VE", "1", "411000", "300,00", piece="F1", aux="C1", day="20261001"),
        row("VE", "1", "706000", credit="300,00", piece="F1", day="20261001"),
        row("VE", "2", "411000", "500,00", piece="V1", aux="C1", day="20260105"),
        row("VE", "2", "706000", credit="500,00", piece="V1", day="20260105"),
    ]
    content = BytesIO(fec(*lines).encode())
    import_entries(house.database, house.organisation, content, dry_run=False, by="t", now=house.clock())
    assert (books(house)[Family.BALANCE], books(house)[Family.OPENINGS]) == (800, 500)
    house.send()
    assert [each.total for each in house.reminders()] == [Decimal("300.00")]
    assert "V1" not in house.server.taken[0].payload["body"]


def late(house):
    """An invoice due in 2025, seen from March 2026, when the rates are known."""
    house.clock = ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    return house.owe("F1", "12000.00", issue_date=date(2025, 3, 31), on=date(2025, 4, 30))


def test_no_interest_runs_on_what_is_written_off_from_that_day(house):
    owed = late(house)

    def last_days():
        with house.database.transaction(house.organisation) as session:
            (position,) = positions_of(session, [owed], date(2026, 2, 28), LAW)
        return [(line.last, line.base) for line in position.sheet.lines][-1]

    assert last_days() == (date(2026, 2, 28), 12000)
    with house.database.transaction(house.organisation) as session:
        how = {"kind": WriteOffKind.LOSS, "reason": "x", "by": "user:1", "now": house.clock()}
        write_off(session, ALL, owed.id, Decimal("7000.00"), on=date(2025, 9, 30), **how)
    assert last_days() == (date(2026, 2, 28), 5000)
    with house.database.transaction(house.organisation) as session:
        write_off(session, ALL, owed.id, None, on=date(2025, 12, 31), **how)
    assert last_days()[0] <= date(2026, 1, 1)


def receive(house, owed, amount):
    """Money that came in late."""
    money = NewReceipt(
        Decimal(amount), "EUR", date(2026, 2, 1), f"VIR-{amount}", allocations={owed.id: Decimal(amount)}
    )
    with house.database.transaction(house.organisation) as session:
        record_receipt(session, ALL, money, source=ReceiptSource.API, by="t", now=house.clock())


def test_nothing_is_claimed_by_itself_for_a_bad_debt(house):
    owed = late(house)
    receive(house, owed, "7000.00")
    with house.database.transaction(house.organisation) as session:
        choose_treatment(session, Treatment.CLAIMED, reason="", by="user:1", now=house.clock())
    made = give_up(house, owed)
    with house.database.transaction(house.organisation) as session:
        assert paid_late(session, None, 10) == []
        undo_write_off(session, ALL, made, reason="x", by="user:1", now=house.clock())
    receive(house, owed, "4998.00")
    give_up(house, owed, kind=WriteOffKind.SMALL_DIFFERENCE)
    with house.database.transaction(house.organisation) as session:
        assert [each.id for each in paid_late(session, None, 10)] == [owed.id]


def test_a_claimed_penalty_is_a_receivable_beside_the_balance_until_it_is_paid(house):
    owed = late(house)
    with house.database.transaction(house.organisation) as session:
        claimed = claim_penalties(session, ALL, owed.id, LAW, until=date(2026, 2, 28), by="u", now=house.clock())
        indemnity = next(each for each in claimed if each.kind == "indemnity")
        total, penalty_id, customer_id = sum(each.amount for each in claimed), indemnity.id, indemnity.customer_id
    assert (books(house)[Family.BALANCE], books(house)[Family.PENALTIES]) == (12000, total)
    money = NewReceipt(Decimal("40.00"), "EUR", date(2026, 3, 1), "VIR-9", customer_id=customer_id)
    with house.database.transaction(house.organisation) as session:
        receipt = record_receipt(session, ALL, money, source=ReceiptSource.API, by="t", now=house.clock()).receipt
        session.flush()
        pay_penalty(session, ALL, penalty_id, Decimal("40.00"), receipt.id, by="u", now=house.clock())
    assert (books(house)[Family.BALANCE], books(house)[Family.PENALTIES]) == (12000, total - 40)
    with house.database.transaction(house.organisation) as session:
        parts = Books.read(session, ALL, paris_date(house.clock())).parts(
            Dimension.CUSTOMER, str(customer_id), "EUR", Family.PENALTIES
        )
    assert [(part.item.invoice_id, part.amount) for part in parts] == [(owed.id, total - 40)]
