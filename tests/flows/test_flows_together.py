"""Several flows in one transaction end as each would alone, and one that fails falls out alone."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import event

from gateway.alerts.model import Alert, AlertState
from gateway.flows import processing
from gateway.flows.errors import PlatformUnavailableError
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.client import PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.terms import AckStatus
from gateway.jobs.model import DeliveryTry, OutboxMessage
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.events_proof import verify_events
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.rebuild import rebuild

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """However busy the machine, one reading of a few files is not long."""
    monkeypatch.setattr(processing, "_LONG_SECONDS", 600.0)


def batches(monkeypatch) -> list[list[str]]:
    """The names of the flows that are written together, batch by batch."""
    seen, write = list[list[str]](), processing.write_flows

    def look(session, context, reads):
        seen.append([read.flow.name for read in reads])
        write(session, context, reads)

    monkeypatch.setattr(processing, "write_flows", look)
    return seen


def statements(world) -> list[str]:
    seen: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


def test_flows_that_wait_are_written_together(world, invoice, monkeypatch):
    seen = batches(monkeypatch)
    names = [f"{n:02d}.xml" for n in range(20)]
    for name in names:
        world.push(invoice(f"F{name[:2]}"), name=name)
    world.drain()
    assert sorted(name for some in seen for name in some) == names
    assert len(seen) == 2
    assert len(world.rows(InvoiceRecord)) == len(world.rows(OutboxMessage)) == 20


def test_ten_flows_take_the_turn_once_and_write_the_ledger_once(world, invoice):
    for number in range(10):
        world.push(invoice(f"F{number}"), name=f"{number}.xml")
    seen = statements(world)
    world.drain()
    assert sum("FROM ledger_head" in each for each in seen) == 1
    assert sum("INSERT INTO ledger_entry" in each for each in seen) == 1
    assert sum("INSERT INTO invoice " in each for each in seen) == 1


def test_one_that_fails_falls_out_alone_and_comes_again_alone(world, invoice, monkeypatch):
    write, tries = processing.write_flows, list[list[str]]()

    def fail(session, context, reads):
        names = [read.flow.name for read in reads]
        tries.append(names)
        write(session, context, reads)
        session.flush()
        if "bad.xml" in names:
            raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(processing, "write_flows", fail)
    for name in ("a.xml", "bad.xml", "c.xml"):
        world.push(invoice(name.removesuffix(".xml")), name=name)
    world.drain()
    assert tries == [["a.xml", "bad.xml", "c.xml"], ["a.xml"], ["bad.xml"], ["c.xml"]]
    assert sorted(row.number for row in world.rows(InvoiceRecord)) == ["a", "c"]
    kinds = [entry.kind for entry in world.rows(LedgerEntry)]
    assert (kinds.count("invoice.registered"), kinds.count("flow.acknowledged")) == (2, 2)
    world.push(invoice("d"), name="d.xml")
    world.clock.advance(HOUR)
    monkeypatch.setattr(processing, "write_flows", write)
    seen = batches(monkeypatch)
    world.drain()
    assert sorted(seen) == [["bad.xml"], ["d.xml"]]
    assert {flow.state for flow in world.rows(Flow)} == {FlowState.PROCESSED}


def test_those_that_went_with_a_flow_that_killed_its_worker_are_never_quarantined_for_it(world, invoice, monkeypatch):
    write = processing.write_flows

    def kill(session, context, reads):
        if any(read.flow.name == "bad.xml" for read in reads):
            raise KeyboardInterrupt
        write(session, context, reads)

    monkeypatch.setattr(processing, "write_flows", kill)
    for name in ("a.xml", "bad.xml", "c.xml"):
        world.push(invoice(name.removesuffix(".xml")), name=name)
    for _ in range(world.context.settings.processing_attempts * 3):
        try:
            world.drain()
        except KeyboardInterrupt:
            world.clock.advance(timedelta(minutes=5))
    world.clock.advance(HOUR)
    world.drain()
    states = {flow.name: flow.state for flow in world.rows(Flow)}
    assert states == {
        "a.xml": FlowState.PROCESSED,
        "bad.xml": FlowState.QUARANTINED,
        "c.xml": FlowState.PROCESSED,
    }


def test_a_long_reading_leaves_the_rest_to_the_next_transaction(world, invoice, monkeypatch):
    monkeypatch.setattr(processing, "_LONG_SECONDS", 0.0)
    seen = batches(monkeypatch)
    for number in range(3):
        world.push(invoice(f"F{number}"), name=f"{number}.xml")
    world.drain()
    assert [len(some) for some in seen] == [1, 1, 1]
    assert len(world.rows(InvoiceRecord)) == 3


def test_large_files_of_a_platform_are_fetched_in_several_transactions(world, invoice, monkeypatch):
    monkeypatch.setattr(processing, "_MANY_BYTES", 0)
    listed(world, invoice, [f"F{number}" for number in range(6)])
    seen = batches(monkeypatch)
    world.drain()
    assert [len(some) for some in seen] == [4, 2]
    assert {flow.state for flow in world.rows(Flow)} == {FlowState.PROCESSED}


def test_a_file_that_its_platform_does_not_give_holds_no_other_up(world, invoice, monkeypatch):
    listed(world, invoice, ["F1", "F2", "F3"])
    download = world.listed.download

    def refuse(flow_id):
        if flow_id == "F2":
            raise PlatformUnavailableError("503")
        return download(flow_id)

    monkeypatch.setattr(world.listed, "download", refuse)
    world.drain()
    assert {flow.name: flow.state for flow in world.rows(Flow)} == {
        "F1": FlowState.PROCESSED,
        "F2": FlowState.RECEIVED,
        "F3": FlowState.PROCESSED,
    }


def listed(world, invoice, numbers: list[str]) -> None:
    """Invoices that a platform lists, each by its own file."""
    for number in numbers:
        world.listed.files[number] = invoice(number)
        world.listed.flows.append(PlatformFlow(number, number, "UBL", "CustomerInvoice", world.clock()))
    poll_platform(world.context, world.organisation_id, "listed")


def test_a_refused_file_and_the_one_that_mends_it_in_one_batch_leave_no_alert(world, invoice, monkeypatch):
    seen = batches(monkeypatch)
    good = invoice("F1")
    world.push(good.replace(b"CurrencyCode>EUR<", b"CurrencyCode>ZZZ<", 1), name="bad.xml")
    world.push(good, name="good.xml")
    world.drain()
    assert seen == [["bad.xml", "good.xml"]]
    answers = {flow.name: flow.ack_status for flow in world.rows(Flow)}
    assert answers == {"bad.xml": AckStatus.ERROR, "good.xml": AckStatus.OK}
    assert {alert.state for alert in world.rows(Alert) if alert.invoice_number == "F1"} == {AlertState.CLOSED}


@pytest.mark.parametrize("together", [1, 16])
def test_statuses_end_alike_together_and_one_by_one(world, invoice, monkeypatch, together):
    monkeypatch.setattr(processing, "_TOGETHER", together)
    numbers = [f"F{number}" for number in range(6)]
    chosen = ["paid", "disputed", "refused", "paid", "disputed", "refused"]
    world.scenarios |= dict(zip(numbers, chosen, strict=True))
    for number in Random(3).sample(numbers, len(numbers)):
        world.push(invoice(number), name=f"{number}.xml")
    world.turn()
    world.clock.advance(timedelta(days=1))
    poll_platform(world.context, world.organisation_id, "simulator")
    world.drain()
    records = {row.number: row for row in world.rows(InvoiceRecord)}
    assert [records[number].status for number in numbers] == [
        records[numbers[place % 3]].status for place in range(len(numbers))
    ]
    events = world.rows(LifecycleEvent)
    assert len({each.fingerprint for each in events}) == len(events) > len(numbers) * 3
    assert {flow.state for flow in world.rows(Flow)} == {FlowState.PROCESSED}
    with world.database.transaction(world.organisation_id) as session:
        assert verify(session).holds
        assert verify_events(session).holds
    assert rebuild(world.database, world.organisation_id, now=world.clock()).corrected == ()


def test_messages_leave_together_and_each_has_its_try(world, invoice):
    for number in range(5):
        world.push(invoice(f"F{number}"), name=f"{number}.xml")
    world.drain()
    seen = statements(world)
    world.deliver()
    assert {message.state for message in world.rows(OutboxMessage)} == {"sent"}
    assert {(one.number, one.outcome) for one in world.rows(DeliveryTry)} == {(1, "sent")}
    assert sum("INSERT INTO delivery_try" in each for each in seen) == 1
