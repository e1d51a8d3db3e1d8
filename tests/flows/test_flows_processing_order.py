"""Statuses of one invoice that arrive, or are processed by several workers, in any order end in the same place.

So no lock keeps the flows of one invoice in order: a flow that waits for its next try holds up no other.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from gateway.alerts.model import Alert, AlertState
from gateway.collection.model import CollectionAction
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.client import PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import scenarios
from gateway.invoices.reading import read_invoice
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.model import InvoiceRecord

MINUTE = timedelta(minutes=1)
SCENARIOS = ("disputed", "refused")


def test_the_order_in_which_statuses_are_processed_does_not_matter(world, invoice):
    chance, numbers = Random(1), {}
    for scenario in SCENARIOS:
        steps = list(scenarios()[scenario].steps)
        forward = list(range(len(steps)))
        for order in (forward, forward[::-1], chance.sample(forward, len(forward))):
            numbers.setdefault(scenario, []).append(number := f"{scenario}-{order[0]}{order[1]}")
            world.push(invoice(number), name=f"{number}.xml")
            offer(world, invoice(number), steps, order, number)
    world.clock.advance(timedelta(hours=1))
    world.drain()
    poll_platform(world.context, world.organisation_id, "listed")
    world.drain()
    assert {flow.state for flow in world.rows(Flow)} == {FlowState.PROCESSED}
    for scenario in SCENARIOS:
        ends = [end_of(world, number) for number in numbers[scenario]]
        assert ends == [ends[0]] * 3, scenario


def offer(world, data: bytes, steps: Sequence, order: Sequence[int], number: str) -> None:
    """Each step is set a minute after the one before; the platform lists them in `order`."""
    read = read_invoice(data).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    start = world.clock()
    for place, step in enumerate(order):
        message = answer(subject, steps[step], at=start + step * MINUTE, received_at=start)
        flow_id = f"{number}-{place}"
        world.listed.files[flow_id] = write_cdar(message)
        listed_at = start + place * timedelta(seconds=1)
        world.listed.flows.append(PlatformFlow(flow_id, f"{flow_id}.xml", "CDAR", "CustomerInvoiceLC", listed_at))


def end_of(world, number: str) -> tuple:
    [record] = [row for row in world.rows(InvoiceRecord) if row.number == number]
    alerts = [row for row in world.rows(Alert) if row.invoice_id == record.id]
    left = {alert.id: alert.condition for alert in alerts if alert.state != AlertState.CLOSED}
    to_do = [row.kind for row in world.rows(CollectionAction) if row.alert_id in left and row.state == "todo"]
    settled = (record.status, record.status_at, record.is_closed, record.collected == record.amount_due)
    return settled, sorted(left.values()), sorted(to_do)
