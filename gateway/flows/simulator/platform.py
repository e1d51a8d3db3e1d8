"""The simulated platform: its own transactions, its own copy of the bytes, statuses that appear with the clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import Database
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.flows.errors import PlatformRefusedError
from gateway.flows.model import SimulatedFlow
from gateway.flows.platforms.client import FlowPage, OutgoingFlow, PlatformFlow, SentFlow, Sighting
from gateway.flows.reports.reading import report_of
from gateway.flows.searching import FlowCriteria
from gateway.flows.simulator.answers import AnsweredInvoice
from gateway.flows.simulator.faults import FaultDice
from gateway.flows.simulator.planning import plan_answers
from gateway.flows.simulator.scenarios import (
    DUPLICATE,
    acknowledged_after,
    acknowledgement_of,
    refusing_scenarios,
    scenario_for,
    scenarios,
)
from gateway.flows.terms import AckStatus, FlowDirection, FlowSyntax, FlowType, ProcessingRule
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_document, read_invoice
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey, normalised_number

SIMULATOR = "simulator"
_PAGE = 100
_BY_APPEARANCE = (SortKey(col(SimulatedFlow.visible_at), datetime.fromisoformat), SortKey(col(SimulatedFlow.id), UUID))
_INCOMPLETE = Text(
    "Le numéro, la date ou le SIREN du vendeur ou de l’acheteur manque.",
    "The number, the date, or the SIREN of the seller or of the buyer is missing.",
)


@dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """A `PlatformClient` for one organisation.

    Attributes:
        step: time between two statuses of one invoice; its file is acknowledged within a part of it.
        chosen: scenario by invoice number; the others are drawn by a stable hash, with the seed of the dice.
        dice: the faults of its answers.
        rates: share of all invoices by scenario (`scenario_rates`).
    """

    database: Database
    organisation_id: UUID
    clock: Clock
    step: timedelta
    chosen: Mapping[str, str] = field(default_factory=dict)
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    dice: FaultDice = field(default_factory=FaultDice)
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def submit(self, flow: OutgoingFlow) -> str:
        """Take a flow and plan its answers; the same tracking id is the same flow. Raises PlatformRefusedError.

        A status and an e-reporting transmission are taken as they are, and acknowledged.
        """
        subject = None if flow.flow_syntax in (FlowSyntax.CDAR, FlowSyntax.FRR) else self._read(flow.data)
        now = self.clock()
        with self.database.transaction(self.organisation_id) as session:
            row = self._row(session, flow, subject, now)
            inserted = session.execute(
                insert(SimulatedFlow).values(row.model_dump()).on_conflict_do_nothing().returning(col(SimulatedFlow.id))
            ).first()
            if inserted is None:
                known = select(SimulatedFlow.id).where(SimulatedFlow.tracking_id == flow.tracking_id)
                return str(session.exec(known).one())
            if subject is not None:
                self._plan_answers(session, row, subject, now)
            return str(row.id)

    @property
    def visible_within(self) -> timedelta:
        """What was submitted shows at once."""
        return timedelta(0)

    def look_up(self, flow: SentFlow) -> Sighting:
        """Whether a flow was submitted under that tracking id."""
        with self.database.transaction(self.organisation_id) as session:
            held = select(SimulatedFlow.id).where(SimulatedFlow.tracking_id == flow.tracking_id)
            flow_id = session.exec(held).one_or_none()
        return Sighting(str(flow_id) if flow_id else None)

    def check(self) -> None:
        """It answers as long as its database does."""
        with self.database.transaction(self.organisation_id) as session:
            session.exec(select(SimulatedFlow.id).limit(1)).first()

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """What was submitted, and the answers that are visible by now, strictly after `updated_after`."""
        page = self.find(FlowCriteria(updated_after=updated_after), cursor=cursor, limit=_PAGE)
        return FlowPage(tuple(_listed(row) for row in page.items), page.next_cursor)

    def find(self, criteria: FlowCriteria, *, cursor: str | None, limit: int) -> Page[SimulatedFlow]:
        """The flows of both directions that are visible by now and fit. Raises InvalidCursorError."""
        query = select(SimulatedFlow).where(col(SimulatedFlow.visible_at) <= self.clock(), *_conditions(criteria))
        with self.database.transaction(self.organisation_id) as session:
            self.acknowledge_due(session)
            page = fetch_page(session, query, _BY_APPEARANCE, cursor=cursor, limit=limit)
            session.expunge_all()
            return page

    def read(self, flow_id: str) -> PlatformFlow:
        """A flow that is visible by now. Raises PlatformRefusedError when there is no such flow."""
        return _listed(self._held(flow_id))

    def download(self, flow_id: str) -> bytes:
        """The bytes of a flow. Raises PlatformRefusedError when there is no such flow."""
        return self._held(flow_id).data

    def _held(self, flow_id: str) -> SimulatedFlow:
        row = self.row(UUID(flow_id))
        if row is None:
            raise PlatformRefusedError(Text("Ce flux n’existe pas.", "There is no such flow."), flow_id)
        return row

    def row(self, flow_id: UUID) -> SimulatedFlow | None:
        """A flow that is visible by now, as it is kept; None when there is none."""
        with self.database.transaction(self.organisation_id) as session:
            self.acknowledge_due(session)
            row = session.get(SimulatedFlow, flow_id)
            session.expunge_all()
            return row if row is not None and row.visible_at <= self.clock() else None

    def acknowledge_due(self, session: Session) -> None:
        """What has been Pending long enough is Ok or Error from now on: it is listed again, and told to subscribers."""
        now = self.clock()
        due = (
            select(SimulatedFlow.id)
            .where(col(SimulatedFlow.visible_at) < SimulatedFlow.acknowledged_at)
            .where(col(SimulatedFlow.acknowledged_at) <= now)
            .with_for_update(skip_locked=True)  # nobody waits here for who is told of a flow, nor they in a circle
        )
        session.execute(update(SimulatedFlow).where(col(SimulatedFlow.id).in_(due)).values(visible_at=now, call_at=now))

    def _read(self, data: bytes) -> AnsweredInvoice:
        try:
            invoice = read_invoice(data, self.limits).invoice
        except UnreadableInvoiceError as error:
            raise PlatformRefusedError(error.what, error.where) from error
        seller, buyer = invoice.seller_siren, invoice.buyer_siren
        if not (invoice.number and invoice.issue_date and seller and buyer):
            raise PlatformRefusedError(_INCOMPLETE, "BT-1, BT-2, BT-30, BT-47")
        return AnsweredInvoice(invoice, seller, buyer, invoice.issue_date)

    def _type_of(self, flow: OutgoingFlow) -> FlowType:
        if flow.flow_syntax == FlowSyntax.FRR:
            try:
                return report_of(read_document(flow.data, self.limits).tree).flow_type
            except UnreadableInvoiceError as error:
                raise PlatformRefusedError(error.what, error.where) from error
        return FlowType.CUSTOMER_INVOICE_LC if flow.flow_syntax == FlowSyntax.CDAR else FlowType.CUSTOMER_INVOICE

    def _row(
        self, session: Session, flow: OutgoingFlow, subject: AnsweredInvoice | None, now: datetime
    ) -> SimulatedFlow:
        row = SimulatedFlow(
            id=new_id(),
            organisation_id=self.organisation_id,
            direction=FlowDirection.OUT.value,
            tracking_id=flow.tracking_id,
            name=flow.name,
            flow_syntax=flow.flow_syntax,
            data=flow.data,
            submitted_at=now,
            visible_at=now,
            call_at=now,
            flow_type=self._type_of(flow).value,
            flow_profile=flow.flow_profile,
            processing_rule=flow.processing_rule,
        )
        if subject is not None:
            number = normalised_number(subject.invoice.number)
            row.invoice_key = str(InvoiceKey(number, subject.seller_siren, subject.issue_date.year))
            taken = select(SimulatedFlow.id).where(
                SimulatedFlow.invoice_key == row.invoice_key,
                col(SimulatedFlow.scenario).not_in(refusing_scenarios()),
            )
            held = session.exec(taken).first()
            drawn = scenario_for(number, self.chosen, self.rates, self.dice.seed)
            row.scenario = DUPLICATE if held else drawn.name
        row.acknowledged_at = now + self.step * acknowledged_after(row.scenario)
        return row

    def _plan_answers(self, session: Session, flow: SimulatedFlow, subject: AnsweredInvoice, now: datetime) -> None:
        steps = scenarios()[flow.scenario or DUPLICATE].steps
        for planned in plan_answers(subject, steps, now=now, pause=self.step, dice=self.dice):
            session.add(
                SimulatedFlow(
                    organisation_id=self.organisation_id,
                    direction=FlowDirection.IN.value,
                    name=planned.name,
                    flow_syntax=FlowSyntax.CDAR.value,
                    data=planned.data,
                    submitted_at=planned.visible_at,
                    visible_at=planned.visible_at,
                    call_at=planned.visible_at,
                    answers_to=flow.id,
                    step=planned.step,
                )
            )


def _listed(row: SimulatedFlow) -> PlatformFlow:
    return PlatformFlow(
        flow_id=str(row.id),
        name=row.name,
        flow_syntax=row.flow_syntax,
        flow_type=row.flow_type,
        updated_at=row.visible_at,
        tracking_id=row.tracking_id,
        direction=FlowDirection(row.direction),
        acknowledgement=acknowledgement_of(row.scenario, pending=row.is_pending),
    )


def _conditions(criteria: FlowCriteria) -> Iterator[ColumnElement[bool] | bool]:
    if criteria.updated_after is not None:
        yield col(SimulatedFlow.visible_at) > criteria.updated_after
    if criteria.updated_before is not None:
        yield col(SimulatedFlow.visible_at) < criteria.updated_before
    if criteria.directions:
        yield col(SimulatedFlow.direction).in_(criteria.directions)
    if criteria.flow_types:
        yield col(SimulatedFlow.flow_type).in_(criteria.flow_types)
    if criteria.processing_rules:
        yield func.coalesce(SimulatedFlow.processing_rule, ProcessingRule.B2B.value).in_(criteria.processing_rules)
    if criteria.tracking_id is not None:
        yield col(SimulatedFlow.tracking_id) == criteria.tracking_id
    if criteria.ack_status is not None:
        pending = func.coalesce(col(SimulatedFlow.visible_at) < SimulatedFlow.acknowledged_at, False)
        refused = func.coalesce(col(SimulatedFlow.scenario).in_(refusing_scenarios()), False)
        yield {
            AckStatus.PENDING.value: pending,
            AckStatus.ERROR.value: ~pending & refused,
            AckStatus.OK.value: ~pending & ~refused,
        }[criteria.ack_status]
