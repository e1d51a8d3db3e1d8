"""Every projection is what its events say: computed again, it is the same to the byte."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlmodel import select

from gateway.kernel.text import Text
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import take_turn
from gateway.lifecycle import repository
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import project
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.records import (
    InvoiceDocument,
    MessageOrigin,
    amounts_of,
    event_row,
    invoice_record,
    key_of_invoice,
)
from gateway.lifecycle.service import record_message, register_invoice
from gateway.lifecycle.statuses import StateLine, all_statuses
from gateway.lifecycle.transitions import Transition, TransitionKind
from tests.database.waiting import wait_until_one_waits_for_a_lock
from tests.lifecycle.following import invoice, now_known, record, register
from tests.lifecycle.making_events import START, amount, message

REASONS = {"206": ["PU_ERR"], "207": ["QTE_ERR"], "208": ["JUSTIF_ABS"], "210": ["TX_TVA_ERR"], "501": ["IRR_SYNTAX"]}
CODES = [*(each.code for each in all_statuses()), "280", "999"]
DOCUMENT = InvoiceDocument("UBL", "EN 16931", "0" * 64)

LATER = START + timedelta(days=1)

#: What arrives, in this order: the number of an invoice with a message about it, or with the invoice itself (None).
Arrivals = list[tuple[str, CdarMessage | None]]


def histories(rng: Random, count: int) -> Arrivals:
    """The histories of so many invoices, mixed.

    An invoice comes before, among or after its statuses, twice, or never. Statuses come in any order, several at one
    instant, again under another message id, with unknown codes, and (501, 221) without the seller they speak of.
    """
    arrivals: list[tuple[float, str, CdarMessage | None]] = []
    for number in (f"H{rank}" for rank in range(count)):
        statuses = [_status(rng, number) for _ in range(rng.randint(0, 7))]
        repeated = rng.choices(statuses, k=rng.randint(0, 2)) if statuses else []
        again = [each.model_copy(update={"message_id": f"{each.message_id}#2"}) for each in repeated]
        registrations = [None] * rng.choice([0, 1, 1, 1, 1, 1, 2])
        arrivals += [(rng.random(), number, each) for each in [*statuses, *again, *registrations]]
    return [(number, what) for _, number, what in sorted(arrivals, key=lambda each: each[0])]


def _status(rng: Random, number: str) -> CdarMessage:
    code = rng.choice([*CODES, *["212"] * 6, *["213"] * 3])
    reasons = rng.choice([["DOUBLON"], ["REJ_SEMAN"], ["INCONNU"]]) if code == "213" else REASONS.get(code, [])
    money = [amount("MEN", f"{rng.randint(-60, 120)}.00", rng.choice(["20.00", "5.50"]))] if code == "212" else []
    told = message(code, rng.randint(0, 4), reasons=reasons, data=money, number=number)
    if code in ("501", "221") and rng.random() < 0.5:
        document = told.documents[0].model_copy(update={"seller": None})
        return told.model_copy(update={"documents": (document,)})
    return told


def projections(database, organisation):
    with database.transaction(organisation) as session:
        return {row.number: row.model_dump_json() for row in session.exec(select(InvoiceRecord))}


def rows_of(database, organisation):
    with database.transaction(organisation) as session:
        return {row.number: row.model_dump() for row in session.exec(select(InvoiceRecord))}


def take_one_by_one(session, arrivals: Arrivals) -> None:
    """As the service takes them: each thing alone, the projection brought up to date each time."""
    common = {"direction": Direction.RECEIVABLE, "flow_id": None, "now": START}
    for number, what in arrivals:
        if what is None:
            register_invoice(session, invoice=invoice(number), document=DOCUMENT, agency_id=None, **common)
        else:
            record_message(session, message=what, document_sha256=None, **common)


@pytest.mark.parametrize("seed", range(2))
def test_rebuilding_gives_the_same_bytes_as_taking_random_histories_one_thing_at_a_time(seed, database, organisation):
    with database.transaction(organisation) as session:
        take_one_by_one(session, histories(Random(seed), 60))
    before = projections(database, organisation)
    result = rebuild(database, organisation, now=LATER)
    assert (result.invoices, result.corrected) == (len(before), ())
    assert projections(database, organisation) == before


def test_rebuilding_two_thousand_random_histories_from_nothing_gives_what_their_events_say(database, organisation):
    """Only the rows of invoices and events are written; every projection is left to the rebuild."""
    arrivals = histories(Random(2026), 2_000)
    numbers = sorted({number for number, what in arrivals if what is None})
    told = [event for _, what in arrivals if what is not None for event in events_of(what, START)]
    unique = {event.fingerprint: event for event in reversed(told)}.values()
    first = Transition(TransitionKind.EXPECTED, Text("", ""))
    origin, facts = MessageOrigin(Direction.RECEIVABLE), {"flow_id": None, "agency_id": None, "now": START}
    with database.transaction(organisation) as session:
        session.add_all(
            invoice_record(
                invoice(number), DOCUMENT, organisation_id=organisation, direction=Direction.RECEIVABLE, **facts
            )
            for number in numbers
        )
        session.add_all(event_row(each, first, origin, organisation_id=organisation, now=START) for each in unique)
    assert rebuild(database, organisation, now=LATER).invoices == len(numbers) > 1_600
    of_number: dict[str, list[StatusEvent]] = {}
    for event in unique:
        of_number.setdefault(event.key.number, []).append(event)
    with database.transaction(organisation) as session:
        for row in session.exec(select(InvoiceRecord)):
            speaking = [
                each
                for each in of_number.get(row.number, [])
                if each.key == key_of_invoice(row) or each.line is not StateLine.INVOICE
            ]
            assert row.state == project(speaking, amounts_of(row)).model_dump(mode="json"), row.number


def test_a_projection_changed_by_hand_is_put_right_and_named(database, organisation):
    followed = register(database, organisation).invoice
    record(database, organisation, "212", 1, data=[amount("MEN", "20.00", "20.00")])
    right = now_known(database, organisation, followed.id).model_dump()
    with database.transaction(organisation) as session:
        tampered = session.get_one(InvoiceRecord, followed.id)
        tampered.status, tampered.collected, tampered.state = "205", Decimal("99.00"), {}
    done = []
    result = rebuild(database, organisation, now=LATER, progress=lambda *each: done.append(each))
    assert result.corrected == (followed.id,)
    assert done == [(1, 1)]
    after = now_known(database, organisation, followed.id).model_dump()
    assert {**after, "next_check_at": None} == {**right, "next_check_at": None}
    assert after["next_check_at"] == LATER, "its deadlines were judged by a wrong state"


def test_events_change_nothing_of_an_invoice_but_what_a_rebuild_computes_and_when_it_is_looked_at(
    database, organisation
):
    """So that no other column of an invoice is a projection that a rebuild would forget."""
    arrivals = histories(Random(7), 25)
    numbers = sorted({number for number, what in arrivals if what is None})
    with database.transaction(organisation) as session:
        take_one_by_one(session, [(number, None) for number in numbers])
    before = rows_of(database, organisation)
    with database.transaction(organisation) as session:
        take_one_by_one(session, [each for each in arrivals if each[1] is not None])
    after = rows_of(database, organisation)
    changed = {name for number in numbers for name in before[number] if before[number][name] != after[number][name]}
    assert changed == {"status", "status_at", "collected", "remaining", "is_closed", "state"}
    # Turned to nonsense, each of them comes back.
    with database.transaction(organisation) as session:
        for row in session.exec(select(InvoiceRecord)):
            row.status, row.status_at, row.state, row.is_closed = "999", START - timedelta(days=99), {}, True
            row.collected = row.remaining = Decimal("-1.00")
    assert len(rebuild(database, organisation, now=START).corrected) == len(numbers)
    assert rows_of(database, organisation) == after


def test_rebuilding_writes_nothing_but_projections(database, organisation):
    register(database, organisation)
    record(database, organisation, "205", 1)
    rebuild(database, organisation, now=LATER)
    with database.transaction(organisation) as session:
        assert len(session.exec(select(LedgerEntry)).all()) == 2


def test_whoever_records_a_status_waits_for_one_batch_of_a_rebuild_and_not_for_all(database, organisation, monkeypatch):
    monkeypatch.setattr(repository, "_BATCH", 1)
    for number in ("F1", "F2"):
        register(database, organisation, invoice(number))
    recorded = []

    def record_between(done: int, total: int) -> None:
        recorded.append((done, total))
        for number in ("F2", "F1"):  # the other way round: no circle of waiting
            record(database, organisation, "205", done, number=number)

    assert rebuild(database, organisation, now=LATER, progress=record_between).corrected == ()
    assert recorded == [(1, 2), (2, 2)]


def test_a_rebuild_takes_its_turn_before_it_holds_an_invoice(database, organisation):
    """A message about two invoices holds the turn and wants both: a rebuild that held one would wait for the other."""
    followed = register(database, organisation).invoice
    with database.transaction(organisation) as writer, ThreadPoolExecutor(1) as pool:
        take_turn(writer)
        rebuilding = pool.submit(rebuild, database, organisation, now=LATER)
        wait_until_one_waits_for_a_lock(database)
        repository.lock_invoice(writer, followed.id)  # would never end if the rebuild held it
        writer.commit()
        assert rebuilding.result(timeout=10).invoices == 1
