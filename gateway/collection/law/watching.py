"""The limitation of claims: read where it begins, record what happens to a claim, warn before it is over.

Documents are read before the organisation's turn is taken, and only once the end may be near: years pass before.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, case, func, type_coerce
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.alerts.repository import unsettled_of_condition
from gateway.collection.law import repository
from gateway.collection.law.calendar import add_months
from gateway.collection.law.debts import debtor_kind
from gateway.collection.law.errors import LegalFactError
from gateway.collection.law.facts import require_not_to_come, require_order
from gateway.collection.law.limitation import ActOnClaim, LimitationDecision, Start, limitation_of, start_of
from gateway.collection.law.model import ClaimAct, ClaimEnding, ClaimStart
from gateway.collection.law.statute import DebtorKind, Statute
from gateway.collection.law.warning import LIMITATION, Warned, settle, warn
from gateway.customers.model import Customer, CustomerInvoice
from gateway.database.columns import Amount
from gateway.database.engine import Database
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.notifications.service import Channels
from gateway.treasury.write_off_rows import settled_by_invoice

#: How proceedings ended when nothing else is told: the interruption stands.
ENDED = "ended"
#: How long before its invoice a performance may lie for its limitation to be warned of in time, in months.
_LATE_INVOICE_MONTHS = 12

_STANDS = and_(col(InvoiceRecord.direction) == Direction.RECEIVABLE.value, col(InvoiceRecord.is_closed).is_(False))

#: Reads where the limitation of an invoice begins; its document may lie far away.
ReadStart = Callable[[InvoiceRecord], Start]


def start_reader(store: DocumentStore, limits: ReadingLimits) -> ReadStart:
    """Reads the start from the document; the invoice's own date when the document is gone or cannot be read."""

    def read(invoice: InvoiceRecord) -> Start:
        try:
            document = read_invoice(store.get(invoice.document_sha256), limits).invoice
        except (UnreadableInvoiceError, DocumentMissingError, DocumentDamagedError):
            return start_of(invoice.issue_date, None, None)
        delivered = document.deliver_to.delivered_on if document.deliver_to else None
        return start_of(invoice.issue_date, delivered, document.period.end if document.period else None)

    return read


def limitation_of_invoice(
    session: Session, invoice: InvoiceRecord, read_start: ReadStart, law: Statute
) -> LimitationDecision:
    """Where the limitation of one receivable stands, with everything that happened to it."""
    known = session.get(ClaimStart, invoice.id)
    start = Start(known.started_on, known.term) if known else read_start(invoice)  # type: ignore[arg-type]
    return limitation_of(start, _debtor_of(session, invoice.id), _acts(session, invoice.id), law)


