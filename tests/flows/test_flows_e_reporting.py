"""An e-reporting transmission is validated, handed over and answered on a line of its own; it is never an invoice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from lxml import etree
from pyfrctc.ereporting import generate_ereporting_payments, generate_ereporting_transactions

from gateway.access.principal import Principal
from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.flows.model import SimulatedFlow
from gateway.flows.platforms.client import PlatformAcknowledgement, PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.reports.api import ReportsApiContext, router
from gateway.flows.reports.model import EReport, EReportStatus
from gateway.flows.reports.reading import report_of
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import Step
from gateway.flows.terms import AckStatus, FlowDirection
from gateway.invoices.reading import read_invoice
from gateway.jobs.model import OutboxMessage
from gateway.kernel.errors import GatewayError
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.deliveries import Remark
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.notifications.model import Announcement
from tests.validation.test_validation_e_reporting import HEAD, PERIOD, TRANSACTIONS

SALES = {
    **{"TT-77": date(2026, 9, 5), "TT-78": "EUR", "TT-81": "TLB1", "TT-82": "100.00", "TT-83": "20.00"},
    **{"TT-85": "3", "TG-32": [{"TT-86": "20.00", "TT-87": "100.00", "TT-88": "20.00"}]},
}
RECEIVED = {"TT-96": date(2026, 9, 6), "TG-39": [{"TT-97": "20.00", "TT-98": "EUR", "TT-99": "120.00"}]}


@pytest.fixture
def declared(seller) -> Callable[..., bytes]:
    """Makes a valid transmission of the world's organisation: totals of sales, or of payments."""

    def make(number: str = "R-1", *, payments: bool = False) -> bytes:
        head = HEAD | {"TT-1": number, "TT-13": seller.siren, "TT-14": seller.name}
        if payments:
            return generate_ereporting_payments(
                head | dict(zip(("TT-89", "TT-90"), PERIOD, strict=True)) | {"TG-37": [RECEIVED]}
            )
        return generate_ereporting_transactions(
            head | dict(zip(("TT-17", "TT-18"), PERIOD, strict=True)) | {"TG-31": [SALES]}
        )

    return make


@pytest.fixture
def said(invoice) -> Callable[..., bytes]:
    """Makes what the public portal says of a transmission, by its number."""

    def make(number: str, code: str, *, at: datetime = datetime(2026, 10, 6, 8, tzinfo=UTC)) -> bytes:
        read = read_invoice(invoice("F1")).invoice
        about = AnsweredInvoice(read, read.seller_siren or "", read.buyer_siren or "", read.issue_date)
        told: CdarMessage = answer(
            about, Step("213", reason="REJ_SEMAN", comment="Période close."), at=at, received_at=at
        )
        [document] = told.documents
        details = tuple(
            each.model_copy(update={"status_code": code, "reason_code": "REJ_PER"}) for each in document.details
        )
        document = document.model_copy(
            update={"number": number, "status_code": code, "details": details if code == "301" else ()}
        )
        return write_cdar(told.model_copy(update={"documents": (document,)}))

    return make


def hear(world: Any, message: bytes, flow_id: str) -> None:
    """A platform lists the message for us."""
    world.listed.files[flow_id] = message
    world.listed.flows.append(PlatformFlow(flow_id, "status.xml", "CDAR", "StateTransactionReportLC", world.clock()))
    poll_platform(world.context, world.organisation_id, "listed")
    world.drain()


def on_listed(world: Any) -> Any:
    return replace(
        world,
        context=replace(world.context, settings=world.context.settings.model_copy(update={"platform": "listed"})),
    )


@pytest.mark.parametrize(
    ("payments", "flow_type"),
    [(False, "AggregatedCustomerTransactionReport"), (True, "AggregatedCustomerPaymentReport")],
)
def test_a_valid_transmission_is_handed_over_once_and_acknowledged(world, declared, payments, flow_type):
    data = declared(payments=payments)
    flow_id = world.push(data, flow_syntax="FRR", tracking_id="r-1").flow.id
    world.push(data, source="file")
    world.turn()
    flow = world.flow(flow_id)
    assert (flow.flow_syntax, flow.flow_type, flow.ack_status) == ("FRR", flow_type, "Ok")
    assert (flow.processing_rule, flow.flow_profile) == ("B2C", "Undefined")
    [message] = world.rows(OutboxMessage)
    assert (message.idempotency_key, message.state, message.subject_id) == (f"flow-{flow_id}", "sent", flow_id)
    [held] = [each for each in world.rows(SimulatedFlow) if each.direction == "Out"]
    assert (held.data, held.flow_syntax, held.flow_type) == (data, "FRR", flow_type)
    world.clock.advance(timedelta(minutes=2))
    world.turn()
    [message] = world.rows(OutboxMessage)
    assert message.answer["status"] == "Ok"
    assert [row.number for row in world.rows(EReport)] == ["R-1"]
    assert world.rows(InvoiceRecord) == world.rows(LifecycleEvent) == world.rows(Alert) == []
    assert "e_report.registered" in [entry.kind for entry in world.rows(LedgerEntry)]
    assert "einvoicing.flow.accepted" in [each.type for each in world.rows(Announcement)]


