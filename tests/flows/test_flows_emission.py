"""The statuses we set ourselves: checked first, recorded once, sent to the other party and, if owed, to the portal."""

from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest
from lxml import etree
from sqlalchemy import text
from sqlmodel import select

from fixtures.drafts import Kind
from gateway.access.model import Organisation
from gateway.alerts.model import Alert
from gateway.flows import checking
from gateway.flows.delivery import Sending, send_to_platforms
from gateway.flows.emission import service as emission
from gateway.flows.emission.errors import (
    DataOfAnotherStatusError,
    RateNotOfInvoiceError,
    StatusAlreadyGivenError,
    StatusImpossibleError,
    StatusInTheFutureError,
    StatusNotOursError,
)
from gateway.flows.emission.orders import CollectedAmount, OrderedReason, SentPayment, StatusOrder
from gateway.flows.emission.portal import owes_portal_copy
from gateway.flows.emission.service import GivenStatus, give_status
from gateway.flows.errors import MessageNotSendableError, UncheckedFlowError
from gateway.flows.model import Flow, SimulatedFlow
from gateway.flows.platforms.routing import RoutedDocument
from gateway.flows.terms import FlowType
from gateway.invoices.reading import read_invoice
from gateway.jobs.model import OutboxMessage
from gateway.ledger.service import take_turn, verify
from gateway.lifecycle.cdar.building import InvoiceReference, build_status, collected, company, public_portal
from gateway.lifecycle.cdar.model import Attachment
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.errors import MissingStatusDataError
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import InvoiceState
from gateway.validation.service import validate

START_DAY = date(2026, 10, 5)
REASON = (OrderedReason(code="CMD_ERR", action="NIN"),)
PORTAL_PROFILE = "urn.cpro.gouv.fr:1p0:CDV:einvoicingF2"
AS_BUYER = {
    "204": StatusOrder(status="204"),
    "205": StatusOrder(status="205"),
    "206": StatusOrder(status="206", reasons=(OrderedReason(code="PU_ERR"),), not_approved=Decimal("12.00")),
    "207": StatusOrder(status="207", reasons=(OrderedReason(code="QTE_ERR"),)),
    "208": StatusOrder(status="208", reasons=(OrderedReason(code="JUSTIF_ABS"),), comment="Il manque le bon."),
    "210": StatusOrder(status="210", reasons=REASON, comment="Commande inconnue."),
    "211": StatusOrder(status="211", paid=SentPayment(amount=Decimal("10.00"), on=date(2026, 10, 5))),
}

IBAN = "FR7630006000011234567890189"
AS_SELLER = {
    "207": StatusOrder(status="207", reasons=(OrderedReason(code="QTE_ERR"),), comment="Quantité livrée conforme."),
    "209": StatusOrder(status="209", comment="Bon de livraison 4711."),
    "211": StatusOrder(status="211", paid=SentPayment(amount=Decimal("10.00"), on=date(2026, 10, 5))),
    "220": StatusOrder(status="220"),
    "224": StatusOrder(status="224"),
    "225": StatusOrder(status="225", bank_account=IBAN),
    "227": StatusOrder(status="227", bank_account=IBAN, comment="Nouveau compte."),
    "228": StatusOrder(status="228"),
}


@pytest.fixture
def sold(world, invoice):
    """An invoice of ours at several VAT rates."""

    def make(number: str = "F1", kind: Kind = Kind.SEVERAL_RATES) -> InvoiceRecord:
        world.push(invoice(number, kind))
        world.drain()
        return next(each for each in world.rows(InvoiceRecord) if each.number == number)

    return make


@pytest.fixture
def bought(world, invoice, customer, sold):
    """An invoice that we have to pay: the organisation is its buyer."""
    with world.database.system_transaction() as session:
        row = Organisation(siren=customer.siren, name=customer.name, created_at=world.clock())
        session.add(row)
        session.flush()
        world.organisation_id = row.id
    record = sold("A1")
    assert record.direction == Direction.PAYABLE
    return record


