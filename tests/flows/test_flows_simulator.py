"""The simulated platform answers each invoice by its scenario, and the invoice ends where the scenario says."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.drafts import Kind
from fixtures.samples import Scenario as DemoScenario
from gateway.flows.errors import PlatformRefusedError
from gateway.flows.model import SimulatedFlow
from gateway.flows.platforms.client import OutgoingFlow
from gateway.flows.simulator.answers import by_rate
from gateway.flows.simulator.errors import InvalidScenarioRateError
from gateway.flows.simulator.platform import SIMULATOR
from gateway.flows.simulator.scenarios import DUPLICATE, refusing_scenarios, scenario_for, scenario_rates, scenarios
from gateway.invoices.model import Invoice, Totals, VatBreakdown
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent

STEP = timedelta(minutes=1)
ENDS = {
    "paid": ("212", False),
    "rejected": ("213", True),
    "refused": ("210", True),
    "disputed": ("212", False),
    "suspended": ("212", False),
    "silent": ("200", False),
}


def platform(world):
    return world.context.platform(SIMULATOR, world.organisation_id)


def submission(data: bytes, tracking_id: str = "t-1", syntax: str = "UBL") -> OutgoingFlow:
    return OutgoingFlow(tracking_id, "invoice.xml", syntax, data)


def live(world, steps: int) -> None:
    for _ in range(steps):
        world.turn()
        world.clock.advance(STEP)
    world.turn()


@pytest.mark.parametrize("scenario", ENDS)
def test_an_invoice_ends_where_its_scenario_says(world, invoice, scenario):
    world.scenarios["F1"] = scenario
    world.push(invoice("F1", Kind.SEVERAL_RATES))
    live(world, len(scenarios()[scenario].steps))
    [record] = world.rows(InvoiceRecord)
    assert (record.status, record.is_closed) == ENDS[scenario]
    told = sorted(world.rows(LifecycleEvent), key=lambda event: event.status_at)
    assert [event.status for event in told] == [step.status for step in scenarios()[scenario].steps]
    assert record.collected == (record.amount_due if record.status == "212" else 0)


def test_statuses_listed_together_are_read_in_the_order_the_platform_gave_them(world, invoice):
    world.scenarios["F1"] = "paid"
    world.push(invoice("F1"))
    world.turn()
    world.clock.advance(STEP * 10)
    world.turn()
    told = sorted(world.rows(LifecycleEvent), key=lambda event: event.sequence)
    assert [event.status for event in told] == [step.status for step in scenarios()["paid"].steps]
    assert {event.assessment["kind"] for event in told} == {"expected"}


def test_a_collection_tells_one_amount_for_each_vat_rate(world, invoice):
    world.scenarios["F1"] = "paid"
    world.push(invoice("F1", Kind.SEVERAL_RATES))
    live(world, 7)
    [collection] = [event for event in world.rows(LifecycleEvent) if event.status == "212"]
    amounts = [data for detail in collection.content["details"] for data in detail["characteristics"]]
    assert len({data["percent"] for data in amounts}) == len(amounts) > 1
    [record] = world.rows(InvoiceRecord)
    assert sum(Decimal(data["amount"]) for data in amounts) == record.amount_due


def test_a_credit_note_is_collected_as_a_negative_amount(world, invoice):
    world.scenarios["F1"] = "paid"
    world.push(invoice("F1", Kind.CREDIT_NOTE))
    live(world, 7)
    [record] = world.rows(InvoiceRecord)
    assert record.collected == record.amount_due < 0


def test_statuses_appear_one_by_one_with_the_clock(world, invoice):
    world.scenarios["F1"] = "paid"
    world.push(invoice("F1"))
    world.turn()
    seen = []
    for _ in range(8):
        world.clock.advance(STEP)
        world.turn()
        seen.append(len(world.rows(LifecycleEvent)))
    assert seen == [1, 2, 3, 4, 5, 6, 7, 7]


def test_the_same_tracking_id_is_the_same_flow(world, invoice):
    first, second = (platform(world).submit(submission(invoice("F1"))) for _ in range(2))
    assert first == second
    assert len([flow for flow in world.rows(SimulatedFlow) if flow.direction == "Out"]) == 1


def test_a_delivery_whose_answer_a_crash_lost_is_found_at_the_platform(world, invoice):
    world.push(invoice("F1"))
    world.drain()
    world.deliver()
    with world.database.transaction(world.organisation_id) as session:  # the crash: the answer was not written down
        [message] = world.rows(OutboxMessage)
        message.state, message.remote_id = OutboxState.LEAVING.value, None
        session.add(message)
    world.clock.advance(timedelta(minutes=1))
    world.deliver()
    [message] = world.rows(OutboxMessage)
    [sent] = [flow for flow in world.rows(SimulatedFlow) if flow.direction == "Out"]
    assert (message.state, message.remote_id) == (OutboxState.SENT, str(sent.id))


def test_a_second_delivery_under_another_tracking_id_is_a_duplicate_and_the_invoice_stands(world, invoice):
    world.scenarios["F1"] = "silent"
    world.push(invoice("F1"))
    live(world, 1)
    platform(world).submit(submission(invoice("F1"), "another"))
    live(world, 1)
    events = world.rows(LifecycleEvent)
    assert sorted(event.status for event in events) == ["200", "213"]
    [record] = world.rows(InvoiceRecord)
    assert (record.status, record.is_closed) == ("200", False)


def test_an_invoice_without_seller_is_refused_for_good(world, invoice):
    with pytest.raises(PlatformRefusedError):
        platform(world).submit(submission(b"<a/>"))
    assert world.rows(SimulatedFlow) == []


def test_a_refused_delivery_is_not_tried_again(world, invoice, monkeypatch):
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    with world.database.transaction(world.organisation_id) as session:
        [message] = world.rows(OutboxMessage)
        message.payload = {**message.payload, "platform": SIMULATOR, "document": world.store.put(b"<a/>")}
        session.add(message)
    world.deliver()
    [message] = world.rows(OutboxMessage)
    assert (message.state, message.subject_id) == (OutboxState.FAILED, flow_id)


def test_the_demo_and_the_simulator_speak_of_the_same_scenarios():
    assert set(get_args(DemoScenario)) | {DUPLICATE, *refusing_scenarios()} == set(scenarios())


@given(st.text(min_size=1))
def test_a_number_always_draws_the_same_scenario_and_never_the_duplicate(number):
    drawn = scenario_for(number, {})
    assert drawn is scenario_for(number, {})
    assert drawn.weight > 0


def test_every_weighted_scenario_is_drawn():
    drawn = {scenario_for(f"F{n}", {}).name for n in range(300)}
    assert drawn == {name for name, scenario in scenarios().items() if scenario.weight}


def test_given_shares_are_drawn_first_and_the_others_part_the_rest_by_their_weights():
    rates = scenario_rates(["inadmissible=0.3", "paid=0"])
    drawn = Counter(scenario_for(f"F{n}", {}, rates).name for n in range(2000))
    assert 540 < drawn["inadmissible"] < 660
    assert drawn["paid"] == drawn[DUPLICATE] == 0
    others = [name for name, each in scenarios().items() if each.weight and name != "paid"]
    assert all(210 < drawn[name] < 350 for name in others)


def test_shares_that_make_the_whole_leave_nothing_to_the_weights():
    rates = scenario_rates(["refused=0.9", "duplicate=0.1"])
    assert {scenario_for(f"F{n}", {}, rates).name for n in range(200)} == {"refused", DUPLICATE}


@pytest.mark.parametrize(
    "words",
    [
        ["other=0.5"], ["paid"], ["paid=often"], ["paid=nan"], ["paid=-0.1"], ["paid=1.1"], ["paid=0.6", "refused=0.5"],
        [f"{name}=0.1" for name, each in scenarios().items() if each.weight],
    ],
)  # fmt: skip
def test_shares_that_do_not_part_the_invoices_are_refused_by_name(words):
    with pytest.raises(InvalidScenarioRateError, match="inadmissible"):
        scenario_rates(words)


def test_each_seed_draws_otherwise_and_always_the_same():
    def drawn(seed: int) -> list[str]:
        return [scenario_for(f"F{n}", {}, seed=seed).name for n in range(100)]

    assert drawn(7) == drawn(7)
    assert len({tuple(drawn(seed)) for seed in range(5)}) == 5
    assert drawn(0) == [scenario_for(f"F{n}", {}).name for n in range(100)]


money = st.decimals(min_value=0, max_value=10**6, places=2)
groups = st.lists(
    st.builds(
        VatBreakdown, taxable_amount=money, tax_amount=money, rate=st.sampled_from([None, *map(Decimal, (0, 10, 20))])
    )
)


@given(groups, money)
def test_what_is_split_by_rate_adds_up_and_names_each_rate_once(breakdown, amount):
    shares = by_rate(Invoice(vat_breakdown=tuple(breakdown), totals=Totals(due=amount)), amount)
    assert sum(share for _, share in shares) == amount
    assert len({rate for rate, _ in shares}) == len(shares)
