"""What a webhook is told next, from one of two ordered feeds without gaps: flows by `updated_at`, events by `sequence`.

Both are written under the organisation's turn, so that nothing is ever added behind a mark. A flow that changes twice
before it is told is told once, as it stands.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from gateway.access.model import Organisation
from gateway.database.engine import organisation_of
from gateway.flows.model import Flow
from gateway.flows.representation import flow_view
from gateway.flows.searching import search_flows
from gateway.flows.webhooks.events import cloud_event
from gateway.flows.webhooks.feed import newest, next_event
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.flows.webhooks.wanted import event_filter, flow_criteria


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: an identifier that a repeat keeps, and the body of the call, JSON."""

    key: str
    body: str


def mark_now(session: Session, webhook: Webhook) -> None:
    """Set a new webhook's mark: it is told what comes from now on."""
    webhook.told_until = session.exec(select(func.max(Flow.updated_at))).one()
    webhook.told_sequence = newest(session)


def next_news(session: Session, webhook: Webhook, public_url: str | None) -> News | None:
    """The next thing that a webhook wants to know, its mark moved there; None when it knows everything.

    `public_url`: where the gateway is reached, which events point to.
    """
    if webhook.kind == WebhookKind.FLOW:
        return _next_flow(session, webhook)
    return _next_event(session, webhook, public_url)


def _next_flow(session: Session, webhook: Webhook) -> News | None:
    found = search_flows(session, flow_criteria(webhook.wanted, webhook.told_until), limit=1).items
    if not found:
        return None
    flow = found[0]
    webhook.told_until = flow.updated_at
    body = flow_view(flow).model_dump_json(by_alias=True, exclude_none=True)
    return News(f"{flow.id}-{flow.ack_status}-{flow.updated_at.isoformat()}", body)


def _next_event(session: Session, webhook: Webhook, public_url: str | None) -> News | None:
    webhook.told_sequence, event = next_event(session, webhook.told_sequence, event_filter(webhook.wanted))
    if event is None:
        return None
    told = cloud_event(event, siren_of(session), public_url)
    return News(str(event.id), told.model_dump_json(exclude_none=True))


def siren_of(session: Session) -> str:
    """The organisation's SIREN."""
    return session.exec(select(Organisation.siren).where(col(Organisation.id) == organisation_of(session))).one()
