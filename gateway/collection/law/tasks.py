"""The review of what the law lets pass: limitations, claims to declare, penalties paid late or claimed too high."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlmodel import Session

from gateway.collection.law.changes import look_of, touched_since
from gateway.collection.law.claiming import claim_paid_late
from gateway.collection.law.context import LawContext
from gateway.collection.law.correcting import review_excesses
from gateway.collection.law.proceedings import review_insolvencies
from gateway.collection.law.repository import claimed_invoices, paid_late
from gateway.collection.law.statute import Statute
from gateway.collection.law.watching import review_limitations
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import paris_date
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import InvoiceRecord

LAW_TASK = "collection.law"


def review_law(context: LawContext, organisation_id: UUID) -> None:
    """One look at one organisation; a full batch of documents to read asks for another."""
    now, law, batch = context.clock(), context.law, context.settings.batch_size
    read = review_limitations(
        context.database, organisation_id, context.read_start, law, context.channels, batch=batch, now=now
    )
    with context.database.transaction(organisation_id) as session:
        take_turn(session)
        review_insolvencies(session, law, context.channels, now)
        if read == batch:
            enqueue(session, LAW_TASK)
    _each_page(context, organisation_id, paid_late, lambda session, page: claim_paid_late(session, page, law, now=now))
    _review_claims(context, organisation_id, law, now)


def _review_claims(context: LawContext, organisation_id: UUID, law: Statute, now: datetime) -> None:
    """Count again the claims of which something happened since the last look; all of them once a day."""
    with context.database.transaction(organisation_id) as session:
        look = look_of(session, paris_date(now), law)
        touched = touched_since(session, context.looks.since(organisation_id, look))
    _each_page(
        context,
        organisation_id,
        partial(claimed_invoices, touched=touched),
        lambda session, page: review_excesses(session, page, law, context.channels, now),
    )
    context.looks.last[organisation_id] = look


def _each_page(
    context: LawContext,
    organisation_id: UUID,
    pages: Callable[[Session, UUID | None, int], list[InvoiceRecord]],
    look: Callable[[Session, list[InvoiceRecord]], None],
) -> None:
    """Look at the invoices of a query page by page, each in a transaction that holds the organisation's turn."""
    after: UUID | None = None
    while True:
        with context.database.transaction(organisation_id) as session:
            take_turn(session)
            page = pages(session, after, context.settings.batch_size)
            if not page:
                return
            after = page[-1].id
            look(session, page)
