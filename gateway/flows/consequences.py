"""What follows from a flow for people: alerts, the one action of each alert, and who is told."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.alerts import service as alerts
from gateway.alerts.notifying import tell_people
from gateway.alerts.quarantined_flows import QuarantinedFlow
from gateway.alerts.refused_deliveries import RefusedDelivery
from gateway.alerts.refused_flows import RefusedFlow
from gateway.alerts.replacing import close_replaced, close_replaced_before
from gateway.alerts.repository import unsettled_about
from gateway.alerts.service import DeadlineReview, OpenedAlert
from gateway.collection import service as collection
from gateway.collection.agreements import following as agreements
from gateway.customers.linking import link_invoice
from gateway.flows.directory.checking import AddressCheck
from gateway.invoices.parties import Buyer
from gateway.kernel.settings import Settings
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.service import RecordedEvent, Registration
from gateway.notifications.service import channels_of
from gateway.treasury import receipts
from gateway.treasury.accounting import following as books


class OpenAlerts:
    """The invoice numbers of a batch that unsettled alerts speak of: about the others there is none to close."""

    def __init__(self, session: Session, numbers_by_id: Mapping[UUID, str]) -> None:
        """`numbers_by_id`: the number of each invoice and of each event of the batch."""
        speaking = unsettled_about(session, list(numbers_by_id), sorted(set(numbers_by_id.values())))
        self._numbers = {numbers_by_id.get(each, "") if isinstance(each, UUID) else each for each in speaking}

    def speak_of(self, number: str) -> bool:
        """Whether an alert about that number is unsettled, or may be."""
        return number in self._numbers

    def opened(self, number: str) -> None:
        """One was opened just now."""
        self._numbers.add(number)


def follow_statuses(
    session: Session, recorded: Iterable[RecordedEvent], settings: Settings, now: datetime, open_alerts: OpenAlerts
) -> None:
    """Each new status closes the alerts it settles, with their actions, and opens the one it calls for.

    A 212 also tells the money of receipts; what a buyer contests is a dispute until something settles it.
    """
    for event in recorded:
        number = event.event.key.number
        reaction = alerts.react(session, event, now, may_close=open_alerts.speak_of(number))
        for closed in reaction.closed:
            collection.cancel_for_closed_alert(session, closed, now)
        if reaction.opened is not None or event.state.issues:  # which a dispute may tell of, too
            open_alerts.opened(number)
        _follow_alert(session, reaction.opened, settings, now, event.invoice)
        receipts.follow_collection(session, event, now)
        agreements.follow_status(session, event, now)


def follow_registration(
    session: Session, registration: Registration, buyer: Buyer, now: datetime, open_alerts: OpenAlerts
) -> None:
    """A new invoice goes to its buyer's account; a credit note settles the disputes that it covers.

    Alerts and actions of statuses that came before it are tied to it; those of its refused file close, and those of a
    rejected or refused invoice that it replaces.
    """
    link_invoice(session, registration, buyer, now)
    books.follow_registration(session, registration, now)
    agreements.follow_registration(session, registration, now)
    for closed in close_replaced(session, registration, now):
        collection.cancel_for_closed_alert(session, closed, now)
    if not open_alerts.speak_of(registration.invoice.number):
        return
    tied = alerts.attach_invoice(session, registration)
    collection.attach_invoice(session, tied, registration.invoice)
    for closed in alerts.close_refused_file(session, registration, now):
        collection.cancel_for_closed_alert(session, closed, now)


def follow_deadlines(session: Session, review: DeadlineReview, settings: Settings, now: datetime) -> None:
    """Deadlines that were met take their actions off the worklist; those that have passed put one on it."""
    for closed in review.closed:
        collection.cancel_for_closed_alert(session, closed, now)
    for opened in review.opened:
        _follow_alert(session, opened, settings, now)


def follow_refusal(session: Session, refused: RefusedFlow, settings: Settings, now: datetime) -> None:
    """The billing team learns that a file it pushed was refused here."""
    _follow_alert(session, alerts.raise_for_rejected_flow(session, refused, now), settings, now)


def follow_quarantine(session: Session, flow: QuarantinedFlow, settings: Settings, now: datetime) -> None:
    """People learn that a flow waits for them."""
    _follow_alert(session, alerts.raise_for_quarantined_flow(session, flow, now), settings, now)


def follow_release(session: Session, flow_id: UUID, now: datetime) -> None:
    """A flow that had failed is through: its alert closes, and its action leaves the worklist."""
    for closed in alerts.close_quarantined_flow(session, flow_id, now):
        collection.cancel_for_closed_alert(session, closed, now)


def follow_unaddressable(
    session: Session, invoice: InvoiceRecord, check: AddressCheck, settings: Settings, now: datetime
) -> None:
    """The billing team learns that the directory would not route an invoice that leaves."""
    opened = alerts.raise_for_unaddressable_buyer(session, invoice, check.says, check.to_do, now)
    _follow_alert(session, opened, settings, now)


def follow_refused_delivery(session: Session, refused: RefusedDelivery, settings: Settings, now: datetime) -> None:
    """People learn that a platform refused what it had taken."""
    _follow_alert(session, alerts.raise_for_refused_delivery(session, refused, now), settings, now)


def follow_accepted_delivery(session: Session, delivery_id: UUID, now: datetime) -> None:
    """A refusal that the platform takes back closes its alert, and its action leaves the worklist."""
    for closed in alerts.close_refused_delivery(session, delivery_id, now):
        collection.cancel_for_closed_alert(session, closed, now)


def _follow_alert(
    session: Session,
    opened: OpenedAlert | None,
    settings: Settings,
    now: datetime,
    invoice: InvoiceRecord | None = None,
) -> None:
    """Put its action on the worklist and tell people, unless the `invoice` that it is about was replaced meanwhile."""
    if opened is None:
        return
    collection.create_action_for(session, opened, now)
    settled = close_replaced_before(session, opened.alert, invoice, now) if invoice is not None else ()
    if settled:
        for closed in settled:
            collection.cancel_for_closed_alert(session, closed, now)
        return
    tell_people(session, opened.alert, channels_of(settings), now=now)
