"""Entries are written by the commit: all of a transaction at once, none of a savepoint that was undone."""

import pytest
from sqlalchemy import event
from sqlmodel import select

from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import append, append_all, take_turn, verify


def note(session, clock, subject: str) -> None:
    append(session, at=clock(), kind="test.noted", subject=subject, content={"amount": "1.00"})


def chain(database, organisation) -> list[str]:
    """The subjects of a chain that holds, in its order."""
    with database.transaction(organisation) as session:
        assert verify(session).holds
        return list(session.exec(select(LedgerEntry.subject).order_by(LedgerEntry.position)))


def test_all_entries_of_a_transaction_are_written_by_one_statement(database, organisation, clock):
    written: list[str] = []

    def look(_connection, _cursor, statement, *_rest):
        if "INSERT INTO ledger_entry" in statement:
            written.append(statement)

    event.listen(database.engine, "before_cursor_execute", look)
    with database.transaction(organisation) as session:
        for number in range(20):
            note(session, clock, f"F{number}")
        append_all(session, at=clock(), kind="test.noted", facts=[("G1", {}), ("G2", {})])
    event.remove(database.engine, "before_cursor_execute", look)
    assert len(written) == 1
    assert chain(database, organisation) == [*(f"F{number}" for number in range(20)), "G1", "G2"]


@pytest.mark.parametrize("turn_before", [False, True])
def test_what_a_savepoint_noted_goes_with_it_when_it_is_undone(database, organisation, clock, turn_before):
    with database.transaction(organisation) as session:
        if turn_before:
            note(session, clock, "before")
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            note(session, clock, "undone")
            with session.begin_nested():
                note(session, clock, "undone too")
            raise ZeroDivisionError
        note(session, clock, "after")
    assert chain(database, organisation) == ["before", "after"][not turn_before :]


@pytest.mark.parametrize("turn_before", [False, True])
def test_what_a_savepoint_noted_stays_when_it_is_released(database, organisation, clock, turn_before):
    with database.transaction(organisation) as session:
        if turn_before:
            note(session, clock, "before")
        with session.begin_nested():
            with session.begin_nested():
                note(session, clock, "inner")
            note(session, clock, "outer")
        with session.begin_nested():
            pass
        note(session, clock, "after")
    assert chain(database, organisation) == ["before", "inner", "outer", "after"][not turn_before :]


def test_a_transaction_that_fails_leaves_no_entry_and_its_session_forgets_them(database, organisation, clock):
    with pytest.raises(ZeroDivisionError), database.transaction(organisation) as session:
        note(session, clock, "undone")
        raise ZeroDivisionError
    with database.transaction(organisation) as session:
        take_turn(session)
    with database.transaction(organisation) as session:
        note(session, clock, "kept")
    assert chain(database, organisation) == ["kept"]