@pytest.fixture
def give(world):
    """Gives a status in a transaction of its own."""

    def act(record: InvoiceRecord, order: StatusOrder, key: str | None = None) -> GivenStatus:
        with world.database.transaction(world.organisation_id) as session:
            return give_status(session, world.context, record, order, now=world.clock(), idempotency_key=key)

    return act


def receipt(record: InvoiceRecord, share: str = "1", **changes) -> StatusOrder:
    """A 212 of a share of the invoice, at each of its VAT rates."""
    parts = tuple(
        CollectedAmount(rate=Decimal(rate), amount=(Decimal(total) * Decimal(share)).quantize(Decimal("0.01")))
        for rate, total in record.totals_by_rate.items()
    )
    return StatusOrder(**{"status": "212", "collected": parts, **changes})


def messages(world, flows):
    return [read_cdar(world.store.get(flow.document_sha256)) for flow in flows]


def state_of(world, record):
    (found,) = [each for each in world.rows(InvoiceRecord) if each.id == record.id]
    return found, InvoiceState.model_validate(found.state)


@pytest.mark.parametrize("code", AS_BUYER)
def test_a_buyer_s_status_is_recorded_as_our_own_and_put_in_the_outbox_for_the_seller(
    code, world, bought, give, customer, seller
):
    given = give(bought, AS_BUYER[code])
    message = messages(world, given.flows)[0]
    assert (given.event.status, given.event.issuer_id, given.event.direction) == (code, customer.siren, "payable")
    assert [(party.role, party.ids[0].value) for party in message.recipients] == [("SE", seller.siren)]
    assert state_of(world, bought)[0].status == code
    outbox = {row.idempotency_key for row in world.rows(OutboxMessage)}
    assert outbox == {f"flow-{flow.id}" for flow in given.flows}
    assert world.rows(Alert) == []


@pytest.mark.parametrize("code", AS_SELLER)
def test_a_seller_s_status_goes_to_the_buyer_alone_and_passes_the_official_schema_and_our_rules(
    code, world, sold, give, seller
):
    record = sold()
    given = give(record, AS_SELLER[code])
    [flow] = given.flows
    [message] = messages(world, given.flows)
    assert (given.event.status, given.event.issuer_id, given.event.direction) == (code, seller.siren, "receivable")
    assert [(party.role, party.ids[0].value) for party in message.recipients] == [("BY", record.buyer_siren)]
    assert validate(world.store.get(flow.document_sha256)).verdict == "valid"


def test_who_is_to_be_paid_from_now_on_is_told_by_iban_and_moves_no_status(world, sold, give):
    record = sold()
    event = give(record, AS_SELLER["227"]).event
    [told] = event.content["details"][0]["characteristics"]
    assert (told["type_code"], told["value"]) == ("CBB", IBAN)
    found, state = state_of(world, record)
    assert (found.status, state.payee.code) == (None, "227")


def test_a_change_of_account_names_the_account(world, sold, give):
    record = sold()
    with pytest.raises(MissingStatusDataError, match="account to pay"):
        give(record, StatusOrder(status="227"))
    with pytest.raises(ValueError, match="bank_account"):
        StatusOrder(status="227", bank_account="FR7630006000011234567890188")
    proof = Attachment(filename="rib.pdf", mime_type="application/pdf", content=b"%PDF-1.4")
    assert give(record, StatusOrder(status="227", attachments=(proof,))).event.status == "227"


