"""`/api/v1`: limitation, insolvency, hand-over to litigation and the order check, for programs."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import IO, Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from gateway.access.principal import Principal
from gateway.collection.evidence import evidence_maker
from gateway.collection.law import repository
from gateway.collection.law.claims_bodies import (
    ActBody,
    ActEndBody,
    BlockBody,
    CloseBody,
    DeclarationBody,
    EndBody,
    HandOverBody,
    InsolvencyBody,
    ThresholdsBody,
)
from gateway.collection.law.context import LawContext
from gateway.collection.law.dossier import dossier_name, write_dossier
from gateway.collection.law.handing_over import close_hand_over, hand_over, readiness_of
from gateway.collection.law.limitation import ActOnClaim
from gateway.collection.law.orders import block_orders, check_order, lift_block, set_order_policy
from gateway.collection.law.penalties_api import (
    LawApiContext,
    acting,
    require_everything,
)
from gateway.collection.law.proceedings import declare_claim, end_insolvency, record_insolvency
from gateway.collection.law.statute import OrderPolicy
from gateway.collection.law.views import (
    HandOverView,
    InsolvencyView,
    LimitationView,
    OrderCheckView,
    ReadinessView,
    hand_over_view,
    insolvency_view,
    limitation_view,
    missing_views,
    order_check_view,
)
from gateway.collection.law.watching import end_proceedings, limitation_of_invoice, record_act
from gateway.customers.model import Customer
from gateway.customers.repository import find_customer
from gateway.kernel.problems import problems

_CHUNK = 1 << 16
_IN_MEMORY = 8 << 20


def router(context: LawApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Claims"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]
    parts, database, clock = context.parts, context.parts.database, context.parts.clock

    def shown(session: Session, principal: Principal, invoice_id: UUID) -> LimitationView:
        invoice = repository.receivable_by_id(session, principal.scope, invoice_id)
        decision = limitation_of_invoice(session, invoice, parts.read_start, parts.law)
        return limitation_view(session, invoice, decision, parts.law)

    @routes.get("/invoices/{invoice_id}/limitation", summary="Until when a claim can be brought to court")
    def limitation(principal: reader, invoice_id: UUID) -> LimitationView:
        """Counted from the earliest date known; what interrupts it and what does not, with the text of law."""
        with database.transaction(principal.organisation_id) as session:
            return shown(session, principal, invoice_id)

    @routes.post("/invoices/{invoice_id}/acts", status_code=201, summary="Record what happened to a claim")
    def act(principal: writer, invoice_id: UUID, body: ActBody) -> LimitationView:
        """An acknowledgement, a claim in court, an enforcement, a registered letter…"""
        told = ActOnClaim(body.kind, body.on, body.ended_on)
        with database.transaction(principal.organisation_id) as session:
            record_act(
                session,
                principal.scope,
                invoice_id,
                told,
                parts.read_start,
                parts.law,
                document=body.document,
                comment=body.comment,
                by=acting(principal),
                now=clock(),
            )
            session.flush()
            return shown(session, principal, invoice_id)

    @routes.post("/acts/{act_id}/end", status_code=201, summary="Proceedings about a claim are over")
    def end_act(principal: writer, act_id: UUID, body: ActEndBody) -> LimitationView:
        """The limitation runs anew from then, or as if the claim had never been. Told again, the last word counts."""
        with database.transaction(principal.organisation_id) as session:
            row = end_proceedings(
                session,
                principal.scope,
                act_id,
                body.on,
                parts.law,
                ending=body.ending,
                document=body.document,
                comment=body.comment,
                by=acting(principal),
                now=clock(),
            )
            session.flush()
            return shown(session, principal, row.invoice_id)

    @routes.get("/customers/{customer}/insolvencies", summary="Insolvency proceedings of a customer")
    def insolvencies(principal: reader, customer: str) -> list[InsolvencyView]:
        """The latest first."""
        with database.transaction(principal.organisation_id) as session:
            found = find_customer(session, principal.scope, customer)
            return [insolvency_view(row) for row in repository.insolvencies_of(session, found.id)]

    @routes.post(
        "/customers/{customer}/insolvencies",
        status_code=201,
        summary="Record insolvency proceedings",
        responses=problems(409),
    )
    def insolvent(principal: writer, customer: str, body: InsolvencyBody) -> InsolvencyView:
        """Earlier debts are chased no more; people are told before the time to declare them is over."""
        with database.transaction(principal.organisation_id) as session:
            row = record_insolvency(
                session,
                principal.scope,
                customer,
                body.kind,
                parts.law,
                judgment_on=body.judgment_on,
                published_on=body.published_on,
                source=body.source,
                court_agent=body.court_agent,
                abroad=body.abroad,
                by=acting(principal),
                now=clock(),
            )
            return insolvency_view(row)

    @routes.post(
        "/insolvencies/{insolvency_id}/declaration",
        status_code=201,
        summary="The claim was declared",
        responses=problems(409),
    )
    def declare(principal: writer, insolvency_id: UUID, body: DeclarationBody) -> InsolvencyView:
        """Its alert closes."""
        with database.transaction(principal.organisation_id) as session:
            row = declare_claim(
                session,
                principal.scope,
                insolvency_id,
                parts.law,
                on=body.on,
                amount=body.amount,
                currency=body.currency,
                reference=body.reference,
                by=acting(principal),
                now=clock(),
            )
            return insolvency_view(row)

    @routes.post(
        "/insolvencies/{insolvency_id}/end", status_code=201, summary="Proceedings are over", responses=problems(409)
    )
    def end(principal: writer, insolvency_id: UUID, body: EndBody) -> InsolvencyView:
        """The customer counts as healthy again."""
        with database.transaction(principal.organisation_id) as session:
            row = end_insolvency(
                session,
                principal.scope,
                insolvency_id,
                parts.law,
                ended_on=body.on,
                by=acting(principal),
                now=clock(),
            )
            return insolvency_view(row)

    @routes.get("/invoices/{invoice_id}/readiness", summary="What a formal notice and a hand-over still need")
    def readiness(principal: reader, invoice_id: UUID) -> ReadinessView:
        """Proofs, an address, earlier reminders, no open dispute…"""
        with database.transaction(principal.organisation_id) as session:
            invoice = repository.receivable_by_id(session, principal.scope, invoice_id)
            customer = repository.customer_of(session, invoice)
            notice, litigation = readiness_of(session, customer, [invoice], parts.law, clock())[invoice_id]
            return ReadinessView(
                formal_notice_allowed=notice.allowed,
                formal_notice=missing_views(notice),
                hand_over_allowed=litigation.allowed,
                hand_over=missing_views(litigation),
            )

    @routes.get(
        "/invoices/{invoice_id}/evidence",
        summary="The evidence file of an invoice (zip)",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}},
    )
    def evidence(principal: reader, invoice_id: UUID) -> Response:
        """Documents, messages, timeline and the proof of the ledger: to be joined to a formal notice."""
        with database.transaction(principal.organisation_id) as session:
            invoice = repository.receivable_by_id(session, principal.scope, invoice_id)
            made = evidence_maker(session, parts.store, parts.key, principal.language, clock())(invoice)
        name = quote(f"preuve-{invoice.number}.zip", safe="")
        disposition = f"attachment; filename*=UTF-8''{name}"
        return Response(made, media_type="application/zip", headers={"Content-Disposition": disposition})

    @routes.get("/customers/{customer}/hand-overs", summary="What was handed over to litigation")
    def hand_overs(principal: reader, customer: str) -> list[HandOverView]:
        """The latest first, with the invoices that may be seen."""
        with database.transaction(principal.organisation_id) as session:
            found = find_customer(session, principal.scope, customer)
            return [
                hand_over_view(row, repository.invoices_of_hand_over(session, principal.scope, row.id))
                for row in repository.hand_overs_of(session, principal.scope, found.id)
            ]

    @routes.post(
        "/customers/{customer}/hand-overs",
        status_code=201,
        summary="Hand invoices over to litigation",
        responses=problems(409),
    )
    def give(principal: writer, customer: str, body: HandOverBody) -> HandOverView:
        """Their reminders stop. The answer says what would make the claim weaker."""
        with database.transaction(principal.organisation_id) as session:
            row, readiness = hand_over(
                session,
                principal.scope,
                customer,
                body.invoices,
                parts.law,
                whole_customer=body.whole_customer,
                handed_to=body.handed_to,
                reference=body.reference,
                comment=body.comment,
                by=acting(principal),
                now=clock(),
            )
            invoices = repository.invoices_of_hand_over(session, principal.scope, row.id)
            return hand_over_view(row, invoices, missing_views(readiness))

    @routes.get(
        "/hand-overs/{hand_over_id}/file",
        summary="The file of a hand-over (zip)",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/zip": {}}}},
    )
    def file(principal: reader, hand_over_id: UUID) -> StreamingResponse:
        """Invoices, credit notes, reminders with their letters, penalty sheets, timelines and evidence files."""
        return dossier_response(parts, principal, hand_over_id)

    @routes.post("/hand-overs/{hand_over_id}/close", status_code=201, summary="A case is over", responses=problems(409))
    def close(principal: writer, hand_over_id: UUID, body: CloseBody) -> HandOverView:
        """What is still open may be chased again."""
        with database.transaction(principal.organisation_id) as session:
            row = close_hand_over(
                session,
                principal.scope,
                hand_over_id,
                on=body.on,
                because=body.because,
                by=acting(principal),
                now=clock(),
            )
            return hand_over_view(row, repository.invoices_of_hand_over(session, principal.scope, row.id))

    @routes.get("/customers/{customer}/order-check", summary="Whether an order may go ahead")
    def order_check(
        principal: reader,
        customer: str,
        amount: Annotated[Decimal, Query(ge=0, max_digits=19, decimal_places=2, description="VAT included.")],
        currency: Annotated[str, Query(pattern=r"^[A-Z]{3}$")] = "EUR",
    ) -> OrderCheckView:
        """Allowed, warned or blocked, and why; `customer` is an identifier, a key or a SIREN."""
        with database.transaction(principal.organisation_id) as session:
            decision = check_order(session, principal.scope, customer, amount, currency, parts.law, clock())
        return order_check_view(decision, currency)

    @routes.put("/customers/{customer}/order-block", status_code=204, summary="Block orders", responses=problems(409))
    def block(principal: writer, customer: str, body: BlockBody) -> None:
        """By hand, whatever the rules say."""
        with database.transaction(principal.organisation_id) as session:
            block_orders(session, principal.scope, customer, reason=body.reason, by=acting(principal), now=clock())

    @routes.post("/customers/{customer}/order-block/lift", status_code=204, summary="Let orders go on")
    def lift(principal: writer, customer: str, body: BlockBody) -> None:
        """The rules judge again."""
        with database.transaction(principal.organisation_id) as session:
            lift_block(session, principal.scope, customer, because=body.reason, by=acting(principal), now=clock())

    @routes.put("/order-thresholds", summary="Change the thresholds of the order check")
    def thresholds(principal: writer, body: ThresholdsBody) -> OrderPolicy:
        """For the whole organisation, from a day on."""
        require_everything(principal)
        given: dict[str, Any] = dict(body.thresholds)
        with database.transaction(principal.organisation_id) as session:
            return set_order_policy(session, parts.law, given, body.valid_from, by=acting(principal), now=clock())

    return routes


def dossier_response(parts: LawContext, principal: Principal, hand_over_id: UUID) -> StreamingResponse:
    """The zip of a hand-over, written to a file that grows on disk past a few megabytes, then sent piece by piece."""
    now = parts.clock()
    with ExitStack() as opened:
        output = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        with parts.database.transaction(principal.organisation_id) as session:
            row = repository.hand_over_by_id(session, principal.scope, hand_over_id)
            evidence_of = evidence_maker(session, parts.store, parts.key, principal.language, now)
            write_dossier(output, session, principal.scope, row, parts, evidence_of, now)
            name = dossier_name(session.get_one(Customer, row.customer_id), row)
        opened.pop_all()
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return StreamingResponse(
        _pieces(output), media_type="application/zip", headers={"Content-Disposition": disposition}
    )


def _pieces(output: IO[bytes]) -> Iterator[bytes]:
    with output:
        output.seek(0)
        while piece := output.read(_CHUNK):
            yield piece
