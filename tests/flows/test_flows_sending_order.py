"""What leaves about an invoice reaches its platform in order: the invoice, then its statuses as they were given."""

from datetime import timedelta

import pytest
from sqlmodel import select

from gateway.flows.emission.orders import StatusOrder
from gateway.flows.emission.service import give_status
from gateway.flows.errors import PlatformRefusedError, PlatformUnavailableError
from gateway.jobs.model import OutboxMessage
from gateway.jobs.undelivered import mark_arrived
from gateway.kernel.text import Text
from gateway.lifecycle.model import InvoiceRecord


@pytest.fixture
def names(world, monkeypatch):
    """The files that the platform took, in the order of their arrival; what is put in `names.trouble` meets one."""

    class Names(list[str]):
        def __init__(self) -> None:
            self.trouble: list[Exception] = []

    names = Names()
    platform = world.context.platforms["listed"](world.organisation_id)

    def submit(flow):
        if names.trouble:
            raise names.trouble.pop()
        names.append(flow.name)
        return flow.tracking_id

    monkeypatch.setattr(platform, "submit", submit)
    for name in list(world.context.platforms):
        monkeypatch.setitem(world.context.platforms, name, lambda _: platform)
    return names


@pytest.fixture
def sold(world, invoice):
    world.push(invoice("F1"))
    world.drain()
    (record,) = world.rows(InvoiceRecord)
    return record


def give(world, sold, *codes: str) -> None:
    for code in codes:
        with world.database.transaction(world.organisation_id) as session:
            record = session.exec(select(InvoiceRecord).where(InvoiceRecord.id == sold.id)).one()
            give_status(
                session,
                world.context,
                record,
                StatusOrder(status=code, comment="Suite à votre demande."),
                now=world.clock(),
            )
        world.clock.advance(timedelta(seconds=5))


def test_statuses_wait_while_their_invoice_does_and_then_leave_as_they_were_given(world, names, sold):
    names.trouble.append(PlatformUnavailableError("503", timedelta(minutes=30)))
    world.deliver()
    give(world, sold, "209", "228")
    world.deliver()
    assert names == []
    world.clock.advance(timedelta(hours=1))
    world.deliver()
    assert [name[-7:-4] for name in names] == ["ice", "209", "228"]


def test_the_statuses_of_an_invoice_that_its_platform_did_not_take_wait_for_a_person(world, names, sold):
    names.trouble.append(PlatformRefusedError(Text("400", "400")))
    world.deliver()
    give(world, sold, "209")
    world.deliver()
    assert names == []
    with world.database.transaction(world.organisation_id) as session:
        failed = session.exec(select(OutboxMessage).where(OutboxMessage.state == "failed")).one()
        mark_arrived(session, failed.id, now=world.clock())
    world.deliver()
    assert [name[-7:-4] for name in names] == ["209"]


def test_what_leaves_about_an_invoice_is_ordered_by_number_seller_and_year_and_the_invoice_leads(world, sold):
    give(world, sold, "209")
    rows = sorted(world.rows(OutboxMessage), key=lambda row: row.place)
    assert {row.order_key for row in rows} == {f"F1/{sold.seller_siren}/2026"}
    assert [row.leads for row in rows] == [True] + [False] * (len(rows) - 1)