def test_what_is_not_ours_or_breaks_a_rule_or_takes_a_number_again_is_refused_by_name_and_not_sent(world, declared):
    world.push(declared())
    world.drain()
    good = world.rows(OutboxMessage)
    faults = {
        "TT-13": TRANSACTIONS,
        "TT-1": declared().replace(b">100.00<", b">100.0<"),
        "xsd": declared("R-2").replace(b"<RoleCode>SE</RoleCode>", b"", 1),
    }
    for item, data in faults.items():
        flow_id = world.push(data).flow.id
        world.drain()
        flow = world.flow(flow_id)
        assert (flow.flow_syntax, flow.ack_status) == ("FRR", AckStatus.ERROR), item
        errors = [each for each in flow.ack_details if each["level"] == "Error"]
        assert item == "xsd" or errors[0]["item"] == item
        assert item != "TT-1" or errors[0]["reasonCode"] == "AlreadyExistingFlow"
        assert world.store.get(flow.document_sha256) == data
    assert world.rows(OutboxMessage) == good
    assert len(world.rows(EReport)) == 1


def test_the_portals_statuses_stand_on_the_transmissions_line_and_a_refusal_is_an_alert_that_an_acceptance_closes(
    world, declared, said, invoice
):
    world = on_listed(world)
    world.push(invoice("F1"))
    world.push(declared("F1"))  # a transmission that bears the number of an invoice
    world.drain()
    world.deliver()
    [record] = world.rows(InvoiceRecord)
    hear(world, said("F1", "301"), "S1")
    hear(world, said("F1", "301"), "S1 repeated")
    [status] = world.rows(EReportStatus)
    assert (status.number, status.status) == ("F1", "301")
    assert status.reasons == [{"code": "REJ_PER", "comment": "Période close."}]
    assert world.rows(LifecycleEvent) == [], "it says nothing of the invoice"
    assert world.rows(InvoiceRecord) == [record]
    [alert] = world.rows(Alert)
    assert (alert.condition, alert.team, alert.invoice_id) == ("delivery.report_refused", "treasury", None)
    assert "F1" in alert.title_fr
    assert "REJ_PER" in alert.reason_fr
    hear(world, said("F1", "300", at=datetime(2026, 10, 7, 8, tzinfo=UTC)), "S2")
    assert [alert.state for alert in world.rows(Alert)] == [AlertState.CLOSED]
    assert [row.status for row in world.rows(EReportStatus)] == ["301", "300"]


def test_a_status_of_a_transmission_that_is_not_known_is_kept_and_calls_nobody(world, said):
    world = on_listed(world)
    hear(world, said("elsewhere", "301"), "S1")
    assert [row.number for row in world.rows(EReportStatus)] == ["elsewhere"]
    assert world.rows(Alert) == world.rows(LifecycleEvent) == []


def test_a_platform_that_refuses_a_transmission_it_took_calls_the_treasury(world, declared):
    world = on_listed(world)
    world.push(declared())
    world.drain()
    world.deliver()
    [message] = world.rows(OutboxMessage)
    why = Remark(level="Error", item="file", reason_code="InvalidSchema", message="No.")
    world.listed.flows = [
        PlatformFlow(
            message.remote_id,
            "r.xml",
            "FRR",
            "AggregatedCustomerTransactionReport",
            world.clock(),
            tracking_id=message.idempotency_key,
            direction=FlowDirection.OUT,
            acknowledgement=PlatformAcknowledgement(AckStatus.ERROR, (why,)),
        )
    ]
    poll_platform(world.context, world.organisation_id, "listed")
    [alert] = world.rows(Alert)
    assert (alert.condition, alert.team) == ("delivery.report_refused", "treasury")
    assert "R-1" in alert.title_en


