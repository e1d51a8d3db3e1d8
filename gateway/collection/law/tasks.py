"""The review of what the law lets pass: limitations, claims to declare, penalties of invoices paid late."""

from uuid import UUID

from gateway.collection.law.claiming import claim_paid_late
from gateway.collection.law.context import LawContext
from gateway.collection.law.proceedings import review_insolvencies
from gateway.collection.law.repository import paid_late
from gateway.collection.law.watching import review_limitations
from gateway.jobs.queue import enqueue
from gateway.ledger.service import take_turn

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
    after: UUID | None = None
    while True:
        with context.database.transaction(organisation_id) as session:
            take_turn(session)
            page = paid_late(session, after, batch)
            if not page:
                return
            after = page[-1].id
            claim_paid_late(session, page, law, now=now)
