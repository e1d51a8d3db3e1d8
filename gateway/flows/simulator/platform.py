"""The simulated platform: its own transactions, its own copy of the bytes, statuses that appear with the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import Database
from gateway.database.paging import SortKey, fetch_page
from gateway.flows.errors import PlatformRefusedError
from gateway.flows.model import SimulatedFlow
from gateway.flows.platforms.client import FlowPage, OutgoingFlow, PlatformFlow
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import DUPLICATE, scenario_for, scenarios
from gateway.flows.terms import FlowDirection, FlowSyntax, FlowType
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id
from gateway.kernel.text import Text
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.correlation import InvoiceKey, normalised_number

SIMULATOR = "simulator"
#: Format 204 (MDT-78) counts whole seconds: two steps never share one, so that their order can be read.
_SHORTEST_STEP = timedelta(seconds=1)
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
        step: time between two statuses of one invoice.
        chosen: scenario by invoice number; the others are drawn by a stable hash.
    """

    database: Database
    organisation_id: UUID
    clock: Clock
    step: timedelta
    chosen: Mapping[str, str] = field(default_factory=dict)
    limits: ReadingLimits = field(default_factory=ReadingLimits)

    def submit(self, flow: OutgoingFlow) -> str:
        """Take a flow and plan its answers; the same tracking id is the same flow. Raises PlatformRefusedError."""
        subject = None if flow.flow_syntax == FlowSyntax.CDAR else self._read(flow.data)
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

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """The answers that are visible by now, strictly after `updated_after`."""
        query = select(SimulatedFlow).where(
            SimulatedFlow.direction == FlowDirection.IN.value, col(SimulatedFlow.visible_at) <= self.clock()
        )
        if updated_after is not None:
            query = query.where(col(SimulatedFlow.visible_at) > updated_after)
        with self.database.transaction(self.organisation_id) as session:
            page = fetch_page(session, query, _BY_APPEARANCE, cursor=cursor, limit=_PAGE)
            return FlowPage(tuple(_listed(row) for row in page.items), page.next_cursor)

    def download(self, flow_id: str) -> bytes:
        """The bytes of a flow. Raises PlatformRefusedError when there is no such flow."""
        with self.database.transaction(self.organisation_id) as session:
            row = session.get(SimulatedFlow, UUID(flow_id))
            if row is None:
                raise PlatformRefusedError(Text("Ce flux n’existe pas.", "There is no such flow."), flow_id)
            return row.data

    def _read(self, data: bytes) -> AnsweredInvoice:
        try:
            invoice = read_invoice(data, self.limits).invoice
        except UnreadableInvoiceError as error:
            raise PlatformRefusedError(error.what, error.where) from error
        seller, buyer = invoice.seller_siren, invoice.buyer_siren
        if not (invoice.number and invoice.issue_date and seller and buyer):
            raise PlatformRefusedError(_INCOMPLETE, "BT-1, BT-2, BT-30, BT-47")
        return AnsweredInvoice(invoice, seller, buyer, invoice.issue_date)

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
            visible_at=now,
        )
        if subject is not None:
            number = normalised_number(subject.invoice.number)
            row.invoice_key = str(InvoiceKey(number, subject.seller_siren, subject.issue_date.year))
            held = session.exec(select(SimulatedFlow.id).where(SimulatedFlow.invoice_key == row.invoice_key)).first()
            row.scenario = DUPLICATE if held else scenario_for(number, self.chosen).name
        return row

    def _plan_answers(self, session: Session, flow: SimulatedFlow, subject: AnsweredInvoice, now: datetime) -> None:
        pause = max(self.step, _SHORTEST_STEP)
        for number, step in enumerate(scenarios()[flow.scenario or DUPLICATE].steps, start=1):
            message = answer(subject, step, at=now + number * pause, received_at=now)
            session.add(
                SimulatedFlow(
                    organisation_id=self.organisation_id,
                    direction=FlowDirection.IN.value,
                    name=f"{message.message_id}.xml",
                    flow_syntax=FlowSyntax.CDAR.value,
                    data=write_cdar(message),
                    visible_at=now + number * self.step,
                    answers_to=flow.id,
                    step=number,
                )
            )


def _listed(row: SimulatedFlow) -> PlatformFlow:
    return PlatformFlow(
        flow_id=str(row.id),
        name=row.name,
        flow_syntax=row.flow_syntax,
        flow_type=FlowType.CUSTOMER_INVOICE_LC.value,
        updated_at=row.visible_at,
    )