BUYER = "<Buyer><CompanyId schemeId='0002'>1</CompanyId></Buyer>"


@pytest.mark.parametrize(
    ("role", "parts", "flow_type", "rule"),
    [
        ("SE", f"<TransactionsReport><Invoice>{BUYER}</Invoice></TransactionsReport>", "UnitaryCustomer", "B2BInt"),
        ("SE", "<TransactionsReport><Invoice/></TransactionsReport>", "UnitaryCustomer", "B2C"),
        ("BY", f"<TransactionsReport><Invoice>{BUYER}</Invoice></TransactionsReport>", "UnitarySupplier", "B2BInt"),
        ("SE", "<PaymentsReport><Invoice/></PaymentsReport>", "UnitaryCustomerPayment", "NotApplicable"),
        (
            "SE",
            "<TransactionsReport><Transactions/></TransactionsReport><PaymentsReport><Transactions/></PaymentsReport>",
            "MultiFlow",
            "B2C",
        ),
        (
            "SE",
            f"<TransactionsReport><Invoice>{BUYER}</Invoice><Transactions/></TransactionsReport>",
            "MultiFlow",
            "NotApplicable",
        ),
    ],
)
def test_what_it_reports_tells_its_type_and_its_rule(role, parts, flow_type, rule):
    issuer = f"<Issuer><Id schemeId='0002'>552100554</Id><RoleCode>{role}</RoleCode></Issuer>"
    head = f"<ReportDocument><Id> R-1 </Id><TypeCode>IN</TypeCode>{issuer}</ReportDocument>"
    found = report_of(etree.ElementTree(etree.fromstring(f"<Report>{head}{parts}</Report>")))
    assert (found.number, found.kind, found.issuer_siren) == ("R-1", "IN", "552100554")
    assert found.flow_type.value.startswith(flow_type)
    assert found.processing_rule == rule


def test_transmissions_are_read_with_their_deliveries_and_statuses(
    world, declared, said, client_of, other_organisation
):
    world = on_listed(world)
    for number in ("R-1", "R-2"):
        world.push(declared(number), tracking_id=number)
        world.clock.advance(timedelta(seconds=1))
        world.drain()
    world.deliver()
    hear(world, said("R-1", "301"), "S1")
    asking = {"organisation": world.organisation_id, "scope": Scope.everything()}

    def authenticate() -> Principal:
        return Principal(
            asking["organisation"], "client", world.organisation_id, "ERP", frozenset(), None, asking["scope"]
        )

    app = FastAPI()
    app.include_router(router(ReportsApiContext(world.database, world.clock, authenticate)))

    @app.exception_handler(GatewayError)
    async def named(_: Request, error: GatewayError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=error.status)

    with client_of(app) as http:
        first = http.get("/api/v1/reports", params={"limit": 1}).json()
        second = http.get("/api/v1/reports", params={"limit": 1, "cursor": first["next_cursor"]}).json()
        assert [page["reports"][0]["number"] for page in (first, second)] == ["R-2", "R-1"]
        [refused] = second["reports"]
        assert (refused["period_from"], refused["period_to"]) == ("20260901", "20260930")
        assert refused["tracking_id"] == "R-1"
        assert [each["status"]["code"] for each in refused["statuses"]] == ["301"]
        assert [each["state"]["code"] for each in refused["deliveries"]] == ["sent"]
        assert http.get(f"/api/v1/reports/{refused['id']}").json() == refused
        asking["organisation"] = other_organisation
        assert http.get("/api/v1/reports").json() == {"reports": [], "next_cursor": None}
        assert http.get(f"/api/v1/reports/{refused['id']}").status_code == 404
        asking["scope"] = Scope.limited_to([world.organisation_id], [])
        assert http.get("/api/v1/reports").status_code == 403


def test_an_invoice_that_breaks_a_rule_of_content_is_answered_with_the_reason_of_a_failed_semantic_check(
    world, invoice
):
    wrong = invoice("F1").replace(b'<cbc:PayableAmount currencyID="EUR">', b'<cbc:PayableAmount currencyID="EUR">9')
    flow_id = world.push(wrong).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.ack_status == AckStatus.ERROR
    reasons = {detail["reasonCode"] for detail in flow.ack_details if detail["level"] == "Error"}
    assert reasons == {"REJ_SEMAN"}
