"""The job that tells the subscribers of one organisation what is new."""

from uuid import UUID

from gateway.database.engine import Database
from gateway.flows.webhooks.repository import hold_webhook, idle_webhooks
from gateway.flows.webhooks.service import go_on
from gateway.kernel.clock import Clock

#: Name of the job.
TELL_TASK = "webhooks.tell"


def tell_subscribers(database: Database, clock: Clock, organisation_id: UUID, public_url: str | None) -> int:
    """Put a call on its way for each webhook that is idle and has news; the number of calls.

    Each call that arrives puts the next one on its way, until its webhook knows everything. `public_url`: where
    the gateway is reached.
    """
    with database.transaction(organisation_id) as session:
        idle = idle_webhooks(session)
    started = 0
    for webhook_id in idle:
        with database.transaction(organisation_id) as session:
            webhook = hold_webhook(session, webhook_id)
            if webhook is not None:
                started += go_on(session, webhook, arrived=None, public_url=public_url, now=clock())
    return started
