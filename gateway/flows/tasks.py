"""The jobs of the flows, by name."""

from uuid import UUID

from sqlmodel import col, select

from gateway.flows.agreeing import review_promises_and_plans
from gateway.flows.context import FlowsContext
from gateway.flows.deadlines import DEADLINES_TASK, review_due_invoices
from gateway.flows.drops.round import DROPS_TASK, visit_drops
from gateway.flows.intake import PROCESS_TASK
from gateway.flows.model import Flow, FlowState
from gateway.flows.polling import poll_platforms
from gateway.flows.processing import drain_flows
from gateway.flows.refusals import close_cured_refusals
from gateway.flows.releasing import release_addressable
from gateway.flows.webhooks.tasks import TELL_TASK, tell_subscribers
from gateway.jobs.engine import JobEngine
from gateway.jobs.single import OneAtATime
from gateway.treasury.receipts import receipts_known

POLL_TASK = "flows.poll"

__all__ = ["POLL_TASK", "PROCESS_TASK", "organisations_with_waiting_flows", "register_tasks"]


def register_tasks(engine: JobEngine, context: FlowsContext) -> None:
    """Let the engine run `flows.process`, `flows.poll`, `flows.drops`, `webhooks.tell` and `alerts.deadlines`."""

    def process(organisation_id: UUID) -> None:
        drain_flows(context, organisation_id)
        tell_subscribers(context.database, context.clock, organisation_id, context.settings.public_url)

    def poll(organisation_id: UUID) -> None:
        poll_platforms(context, organisation_id)
        release_addressable(context, organisation_id)

    engine.register(PROCESS_TASK, OneAtATime(process))

    def review(organisation_id: UUID) -> None:
        review_due_invoices(context, organisation_id, receipts_known)
        close_cured_refusals(context, organisation_id)
        review_promises_and_plans(context, organisation_id, DEADLINES_TASK)

    def tell(organisation_id: UUID) -> None:
        tell_subscribers(context.database, context.clock, organisation_id, context.settings.public_url)

    engine.register(TELL_TASK, tell)
    engine.register(POLL_TASK, poll)
    engine.register(DEADLINES_TASK, review)

    def visit(organisation_id: UUID) -> None:
        visit_drops(context, organisation_id)

    engine.register(DROPS_TASK, visit)


def organisations_with_waiting_flows(context: FlowsContext) -> list[UUID]:
    """Organisations with flows due now: the clock's sweep enqueues `flows.process` for each."""
    with context.database.system_transaction() as session:
        query = select(Flow.organisation_id).where(
            Flow.state == FlowState.RECEIVED.value, col(Flow.next_attempt_at) <= context.clock()
        )
        return list(session.exec(query.distinct()))
