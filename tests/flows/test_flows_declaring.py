"""A receipt and the 212 it calls for: told once, split by rate, watched by a deadline, through the API and by hand."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from fixtures.drafts import Kind
from fixtures.ubl import to_ubl
from gateway.access.roles import ApiScope
from gateway.access.scope import Scope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.alerts.model import Alert, AlertState
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.cli import app, receipts
from gateway.flows.deadlines import review_due_invoices
from gateway.flows.declaring import declare_receipt
from gateway.flows.emission.orders import CollectedAmount, StatusOrder
from gateway.flows.emission.service import give_status
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import InvoiceState
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.errors import NoVatRateError, ReceiptNotFoundError
from gateway.treasury.model import Receipt, ReceiptDeclaration, ReceiptSource
from gateway.treasury.receipts import receipts_known, record_receipt, reverse_receipt
from gateway.treasury.service import aged_balance
from tests.lifecycle.following import invoice as invoice_of
from tests.lifecycle.following import record, register

RECEIVED_ON = date(2026, 10, 5)
EVERYTHING = Scope.everything()


@pytest.fixture
def sold(world, invoice):
    """An invoice of ours at several VAT rates."""
    world.push(invoice("F1", Kind.SEVERAL_RATES))
    world.drain()
    (record,) = world.rows(InvoiceRecord)
    return record


@pytest.fixture
def receive(world):
    """Records money received for an invoice."""

    def make(paid: InvoiceRecord, received: str, reference: str = "VIR-1") -> Receipt:
        new = NewReceipt(Decimal(received), "EUR", RECEIVED_ON, reference, allocations={paid.id: Decimal(received)})
        with world.database.transaction(world.organisation_id) as session:
            told = record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by="client:1", now=world.clock())
            return told.receipt

    return make


@pytest.fixture
def declare(world):
    def act(receipt: Receipt) -> tuple:
        with world.database.transaction(world.organisation_id) as session:
            return declare_receipt(session, world.context, receipt, now=world.clock())

    return act


def now_known(world, paid):
    (found,) = [each for each in world.rows(InvoiceRecord) if each.id == paid.id]
    return found, InvoiceState.model_validate(found.state)


def open_amount(world):
    with world.database.transaction(world.organisation_id) as session:
        return sum(each.total for each in aged_balance(session, EVERYTHING, date(2027, 1, 31)))


def test_a_receipt_is_told_by_a_212_split_like_the_invoice_and_sent(world, sold, receive, declare):
    half = (sold.amount_due / 2).quantize(Decimal("0.01"))
    receipt = receive(sold, str(half))
    before = open_amount(world)
    (given,) = declare(receipt)
    after, state = now_known(world, sold)
    assert (given.event.status, after.collected) == ("212", half)
    for part in state.collected:
        exact = half * Decimal(sold.totals_by_rate[str(part.rate)]) / sum(map(Decimal, sold.totals_by_rate.values()))
        assert abs(part.amount - exact) < Decimal("0.01")
    assert {part.rate for part in state.collected} == {Decimal(rate) for rate in sold.totals_by_rate}
    assert open_amount(world) == before == sold.amount_due - half
    sent = {row.idempotency_key for row in world.rows(OutboxMessage)}
    assert {f"flow-{flow.id}" for flow in given.flows} <= sent


def test_a_receipt_is_told_once_and_the_last_leaves_nothing_at_any_rate(world, sold, receive, declare):
    first, second = (receive(sold, "10.01", "VIR-1"), receive(sold, "10.01", "VIR-2"))
    (told,) = declare(second)
    assert declare(second) == ()
    assert [row.event_id for row in world.rows(ReceiptDeclaration)] == [told.event.id]
    declare(receive(sold, str(sold.amount_due - Decimal("20.02")), "VIR-3"))
    declare(first)
    after, state = now_known(world, sold)
    assert (after.remaining, {part.amount for part in state.remaining_by_rate}) == (0, {Decimal(0)})
    assert state.paid
    assert len(world.rows(LifecycleEvent)) == 3


def test_what_is_told_of_a_reversed_receipt_is_told_back_with_the_reason(world, sold, receive, declare):
    receipt = receive(sold, "50.00")
    declare(receipt)
    with world.database.transaction(world.organisation_id) as session:
        counter = reverse_receipt(
            session, EVERYTHING, receipt.id, reason="Chèque impayé.", by="client:1", now=world.clock()
        )
    assert open_amount(world) == sold.amount_due
    (given,) = declare(counter)
    after, state = now_known(world, sold)
    assert (after.collected, {part.amount for part in state.collected}) == (0, {Decimal(0)})
    assert "Chèque impayé." in str(given.event.content)
    assert open_amount(world) == sold.amount_due
    assert declare(receipt) == declare(counter) == ()


def test_a_receipt_of_an_invoice_without_rates_is_to_be_told_by_hand(world, receive, declare):
    bare = register(world.database, world.organisation_id, invoice_of(vat_breakdown=())).invoice
    with pytest.raises(NoVatRateError, match="F1"):
        declare(receive(bare, "10.00"))
    assert world.rows(LifecycleEvent) == []


@pytest.mark.parametrize("way", ["declared", "by hand", "reversed"])
def test_money_on_which_vat_is_due_is_told_until_a_212_tells_it_or_it_was_a_mistake(
    world, draft_of, receive, declare, way
):
    world.push(to_ubl(replace(draft_of("F1"), process="S1")))
    world.turn()
    (paid,) = world.rows(InvoiceRecord)
    receipt = receive(paid, "60.00")

    def alerts():
        review_due_invoices(world.context, world.organisation_id, receipts_known)
        return [each for each in world.rows(Alert) if each.condition == "deadline.receipt_not_reported"]

    assert alerts() == []
    world.clock.advance(timedelta(days=2, hours=14))
    (alert,) = alerts()
    assert alert.state == AlertState.OPEN
    assert "60,00" in alert.reason_fr
    with world.database.transaction(world.organisation_id) as session:
        if way == "declared":
            declare_receipt(session, world.context, receipt, now=world.clock())
        elif way == "reversed":
            reverse_receipt(session, EVERYTHING, receipt.id, reason="Erreur.", by="client:1", now=world.clock())
        else:
            order = StatusOrder(status="212", collected=(CollectedAmount(rate=Decimal(20), amount=Decimal("60.00")),))
            give_status(session, world.context, paid, order, now=world.clock())
    (alert,) = alerts()
    assert alert.state == AlertState.CLOSED


def test_an_approved_invoice_that_receipts_pay_is_not_told_unpaid(world, receive):
    paid = register(world.database, world.organisation_id, invoice_of(tax_point_code="5"), now=world.clock()).invoice
    record(world.database, world.organisation_id, "205")

    def alerts():
        review_due_invoices(world.context, world.organisation_id, receipts_known)
        return [(each.condition, each.state) for each in world.rows(Alert)]

    receive(paid, "50.00")
    world.clock.advance(timedelta(days=30))
    assert alerts() == [("deadline.approved_unpaid", AlertState.OPEN)]
    assert "70,00" in world.rows(Alert)[0].reason_fr
    receive(paid, "70.00", "VIR-2")
    assert alerts() == [("deadline.approved_unpaid", AlertState.CLOSED)]


@pytest.fixture
def http(world, client_of):
    services = build_services(world.context.settings, clock=world.clock, database=world.database)
    return client_of(create_app(replace(services, flows=world.context)))


@pytest.fixture
def headers(world):
    """The Authorization header of a program with these scopes."""

    def make(*scopes: ApiScope) -> dict[str, str]:
        with world.database.transaction(world.organisation_id) as session:
            created = create_client(session, name=f"Banque {uuid4()}", scopes=scopes, now=world.clock())
            client_id, secret = created.client.client_id, created.secret
        with world.database.system_transaction() as session:
            issued = issue_token(
                session,
                world.context.settings,
                client_id=client_id,
                secret=secret,
                scopes=frozenset(),
                now=world.clock(),
            )
        return {"Authorization": f"Bearer {issued.token}"}

    return make


def body(paid, received="50.00", **changes):
    facts = {"amount": received, "received_on": "2026-10-05", "reference": "VIR-1"}
    return {**facts, "allocations": [{"invoice_id": str(paid.id), "amount": received}], **changes}


def test_a_program_records_a_receipt_once_and_finds_it_by_invoice(world, http, headers, sold):
    mine = headers(ApiScope.RECEIPTS_WRITE, ApiScope.INVOICES_READ)
    first, again = (http.post("/api/v1/receipts", json=body(sold), headers=mine) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    (allocation,) = first.json()["allocations"]
    assert (allocation["number"], allocation["undeclared"], allocation["event_ids"]) == ("F1", "50.00", [])
    other = http.post("/api/v1/receipts", json=body(sold, "51.00"), headers=mine)
    assert (other.status_code, other.json()["code"]) == (409, "RECEIPT_CONFLICT")
    assert other.headers["content-type"] == "application/problem+json"
    found = http.get("/api/v1/receipts", params={"invoice": str(sold.id)}, headers=mine).json()
    assert found == {"receipts": [first.json()], "next_cursor": None}
    unknown = http.get("/api/v1/receipts", params={"invoice": str(uuid4())}, headers=mine)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "INVOICE_NOT_FOUND")
    assert world.rows(LifecycleEvent) == []


def test_the_list_of_receipts_has_pages_that_meet(http, headers, sold):
    mine = headers(ApiScope.RECEIPTS_WRITE, ApiScope.INVOICES_READ)
    for place in range(5):
        answer = http.post("/api/v1/receipts", json=body(sold, "1.00", reference=f"VIR-{place}"), headers=mine)
        assert answer.status_code == 201
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = http.get("/api/v1/receipts", params={"limit": 2, **({"cursor": cursor} if cursor else {})}, headers=mine)
        seen += [each["reference"] for each in page.json()["receipts"]]
        cursor = page.json()["next_cursor"]
    assert sorted(seen) == [f"VIR-{place}" for place in range(5)]


def test_a_program_declares_with_the_receipt_if_it_may_give_statuses(world, http, headers, sold):
    refused = http.post("/api/v1/receipts", json=body(sold, declare=True), headers=headers(ApiScope.RECEIPTS_WRITE))
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert world.rows(Receipt) == []
    both = headers(ApiScope.RECEIPTS_WRITE, ApiScope.FLOWS_WRITE)
    answer = http.post("/api/v1/receipts", json=body(sold, declare=True), headers=both)
    again = http.post("/api/v1/receipts", json=body(sold, declare=True), headers=both)
    assert (answer.status_code, again.status_code) == (201, 200)
    (event,) = world.rows(LifecycleEvent)
    (allocation,) = answer.json()["allocations"]
    assert (event.status, allocation["event_ids"]) == ("212", [str(event.id)])
    assert Decimal(allocation["undeclared"]) == 0
    reversal = {"reason": "Rejet de prélèvement.", "declare": True}
    undone = http.post(f"/api/v1/receipts/{answer.json()['id']}/reversal", json=reversal, headers=both)
    assert (undone.status_code, undone.json()["reverses"]) == (201, answer.json()["id"])
    assert now_known(world, sold)[0].collected == 0


WRONG = [
    ({"amount": "0"}, "RECEIPT_AMOUNT"),
    ({"amount": "50.001"}, "INVALID_REQUEST"),
    ({"amount": "NaN"}, "INVALID_REQUEST"),
    ({"received_on": "2026-10-06"}, "RECEIPT_IN_THE_FUTURE"),
    ({"currency": "USD"}, "RECEIPT_CURRENCY"),
    ({"currency": "euro"}, "INVALID_REQUEST"),
    ({"reference": ""}, "INVALID_REQUEST"),
    ({"payer_reference": "\u0000"}, "INVALID_REQUEST"),
    ({"amount": "49.99"}, "ALLOCATION_EXCEEDS_RECEIPT"),
    ({"amount": "1000000.00", "allocations": ["1000000.00"]}, "ALLOCATION_EXCEEDS_INVOICE"),
    ({"allocations": ["25.00", "25.00"]}, "INVALID_REQUEST"),
    ({"colour": "red"}, "INVALID_REQUEST"),
]


def test_what_is_wrong_is_refused_by_name_and_leaves_nothing_behind(world, http, headers, sold):
    mine, answers = headers(ApiScope.RECEIPTS_WRITE), []
    for change, _ in WRONG:
        parts = [{"invoice_id": str(sold.id), "amount": each} for each in change.get("allocations", ["50.00"])]
        answer = http.post("/api/v1/receipts", json=body(sold, **{**change, "allocations": parts}), headers=mine)
        answers.append((change, answer.json()["code"]))
        assert answer.status_code == 422
    assert answers == WRONG
    assert world.rows(Receipt) == []


def test_only_a_program_of_that_scope_records_receipts(http, headers, sold):
    refused = http.post("/api/v1/receipts", json=body(sold), headers=headers(ApiScope.FLOWS_WRITE))
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert http.post("/api/v1/receipts", json=body(sold)).status_code == 401


@pytest.fixture
def run(world, monkeypatch):
    """Call `gateway receipts …` on the test's database; errors come through as they are."""
    services = build_services(world.context.settings, clock=world.clock, database=world.database)
    monkeypatch.setattr(receipts, "build_services", lambda settings: replace(services, flows=world.context))

    def call(*arguments):
        result = CliRunner().invoke(app, ["receipts", *arguments], catch_exceptions=False)
        return result.output if result.exit_code == 0 else result.exit_code

    return call


