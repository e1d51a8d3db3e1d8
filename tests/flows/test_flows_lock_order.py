"""Nobody who holds the organisation's turn waits for what a worker keeps while it waits for that turn."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import select

from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.flows.drops.places import Folder, LocalPlace
from gateway.flows.webhooks.addresses import CallbackPolicy
from gateway.flows.webhooks.model import WebhookKind
from gateway.flows.webhooks.service import WEBHOOK_CALL, start_again, subscribe
from gateway.jobs.errors import DeliveryNotSettledByPersonError
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import put_in_outbox
from gateway.jobs.undelivered import mark_arrived, send_again
from gateway.ledger.service import take_turn
from tests.database.waiting import wait_until_one_waits_for_a_lock

PATIENCE_SECONDS = 10.0


def put(session, now, key="k1", **more):
    put_in_outbox(session, kind=WEBHOOK_CALL, idempotency_key=key, payload={}, now=now, **more)
    return session.exec(select(OutboxMessage).where(OutboxMessage.idempotency_key == key)).one()


@pytest.mark.parametrize("settle", [send_again, mark_arrived])
def test_a_person_with_the_turn_does_not_wait_for_a_delivery_that_is_leaving(database, organisation, clock, settle):
    with database.transaction(organisation) as session:
        message = put(session, clock())
        message.state = OutboxState.FAILED.value
        session.add(message)
    with database.transaction(organisation) as worker:
        held = worker.exec(select(OutboxMessage).with_for_update()).one()
        with database.transaction(organisation) as person:
            person.connection().execute(text("SET LOCAL lock_timeout = '2s'"))
            take_turn(person)
            with pytest.raises(DeliveryNotSettledByPersonError):
                settle(person, held.id, now=clock())
    with database.transaction(organisation) as person:
        take_turn(person)
        settle(person, held.id, now=clock())


def test_starting_a_webhook_again_and_a_writer_that_asks_for_a_delivery_do_not_block_each_other(
    database, organisation, clock
):
    with database.transaction(organisation) as session:
        client = create_client(session, name="ERP", scopes=sorted(ApiScope), now=clock()).client
        webhook = subscribe(
            session,
            kind=WebhookKind.FLOW,
            api_client_id=client.id,
            callback_url="https://erp.example.org/calls",
            wanted={},
            policy=CallbackPolicy(),
            now=clock(),
        ).webhook
        call = put(session, clock(), subject_id=webhook.id)
        call.state = OutboxState.FAILED.value
        session.add(call)
    with database.system_transaction() as session:
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))

    def start():
        with database.transaction(organisation) as session:
            return start_again(session, webhook.id, now=clock())

    with ThreadPoolExecutor(1) as person:
        with database.transaction(organisation) as writer:
            take_turn(writer)
            started = person.submit(start)
            wait_until_one_waits_for_a_lock(database)
            put(writer, clock(), "k2")
        assert started.result(PATIENCE_SECONDS) == 1


def test_two_workers_that_tell_a_drop_the_same_thing_never_show_half_of_it(tmp_path, monkeypatch):
    """The second begins to write while the first has written and not yet renamed."""
    place = LocalPlace(tmp_path)
    rename = os.replace

    def interrupted(source, target):
        monkeypatch.setattr("os.replace", rename)
        place.write(Folder.OUT, "a.json", b"whole")
        assert (tmp_path / "out" / "a.json").read_bytes() == b"whole"
        rename(source, target)

    monkeypatch.setattr("os.replace", interrupted)
    place.write(Folder.OUT, "a.json", b"whole")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["a.json"]
    assert (tmp_path / "out" / "a.json").read_bytes() == b"whole"