def test_only_a_refusal_and_a_receipt_go_to_the_portal_too_under_its_profile(world, bought, give):
    both = messages(world, give(bought, AS_BUYER["210"]).flows)
    assert [message.profile == PORTAL_PROFILE for message in both] == [False, True]
    assert [party.id_in("0238") for party in both[1].recipients] == ["0000"]
    assert both[1].sender.id_in("0238") == "0042"
    assert {flow.flow_type for flow in world.rows(Flow) if flow.flow_syntax == "CDAR"} == {
        FlowType.SUPPLIER_INVOICE_LC,
        FlowType.STATE_SUPPLIER_INVOICE_LC,
    }
    assert len(world.rows(LifecycleEvent)) == 1


@pytest.mark.parametrize("code", ["204", "205", "206", "207", "208", "211"])
def test_an_optional_status_never_goes_to_the_portal(code, bought, give):
    assert len(give(bought, AS_BUYER[code]).flows) == 1


def test_everything_given_passes_the_official_schema_and_our_rules_and_the_ledger_holds(world, sold, give):
    record = sold()
    extra = (Attachment(filename="bon.pdf", mime_type="application/pdf", content=b"%PDF-1.4"),)
    schema = etree.XMLSchema(
        file=str(files("pyfrctc") / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    )
    orders = [StatusOrder(status="209", attachments=extra), receipt(record), StatusOrder(status="220")]
    flows = [flow for order in orders for flow in give(record, order).flows]
    assert len(flows) == 4
    for flow in flows:
        data = world.store.get(flow.document_sha256)
        schema.assertValid(etree.fromstring(data))
        assert validate(data).complete
        assert validate(data).verdict == "valid"
    with world.database.transaction(world.organisation_id) as session:
        assert verify(session).holds


def test_collected_and_remaining_by_rate_follow_from_the_receipts(world, sold, give):
    record = sold()
    assert len(record.totals_by_rate) > 1
    first, second = receipt(record, "0.25"), receipt(record, "0.5")
    for order in (first, second):
        give(record, order)
        world.clock.advance(timedelta(days=1))
    after, state = state_of(world, record)
    for rate, total in record.totals_by_rate.items():
        received = sum(
            part.amount for order in (first, second) for part in order.collected if part.rate == Decimal(rate)
        )
        assert [each.amount for each in state.collected if each.rate == Decimal(rate)] == [received]
        left = [each.amount for each in state.remaining_by_rate if each.rate == Decimal(rate)]
        assert left == [Decimal(total) - received]
    assert after.remaining == record.amount_due - after.collected


def test_two_equal_receipts_of_one_instant_are_two_events_with_two_message_ids(world, sold, give):
    record = sold()
    given = [give(record, receipt(record, "0.25")) for _ in range(2)]
    ids = {message.message_id for each in given for message in messages(world, each.flows)}
    assert len(ids) == sum(len(each.flows) for each in given) == 4
    assert given[1].event.status_at - given[0].event.status_at == timedelta(seconds=1)
    after = state_of(world, record)[0]
    assert after.collected == sum(part.amount for part in receipt(record, "0.25").collected) * 2


def test_the_same_order_under_the_same_key_is_given_once(world, sold, give):
    record = sold()
    first = give(record, receipt(record, "0.25"), "payment-1")
    world.clock.advance(timedelta(minutes=1))
    again = give(record, receipt(record, "0.25"), "payment-1")
    assert (again.event.id, [f.id for f in again.flows]) == (first.event.id, [f.id for f in first.flows])
    assert give(record, receipt(record, "0.25"), "payment-2").event.id != first.event.id
    assert len(world.rows(LifecycleEvent)) == 2


def test_a_refund_is_negative_and_says_why(world, sold, give):
    record = sold()
    give(record, receipt(record))
    with pytest.raises(MissingStatusDataError):
        give(record, receipt(record, "-0.5"))
    give(record, receipt(record, "-0.5", comment="Remboursement d’un trop-perçu."))
    after = state_of(world, record)[0]
    assert after.remaining == after.amount_due - after.collected > 0


def test_an_amount_at_a_rate_the_invoice_does_not_have_is_refused(world, sold, give):
    record = sold()
    wrong = StatusOrder(status="212", collected=(CollectedAmount(rate=Decimal("9.6"), amount=Decimal("1.00")),))
    with pytest.raises(RateNotOfInvoiceError, match=r"9\.6"):
        give(record, wrong)
    assert world.rows(LifecycleEvent) == []


@pytest.mark.parametrize("code", ["200", "205", "210", "213", "214", "226", "999"])
def test_a_status_of_the_other_side_is_refused(code, sold, give):
    with pytest.raises(StatusNotOursError):
        give(sold(), StatusOrder(status=code))


@pytest.mark.parametrize("code", ["209", "212", "220", "224", "225", "227", "228"])
def test_a_seller_s_status_is_refused_to_the_buyer(code, bought, give):
    with pytest.raises(StatusNotOursError):
        give(bought, StatusOrder(status=code))


def test_an_amount_that_the_status_does_not_carry_is_refused(sold, give):
    record = sold()
    with pytest.raises(DataOfAnotherStatusError):
        give(record, receipt(record, status="220"))


def test_a_reason_is_required_where_the_rules_want_one(bought, give):
    with pytest.raises(MissingStatusDataError):
        give(bought, StatusOrder(status="207"))


def test_what_the_life_of_the_invoice_excludes_is_not_said(world, sold, give):
    record = sold()
    give(record, StatusOrder(status="220"))
    with pytest.raises(StatusImpossibleError):
        give(record, receipt(record))


def test_a_given_instant_is_neither_in_the_future_nor_taken_twice(world, sold, give):
    record = sold()
    at = world.clock() - timedelta(hours=2)
    assert give(record, receipt(record, "0.25", at=at)).event.status_at == at
    with pytest.raises(StatusAlreadyGivenError):
        give(record, receipt(record, "0.25", at=at))
    with pytest.raises(StatusInTheFutureError):
        give(record, receipt(record, "0.5", at=world.clock() + timedelta(seconds=1)))


def test_a_message_that_our_validation_refuses_leaves_nothing_behind(world, sold, give, monkeypatch):
    record = sold()
    before = (len(world.rows(Flow)), len(world.rows(OutboxMessage)))
    monkeypatch.setattr(checking, "validate", lambda data, **_: validate(data.replace(b">MEN<", b">XXX<")))
    with pytest.raises(MessageNotSendableError, match="BR-FR-CDV"):
        give(record, receipt(record))
    assert (len(world.rows(Flow)), len(world.rows(OutboxMessage))) == before
    assert world.rows(LifecycleEvent) == []


def test_other_writers_go_on_while_a_message_is_validated(world, sold, give, monkeypatch):
    record, seen = sold(), []

    def while_others_write(data, **options):
        with world.database.transaction(world.organisation_id) as session:
            session.connection().execute(text("SET LOCAL lock_timeout = '2s'"))
            take_turn(session)
        seen.append(len(data))
        return validate(data, **options)

    monkeypatch.setattr(checking, "validate", while_others_write)
    give(record, receipt(record))
    assert len(seen) == 2, "each message once"


def meanwhile(monkeypatch, act):
    """`act` happens once, when a status has been validated and is about to take its turn on the ledger."""
    acts = [act]

    def turn(session):
        if acts:
            acts.pop()()
        take_turn(session)

    monkeypatch.setattr(emission, "take_turn", turn)


def test_a_status_that_another_one_overtakes_gets_a_second_of_its_own(world, sold, give, monkeypatch):
    record = sold()
    meanwhile(monkeypatch, lambda: give(record, receipt(record, "0.25")))
    second = give(record, receipt(record, "0.25"))
    first, *_ = sorted(world.rows(LifecycleEvent), key=lambda event: event.status_at)
    assert second.event.status_at - first.status_at == timedelta(seconds=1)
    assert state_of(world, record)[0].collected == sum(part.amount for part in receipt(record, "0.25").collected) * 2


def test_a_status_that_a_cancellation_overtakes_is_not_said(world, sold, give, monkeypatch):
    record = sold()
    meanwhile(monkeypatch, lambda: give(record, StatusOrder(status="220")))
    with pytest.raises(StatusImpossibleError):
        give(record, receipt(record))
    assert [event.status for event in world.rows(LifecycleEvent)] == ["220"]


def test_the_same_order_given_twice_at_once_under_one_key_is_given_once(world, sold, give, monkeypatch):
    record, order = sold(), receipt(sold("F2"), "0.25")
    first = []
    meanwhile(monkeypatch, lambda: first.append(give(record, order, "payment-1").event.id))
    assert [give(record, order, "payment-1").event.id] == first
    assert len(world.rows(LifecycleEvent)) == 1


@pytest.mark.parametrize("report", [None, {"verdict": "invalid"}, {"verdict": "unreadable"}])
def test_nothing_enters_the_outbox_without_a_report_that_finds_it_valid(report, world, sold):
    flow_id = sold().flow_id
    with pytest.raises(UncheckedFlowError), world.database.transaction(world.organisation_id) as session:
        flow = session.exec(select(Flow).where(Flow.id == flow_id)).one()
        flow.report = report
        send_to_platforms(session, [Sending(flow, RoutedDocument())], world.context.settings, now=world.clock())


def test_both_messages_reach_the_platform_once(world, sold, give):
    record = sold()
    given = give(record, receipt(record))
    world.deliver()
    world.deliver()
    sent = {row.tracking_id for row in world.rows(SimulatedFlow) if row.direction == "Out"}
    assert {f"flow-{flow.id}" for flow in given.flows} <= sent
    assert len(sent) == 3


@pytest.mark.parametrize("portal_first", [False, True])
def test_what_a_billing_system_tells_the_other_party_and_the_portal_goes_on_in_any_order(
    portal_first, world, sold, seller
):
    record, at = sold(), world.clock()
    reference = InvoiceReference(record.number, record.issue_date, record.seller_siren)
    to_both = [company(record.buyer_siren, "BY", address=record.buyer_siren)], [public_portal()]
    ids = set()
    for recipients in reversed(to_both) if portal_first else to_both:
        issuer = company(seller.siren, "SE", seller.name)
        (rate, *_) = record.totals_by_rate
        amounts = [collected(Decimal("1.00"), Decimal(rate))]
        message = build_status(reference, "212", issuer=issuer, recipients=recipients, at=at, amounts=amounts)
        ids |= {f"flow-{world.push(write_cdar(message)).flow.id}" for _ in range(2)}
        world.drain()
    assert ids <= {row.idempotency_key for row in world.rows(OutboxMessage)}
    assert (len(ids), len(world.rows(LifecycleEvent))) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({"process": "S1"}, True),
        ({"process": "B1"}, False),
        ({"process": "B1", "type_code": "386"}, True),
        ({"process": "B1", "tax_point_code": "432"}, True),
        ({"process": "S1", "tax_point_code": "3"}, False),
        ({"process": "M1", "tax_point_code": "72"}, True),
        ({"process": "M1"}, True),
        ({"process": None}, True),
    ],
)
def test_a_receipt_is_owed_to_the_portal_unless_the_invoice_shows_vat_due_earlier(changes, owed, invoice):
    read = read_invoice(invoice("F1")).invoice
    shown = read.model_copy(update={"tax_point_code": None, **changes})
    assert owes_portal_copy("212", shown, START_DAY) is owed
    assert owes_portal_copy("210", shown, START_DAY) is True
    assert owes_portal_copy("205", shown, START_DAY) is False
    untaxed = tuple(group.model_copy(update={"category": "AE", "rate": Decimal(0)}) for group in shown.vat_breakdown)
    assert owes_portal_copy("212", shown.model_copy(update={"vat_breakdown": untaxed}), START_DAY) is False
