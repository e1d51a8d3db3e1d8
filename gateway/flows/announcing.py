"""Tell programs what became of the files they pushed, and of those handed over to a platform."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from gateway.flows.model import Flow
from gateway.flows.terms import AckStatus
from gateway.jobs.model import OutboxMessage
from gateway.kernel.text import Text
from gateway.lifecycle.deliveries import KeptAnswer, Remark
from gateway.notifications.announcements import Fact, announce


class Problem(Fact):
    """Why a file was refused, or waits: a code, on what, in words."""

    code: str
    item: str = Field(description="A business term such as BT-49, or a path; empty when it is the whole file")
    message: Text


class FlowFact(Fact):
    """A file that the gateway accepted, rejected or put in quarantine."""

    flow_id: UUID
    source: str = Field(description="api, api:<client>, file, drop:<name> or platform:<name>")
    name: str
    tracking_id: str | None
    flow_syntax: str | None
    flow_type: str | None
    processing_rule: str | None
    agency_id: UUID | None
    problems: tuple[Problem, ...] = Field(description="Why it was rejected or waits; empty when accepted")


class DeliveryFact(Fact):
    """A file handed over to a platform: acknowledged or refused there, or given up here."""

    delivery_id: UUID
    flow_id: UUID | None = Field(description="The flow that brought the invoice, or that first told the status")
    platform: str
    name: str
    tracking_id: str = Field(description="Under which the platform has it")
    remote_id: str | None = Field(description="flowId at the platform; null when it took nothing")
    state: str = Field(description="pending, leaving, uncertain, sent, failed or ambiguous, as the outbox has it")
    reason: str | None = Field(description="Why it was given up")
    remarks: tuple[Remark, ...] = Field(description="What the platform remarks")


def announce_flow(session: Session, flow: Flow, now: datetime) -> None:
    """A flow that was pushed is accepted, or rejected to its sender."""
    errors = [each for each in flow.ack_details if each["level"] == "Error"]
    problems = [
        Problem(code=each["reasonCode"], item=each["item"], message=Text(each["message_fr"], each["message_en"]))
        for each in errors
    ]
    what = "accepted" if flow.ack_status == AckStatus.OK else "rejected"
    _announce(session, flow, what, tuple(problems), now)


def announce_quarantine(session: Session, flow: Flow, now: datetime) -> None:
    """A flow could not be processed and waits for a person; its problem is written."""
    told = flow.problem or {}
    message = Text(f"{told['what_fr']} {told['fix_fr']}", f"{told['what_en']} {told['fix_en']}")
    _announce(session, flow, "quarantined", (Problem(code=told["code"], item=told["where"], message=message),), now)


def announce_answer(session: Session, message: OutboxMessage, answer: KeptAnswer, now: datetime) -> None:
    """A platform acknowledged what it took, or refused it; that it is still looking at it is no news."""
    if answer.status != AckStatus.PENDING:
        what = "refused" if answer.status == AckStatus.ERROR else "acknowledged"
        announce(session, f"delivery.{what}", f"delivery/{message.id}", _delivery(message, answer.remarks), now)


def announce_given_up(session: Session, message: OutboxMessage, now: datetime) -> None:
    """It did not leave, or nobody knows whether it did, and only a person can settle it."""
    announce(session, "delivery.given_up", f"delivery/{message.id}", _delivery(message, ()), now)


def _announce(session: Session, flow: Flow, what: str, problems: tuple[Problem, ...], now: datetime) -> None:
    facts = flow.model_dump(include=set(FlowFact.model_fields))
    fact = FlowFact(flow_id=flow.id, problems=problems, **facts)
    announce(session, f"flow.{what}", f"flow/{flow.id}", fact, now)


def _delivery(message: OutboxMessage, remarks: tuple[Remark, ...]) -> DeliveryFact:
    return DeliveryFact(
        delivery_id=message.id,
        flow_id=message.subject_id,
        platform=message.payload["platform"],
        name=message.payload["name"],
        tracking_id=message.idempotency_key,
        remote_id=message.remote_id,
        state=message.state,
        reason=message.last_error,
        remarks=remarks,
    )