def record_act(
    session: Session,
    scope: Scope,
    invoice_id: UUID,
    act: ActOnClaim,
    read_start: ReadStart,
    law: Statute,
    *,
    document: str,
    comment: str = "",
    by: str,
    now: datetime,
) -> ClaimAct:
    """Something happened to a claim. Raises InvoiceNotFoundError, NotAReceivableError, LegalFactError."""
    if act.kind not in law.limitation.act:
        raise LegalFactError(
            Text(f"« {act.kind} » n’est pas un acte connu.", f"'{act.kind}' is no known act."),
            Text(f"Un de : {', '.join(law.limitation.act)}.", f"One of: {', '.join(law.limitation.act)}."),
            "kind",
        )
    for day in (act.on, act.ended_on or act.on):
        require_not_to_come(day, now, "on")
    require_order(act.on, act.ended_on or act.on, "ended_on")
    invoice = repository.receivable_by_id(session, scope, invoice_id)
    start = limitation_of_invoice(session, invoice, read_start, law).start
    take_turn(session)
    row = ClaimAct(
        organisation_id=invoice.organisation_id,
        invoice_id=invoice.id,
        kind=act.kind,
        on_day=act.on,
        ended_on=act.ended_on,
        document=document,
        comment=comment,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(row)
    content = {"kind": act.kind, "on": act.on.isoformat(), "document": document, "by": by, "act_id": str(row.id)}
    append(session, at=now, kind="claim.act", subject=f"invoice:{key_of_invoice(invoice)}", content=content)
    _keep_start(session, invoice, start, law)
    _settle_obsolete(session, law, now)
    return row


def end_proceedings(
    session: Session,
    scope: Scope,
    act_id: UUID,
    ended_on: date,
    law: Statute,
    *,
    ending: str = ENDED,
    document: str = "",
    comment: str = "",
    by: str,
    now: datetime,
) -> ClaimAct:
    """The proceedings that held a limitation up are over; told again, as after an appeal, the last word counts.

    `ending`: how, a key of `limitation.ending`. `document`: the decision that says so. Raises LegalFactNotFoundError,
    LegalFactError.
    """
    if ending not in law.limitation.ending:
        raise LegalFactError(
            Text(f"« {ending} » n’est pas une issue connue.", f"'{ending}' is no known ending."),
            Text(f"Une de : {', '.join(law.limitation.ending)}.", f"One of: {', '.join(law.limitation.ending)}."),
            "ending",
        )
    require_not_to_come(ended_on, now, "ended_on")
    take_turn(session)
    act = repository.act_by_id(session, scope, act_id)
    require_order(act.on_day, ended_on, "ended_on")
    if not law.limitation.act[act.kind].pending:
        raise LegalFactError(
            Text("Cet acte n’a pas ouvert d’instance.", "This act opened no proceedings."),
            Text("Choisissez une demande en justice.", "Choose a claim in court."),
            str(act.id),
        )
    act.ended_on = ended_on
    row = ClaimEnding(
        organisation_id=act.organisation_id,
        act_id=act.id,
        number=len(repository.endings_of(session, [act]).get(act.id, ())) + 1,
        outcome=ending,
        on_day=ended_on,
        document=document,
        comment=comment,
        recorded_at=now,
        recorded_by=by,
    )
    session.add_all([act, row])
    invoice = session.get_one(InvoiceRecord, act.invoice_id)
    content = {
        "act_id": str(act.id),
        "ended_on": ended_on.isoformat(),
        "ending": ending,
        "document": document,
        "by": by,
    }
    append(
        session, at=now, kind="claim.proceedings_ended", subject=f"invoice:{key_of_invoice(invoice)}", content=content
    )
    known = session.get_one(ClaimStart, invoice.id)
    _keep_start(session, invoice, Start(known.started_on, known.term), law)  # type: ignore[arg-type]
    _settle_obsolete(session, law, now)
    return act


def review_limitations(
    database: Database,
    organisation_id: UUID,
    read_start: ReadStart,
    law: Statute,
    channels: Channels,
    *,
    batch: int,
    now: datetime,
) -> int:
    """Read where claims begin whose end may be near, at most a batch; warn of those that are. How many were read."""
    with database.transaction(organisation_id) as session:
        unread = _unread(session, law, paris_date(now), batch)
        session.expunge_all()
    starts = [(invoice, read_start(invoice)) for invoice in unread]
    with database.transaction(organisation_id) as session:
        take_turn(session)
        for invoice, start in starts:
            _keep_start(session, invoice, start, law)
        session.flush()
        _settle_obsolete(session, law, now)
        for warned in _near(session, law, paris_date(now)):
            warn(session, warned, law, channels, now)
    return len(unread)


def _unread(session: Session, law: Statute, today: date, batch: int) -> Sequence[InvoiceRecord]:
    """Open receivables that may be near the end of their limitation and whose start was not read."""

    def issued_until(debtor: DebtorKind) -> date:
        years = law.limitation_rule(debtor, today).years
        return add_months(today, _LATE_INVOICE_MONTHS + law.limitation.alert_months - 12 * years)

    oldest = case(
        (col(Customer.is_consumer), issued_until(DebtorKind.CONSUMER)),
        (col(Customer.is_public), issued_until(DebtorKind.PUBLIC)),
        else_=issued_until(DebtorKind.BUSINESS),
    )
    left, received = _left()
    return session.exec(
        select(InvoiceRecord)
        .join(CustomerInvoice, col(CustomerInvoice.invoice_id) == InvoiceRecord.id)
        .join(Customer, col(Customer.id) == CustomerInvoice.customer_id)
        .outerjoin(received, received.c.invoice_id == InvoiceRecord.id)
        .outerjoin(ClaimStart, col(ClaimStart.invoice_id) == InvoiceRecord.id)
        .where(_STANDS, left > 0, col(ClaimStart.invoice_id).is_(None), col(InvoiceRecord.issue_date) <= oldest)
        .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.id))
        .limit(batch)
    ).all()


