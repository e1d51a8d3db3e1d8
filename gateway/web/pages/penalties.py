"""Penalties down to their days, limitation, insolvency, litigation and blocked orders: pages and forms."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Response
from sqlmodel import Session

from gateway.collection.law import repository
from gateway.collection.law.claiming import choose_treatment, claim_penalties, waive_penalty
from gateway.collection.law.claims_api import dossier_response
from gateway.collection.law.context import LawContext
from gateway.collection.law.correcting import correct_claims
from gateway.collection.law.handing_over import close_hand_over, hand_over, readiness_of
from gateway.collection.law.insolvency import InsolvencyKind
from gateway.collection.law.limitation import ActOnClaim
from gateway.collection.law.model import PenaltyKind, Treatment
from gateway.collection.law.orders import block_orders, check_order, lift_block
from gateway.collection.law.penalties import SheetLine
from gateway.collection.law.positions import position_of, positions_of
from gateway.collection.law.proceedings import declare_claim, end_insolvency, record_insolvency
from gateway.collection.law.watching import ENDED, end_proceedings, limitation_of_invoice, record_act
from gateway.customers.fields import read_amount, read_day
from gateway.customers.model import Customer
from gateway.customers.repository import find_customer
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.treasury.write_off_rows import left_of
from gateway.web.errors import PageNotFoundError, ReasonMissingError
from gateway.web.security import ActionWorker, CollectionManager, Reader, Visit

_SHOWN = 50
_DAY = timedelta(days=1)
_Words = Annotated[str, Form(max_length=2000)]
_Back = Annotated[str, Form()]


def of_customer(session: Session, visit: Visit, customer: Customer) -> dict[str, Any]:
    """What the customer's page shows of these matters: the longest due invoices first."""
    scope, law, today = visit.principal.scope, _parts(visit).law, _today(visit)
    page = repository.due_invoices(session, scope, today, customer_id=customer.id, limit=_SHOWN)
    positions = [each for each in positions_of(session, page.items, today, law) if not each.is_nothing]
    hand_overs = repository.hand_overs_of(session, scope, customer.id)
    litigating = repository.in_litigation(session, [customer.id]).invoices
    left = left_of(session, page.items)
    open_ones = [row for row in page.items if left[row.id] > 0 and row.id not in litigating]
    return {
        "positions": positions,
        "more": page.next_cursor is not None,
        "treatments": Treatment,
        "kinds": InsolvencyKind,
        "insolvencies": repository.insolvencies_of(session, customer.id),
        "hand_overs": [(row, repository.invoices_of_hand_over(session, scope, row.id)) for row in hand_overs],
        "to_hand_over": open_ones,
        "left": left,
        "readiness": readiness_of(session, customer, open_ones, law, visit.context.clock()),
        "order_block": repository.order_block_of(session, customer.id),
        "order": check_order(
            session, scope, str(customer.id), ZERO, customer.credit_currency, law, visit.context.clock()
        ),
    }


def sheet(visit: Reader, invoice_id: UUID, until: str = "", line: Annotated[int, Query(ge=0, le=1000)] = 0) -> Response:
    """The penalties of one invoice: its lines, the days of one of them (`line`, from 1), claims, limitation."""
    scope, parts = visit.principal.scope, _parts(visit)
    with visit.transaction() as session:
        position = position_of(session, scope, invoice_id, _day(until) or _today(visit), parts.law)
        acts = repository.acts_of(session, [invoice_id]).get(invoice_id, [])
        limitation = limitation_of_invoice(session, position.invoice, parts.read_start, parts.law)
        ended = repository.endings_of(session, acts)
    lines = position.sheet.lines
    if line > len(lines):
        raise PageNotFoundError
    return visit.render(
        "penalties.html",
        position=position,
        invoice=position.invoice,
        opened=line,
        days=_days(lines[line - 1]) if line else [],
        excesses=[
            (kind, position.excess_of(kind), position.due_of(kind), position.currency_of(kind))
            for kind in PenaltyKind
            if position.excess_of(kind)
        ],
        limitation=limitation,
        acts=list(zip(acts, limitation.acts, strict=True)),
        act_kinds=parts.law.limitation.act,
        ended=ended,
        endings=parts.law.limitation.ending,
        treatments=Treatment,
        penalty_kinds={kind.value: kind for kind in PenaltyKind},
    )