def test_the_operator_adds_lists_and_reverses_a_receipt_by_hand(world, run, sold):
    add = ("add", "50,00", "--for", "F1=30", "--reference", "CHQ-7", "--on", "2026-10-02", "--payer", "F1 acompte")
    added = run(*add)
    identifier = added.split()[0]
    assert "30,00" in added.split("F1 ")[-1]
    assert "non affecté 20,00" in added
    assert "déjà enregistré" in run(*add)
    assert identifier in run("list", "--for", "F1")
    told = run("add", "10", "--for", str(sold.id), "--reference", "CHQ-8", "--declare")
    assert "non déclaré" not in told
    assert now_known(world, sold)[0].collected == Decimal("10.00")
    assert "non déclaré" not in run("declare", identifier)
    assert now_known(world, sold)[0].collected == Decimal("40.00")
    assert f"annule {identifier}" in run("reverse", identifier, "--reason", "Chèque sans provision.")
    assert "annulé par" in run("list")
    with pytest.raises(ReceiptNotFoundError):
        run("declare", str(uuid4()))
    with pytest.raises(InvoiceNotFoundError):
        run("add", "10", "--for", "F404", "--reference", "CHQ-9")
    assert run("add", "dix", "--reference", "CHQ-9") == 2
    assert run("add", "NaN", "--reference", "CHQ-9") == 2