def _watched(session: Session, law: Statute, *conditions: ColumnElement[bool]) -> list[Warned]:
    """Open receivables whose limitation has an end, the nearest first."""
    left, received = _left()
    rows = session.execute(
        select(InvoiceRecord, ClaimStart, Customer.name, left)
        .join(ClaimStart, col(ClaimStart.invoice_id) == InvoiceRecord.id)
        .join(CustomerInvoice, col(CustomerInvoice.invoice_id) == InvoiceRecord.id)
        .join(Customer, col(Customer.id) == CustomerInvoice.customer_id)
        .outerjoin(received, received.c.invoice_id == InvoiceRecord.id)
        .where(_STANDS, left > 0, *conditions)
        .order_by(col(ClaimStart.ends_on), col(InvoiceRecord.id))
        .add_columns(_key(law))
    )
    return [
        Warned(
            condition=LIMITATION,
            key=key,
            invoice=invoice,
            customer=customer,
            amount=amount,
            last_day=known.ends_on,
            since=known.started_on,
        )
        for invoice, known, customer, amount, key in rows
        if known.ends_on is not None
    ]


def _near(session: Session, law: Statute, today: date) -> list[Warned]:
    """Those whose end is near and that people were not told of; a new end, after an interruption, is told anew."""
    told = select(Alert.id).where(col(Alert.dedup_key) == _key(law)).exists()
    return _watched(session, law, col(ClaimStart.warn_from) <= today, ~told)


def _key(law: Statute) -> ColumnElement[str]:
    """Names the end of a limitation: one that was told is told anew when what had put it off never interrupted it."""
    void = [name for name, ending in law.limitation.ending.items() if not ending.counts]
    undone = (
        select(func.count(col(ClaimEnding.id)))
        .join(ClaimAct, col(ClaimAct.id) == ClaimEnding.act_id)
        .where(ClaimAct.invoice_id == ClaimStart.invoice_id, col(ClaimEnding.outcome).in_(void))
        .correlate(ClaimStart)
        .scalar_subquery()
    )
    again = case((undone > 0, func.concat(":", undone)), else_="")
    return func.concat(LIMITATION, ":", ClaimStart.invoice_id, ":", ClaimStart.ends_on, again)


def _settle_obsolete(session: Session, law: Statute, now: datetime) -> None:
    """Close the alerts of invoices that are paid or closed, or whose limitation ends on another day by now."""
    session.flush()
    alerts = unsettled_of_condition(session, LIMITATION)
    if alerts:
        mine = col(InvoiceRecord.id).in_([alert.invoice_id for alert in alerts])
        still = {warned.key for warned in _watched(session, law, mine)}
        settle(session, [alert for alert in alerts if alert.dedup_key not in still], law, now)


def _keep_start(session: Session, invoice: InvoiceRecord, start: Start, law: Statute) -> None:
    """Store where the limitation begins and, after all that happened, where it ends."""
    session.flush()
    decision = limitation_of(start, _debtor_of(session, invoice.id), _acts(session, invoice.id), law)
    row = session.get(ClaimStart, invoice.id, populate_existing=True) or ClaimStart(
        organisation_id=invoice.organisation_id, invoice_id=invoice.id, started_on=start.on, term=start.term
    )
    row.ends_on, row.warn_from = decision.ends_on, decision.warn_from
    session.add(row)


def _left() -> tuple[ColumnElement[Decimal], Subquery]:
    """What is left to pay of an invoice, and the table to join for it: money that no 212 tells, and write-offs."""
    settled = settled_by_invoice()
    return type_coerce(col(InvoiceRecord.remaining) - func.coalesce(settled.c.amount, ZERO), Amount), settled


def _debtor_of(session: Session, invoice_id: UUID) -> DebtorKind:
    """Who owes; a business unless something else is known."""
    customer = session.exec(
        select(Customer)
        .join(CustomerInvoice, col(CustomerInvoice.customer_id) == Customer.id)
        .where(CustomerInvoice.invoice_id == invoice_id)
    ).one_or_none()
    return debtor_kind(customer) if customer else DebtorKind.BUSINESS


def _acts(session: Session, invoice_id: UUID) -> list[ActOnClaim]:
    """What happened to a claim, each act with how its proceedings ended when that was told."""
    acts = repository.acts_of(session, [invoice_id]).get(invoice_id, [])
    endings = repository.endings_of(session, acts)
    return [
        ActOnClaim(act.kind, act.on_day, act.ended_on, endings[act.id][-1].outcome if act.id in endings else "")
        for act in acts
    ]