def claim(visit: ActionWorker, invoice_id: UUID, until: Annotated[str, Form()] = "") -> Response:
    """Claim what has run and was not claimed."""
    day, now = _day(until) or _today(visit), visit.context.clock()
    with visit.transaction() as session:
        law = _parts(visit).law
        claim_penalties(session, visit.principal.scope, invoice_id, law, until=day, by=_by(visit), now=now)
    return visit.go_to(f"/invoices/{invoice_id}/penalties", "penalty_claimed")


def waive(visit: CollectionManager, penalty_id: UUID, reason: _Words = "", next: _Back = "/") -> Response:
    """Give up what is left of a claim."""
    with visit.transaction() as session:
        waive_penalty(
            session,
            visit.principal.scope,
            penalty_id,
            None,
            reason=_required(reason),
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(next, "penalty_waived")


def correct(visit: CollectionManager, invoice_id: UUID, reason: _Words = "") -> Response:
    """Lower claims that exceed what is due."""
    with visit.transaction() as session:
        correct_claims(
            session,
            visit.principal.scope,
            invoice_id,
            _parts(visit).law,
            reason=_required(reason),
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(f"/invoices/{invoice_id}/penalties", "penalty_corrected")


def choose_for_invoice(
    visit: CollectionManager, invoice_id: UUID, treatment: Annotated[Treatment, Form()], reason: _Words = ""
) -> Response:
    """What is to become of the penalties of one invoice."""
    with visit.transaction() as session:
        repository.receivable_by_id(session, visit.principal.scope, invoice_id)
        choose_treatment(
            session, treatment, invoice_id=invoice_id, reason=reason, by=_by(visit), now=visit.context.clock()
        )
    return visit.go_to(f"/invoices/{invoice_id}/penalties", "penalty_chosen")


def choose_for_customer(
    visit: CollectionManager, customer_id: UUID, treatment: Annotated[Treatment, Form()], reason: _Words = ""
) -> Response:
    """What is to become of the penalties of one customer."""
    with visit.transaction() as session:
        found = find_customer(session, visit.principal.scope, str(customer_id))
        choose_treatment(
            session, treatment, customer_id=found.id, reason=reason, by=_by(visit), now=visit.context.clock()
        )
    return visit.go_to(f"/customers/{customer_id}", "penalty_chosen")


def add_act(
    visit: ActionWorker,
    invoice_id: UUID,
    kind: Annotated[str, Form(max_length=100)] = "",
    on: Annotated[str, Form()] = "",
    document: _Words = "",
) -> Response:
    """Something happened to a claim."""
    parts, act = _parts(visit), ActOnClaim(kind, _day(on) or _today(visit))
    with visit.transaction() as session:
        record_act(
            session,
            visit.principal.scope,
            invoice_id,
            act,
            parts.read_start,
            parts.law,
            document=_required(document),
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(f"/invoices/{invoice_id}/penalties", "act_recorded")


def end_act(
    visit: ActionWorker,
    act_id: UUID,
    on: Annotated[str, Form()] = "",
    ending: Annotated[str, Form(max_length=100)] = ENDED,
    document: _Words = "",
    next: _Back = "/",
) -> Response:
    """Proceedings about a claim are over, or ended otherwise than was told."""
    with visit.transaction() as session:
        end_proceedings(
            session,
            visit.principal.scope,
            act_id,
            _day(on) or _today(visit),
            _parts(visit).law,
            ending=ending,
            document=document,
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(next, "act_recorded")


def record_proceedings(
    visit: CollectionManager,
    customer_id: UUID,
    kind: Annotated[InsolvencyKind, Form()],
    judgment_on: Annotated[str, Form()] = "",
    published_on: Annotated[str, Form()] = "",
    source: _Words = "",
    court_agent: _Words = "",
) -> Response:
    """A court opened proceedings against the customer."""
    with visit.transaction() as session:
        record_insolvency(
            session,
            visit.principal.scope,
            str(customer_id),
            kind,
            _parts(visit).law,
            judgment_on=_day(judgment_on) or _today(visit),
            published_on=_day(published_on),
            source=_required(source),
            court_agent=court_agent,
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(f"/customers/{customer_id}", "insolvency_recorded")


def declare(
    visit: CollectionManager,
    insolvency_id: UUID,
    on: Annotated[str, Form()] = "",
    amount: Annotated[str, Form(max_length=30)] = "",
    reference: _Words = "",
    next: _Back = "/",
) -> Response:
    """The claim was declared."""
    with visit.transaction() as session:
        declare_claim(
            session,
            visit.principal.scope,
            insolvency_id,
            _parts(visit).law,
            on=_day(on) or _today(visit),
            amount=read_amount(amount),
            currency="EUR",
            reference=_required(reference),
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(next, "insolvency_recorded")


def end_proceedings_of_customer(
    visit: CollectionManager, insolvency_id: UUID, on: Annotated[str, Form()] = "", next: _Back = "/"
) -> Response:
    """The proceedings against the customer are over."""
    day, now = _day(on) or _today(visit), visit.context.clock()
    with visit.transaction() as session:
        law = _parts(visit).law
        end_insolvency(session, visit.principal.scope, insolvency_id, law, ended_on=day, by=_by(visit), now=now)
    return visit.go_to(next, "insolvency_recorded")


def give(
    visit: CollectionManager,
    customer_id: UUID,
    invoices: Annotated[list[UUID] | None, Form()] = None,
    handed_to: _Words = "",
    reference: _Words = "",
    whole_customer: Annotated[str, Form()] = "",
) -> Response:
    """Hand invoices over to litigation."""
    if not invoices:
        raise ReasonMissingError
    with visit.transaction() as session:
        hand_over(
            session,
            visit.principal.scope,
            str(customer_id),
            invoices,
            _parts(visit).law,
            whole_customer=whole_customer == "yes",
            handed_to=_required(handed_to),
            reference=reference,
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(f"/customers/{customer_id}", "handed_over")


def file(visit: Reader, hand_over_id: UUID) -> Response:
    """The file of a hand-over (zip)."""
    return dossier_response(_parts(visit), visit.principal, hand_over_id)


def close(visit: CollectionManager, hand_over_id: UUID, because: _Words = "", next: _Back = "/") -> Response:
    """A case is over."""
    with visit.transaction() as session:
        close_hand_over(
            session,
            visit.principal.scope,
            hand_over_id,
            on=_today(visit),
            because=_required(because),
            by=_by(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(next, "case_closed")


def block(visit: CollectionManager, customer_id: UUID, reason: _Words = "") -> Response:
    """Stop a customer's orders."""
    now = visit.context.clock()
    with visit.transaction() as session:
        scope = visit.principal.scope
        block_orders(session, scope, str(customer_id), reason=_required(reason), by=_by(visit), now=now)
    return visit.go_to(f"/customers/{customer_id}", "orders_changed")


def unblock(visit: CollectionManager, customer_id: UUID, because: _Words = "") -> Response:
    """Let the rules judge a customer's orders again."""
    now = visit.context.clock()
    with visit.transaction() as session:
        scope = visit.principal.scope
        lift_block(session, scope, str(customer_id), because=_required(because), by=_by(visit), now=now)
    return visit.go_to(f"/customers/{customer_id}", "orders_changed")


def _parts(visit: Visit) -> LawContext:
    context = visit.context
    return LawContext(context.database, context.store, context.clock, context.settings, context.limits)


def _days(line: SheetLine) -> list[tuple[date, Decimal]]:
    """Each day of a line, with its interest."""
    each = line.amount / line.days
    return [(line.first + number * _DAY, each) for number in range(line.days)]


def _today(visit: Visit) -> date:
    return paris_date(visit.context.clock())


def _day(written: str) -> date | None:
    """A day, None when nothing is written. Raises RefusedValueError."""
    return read_day(written) if written.strip() else None


def _required(words: str) -> str:
    if not words.strip():
        raise ReasonMissingError
    return words.strip()


def _by(visit: Visit) -> str:
    return f"{visit.principal.kind}:{visit.principal.id}"
