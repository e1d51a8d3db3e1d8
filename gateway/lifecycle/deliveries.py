"""The two state lines beside the invoice's own: what we handed over to a platform, and what we report to the portal.

Each delivery of the outbox is one attempt: it waits, is tried again, leaves, is given up. What a platform answers to it
(500, 501, 221, 213 DOUBLON) belongs to the attempt, and the invoice stays as it is. A mandatory status copied to the
public portal is a report: the portal answers only to refuse (601), so that silence is acceptance once no refusal can
come any more. Nothing is stored for these lines: they are read from the outbox, which keeps each try and the platform's
acknowledgement beside each delivery, and from the events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col, select

from gateway.jobs.model import DeliveryTry, OutboxMessage, OutboxState
from gateway.jobs.tries import tries_of
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file, text_of
from gateway.lifecycle.labels import Labelled, labelled_status
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.statuses import StateLine, status

#: Kind of the outbox messages that carry a flow to a platform.
PLATFORM_FLOW = "platform.flow"
_TO_BE_TRIED = (OutboxState.PENDING, OutboxState.UNCERTAIN)
#: In the payload of a report that repeats a refused one: the identifier of that one.
INSTEAD_OF = "instead_of"
#: Acknowledgement of a file that a platform took, then refused (XP Z12-013).
_REFUSED = "Error"
#: What a refusal by the portal speaks of (`Status.object`).
_STATUS_MESSAGE = "status_message"


class ReportOutcome(StrEnum):
    """What the public portal made of a report."""

    #: It has not left yet.
    WAITING = "waiting"
    #: It left, and a refusal may still come.
    OPEN = "open"
    #: No refusal came while one could: silence is acceptance.
    ACCEPTED = "accepted"
    REFUSED = "refused"
    #: The platform refused the file after taking it: the portal never saw it, and its silence says nothing.
    STOPPED = "stopped"


class Remark(BaseModel):
    """One thing a platform says of a file that it took or refused, in the words of XP Z12-013.

    Attributes:
        level: Error or Warning.
        item: what it speaks of; reason_code, message: why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: str
    item: str
    reason_code: str
    message: str


class KeptAnswer(BaseModel):
    """What a platform made of a file after taking it, as the outbox keeps it: Pending, Ok or Error, and since when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str
    at: datetime
    remarks: tuple[Remark, ...] = ()


class Acknowledgement(BaseModel):
    """The platform's last word on a file that it took: its checks passed (Ok) or failed (Error), when, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Labelled
    at: datetime
    remarks: tuple[Remark, ...] = ()


class Try(BaseModel):
    """One try of a delivery, or one question to the other side about a try in doubt.

    Attributes:
        number: 1, 2, 3… within the delivery.
        started_at, ended_at: UTC.
        outcome: sent, refused, failed, in_doubt, found or absent.
        reason: why it did not leave, with the error code of the other side; None once it left.
        next_try_at: UTC; None when no further try was to be made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    started_at: datetime
    ended_at: datetime
    outcome: Labelled
    reason: str | None
    next_try_at: datetime | None


class Delivery(BaseModel):
    """One attempt at handing something of ours over to a platform.

    Attributes:
        id: by which a person decides about it.
        status: the status it tells (MDT-105); None for the invoice itself.
        platform: name of the platform.
        state: pending, leaving, uncertain, sent, failed or ambiguous, as the outbox has it.
        tries: how often it was tried since it was asked for; `problem`: why the last try failed, None once it left.
        history: every try, the first one first; empty for those made before each was kept.
        asked_at, sent_at, next_try_at: UTC; the last two None until then, or when no further try is made.
        remote_id: the identifier that the platform gave to the flow when it took it.
        acknowledgement: what the platform made of it afterwards; None as long as it has said nothing.
        answers: identifiers of the events that answer it, in the order of their dates.
        may_be_resent: its platform, or of a report the public portal, refused it, and it was not sent again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    status: Labelled | None
    platform: str
    state: Labelled
    tries: int
    problem: str | None
    asked_at: datetime
    sent_at: datetime | None
    next_try_at: datetime | None
    remote_id: str | None
    history: tuple[Try, ...] = ()
    acknowledgement: Acknowledgement | None = None
    answers: tuple[UUID, ...] = ()
    may_be_resent: bool = False


class Report(Delivery):
    """The copy of a mandatory status for the public portal.

    Attributes:
        outcome: waiting, open, accepted, refused or stopped.
        refusable_until: UTC instant from which silence is acceptance; None until it has left.
        instead_of: the refused report that it repeats.
    """

    outcome: Labelled
    refusable_until: datetime | None
    instead_of: UUID | None = None


class Deliveries(BaseModel):
    """The attempts and the reports of one invoice, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transmission: tuple[Delivery, ...] = ()
    reporting: tuple[Report, ...] = ()


def deliveries_of(
    session: Session, invoice: InvoiceRecord, rows: Sequence[LifecycleEvent], now: datetime
) -> Deliveries:
    """The attempts and reports of an invoice; `rows`: its events, in the order of their dates."""
    subjects = {row.flow_id for row in rows if row.flow_id} | ({invoice.flow_id} if invoice.flow_id else set())
    messages = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.kind == PLATFORM_FLOW, col(OutboxMessage.subject_id).in_(subjects))
        .order_by(col(OutboxMessage.created_at), col(OutboxMessage.idempotency_key))
    ).all()
    tries = tries_of(session, [each.id for each in messages]) if messages else {}
    return build_deliveries(messages, rows, now, tries)


def build_deliveries(
    messages: Sequence[OutboxMessage],
    rows: Sequence[LifecycleEvent],
    now: datetime,
    tries: Mapping[UUID, Sequence[DeliveryTry]],
) -> Deliveries:
    """The attempts and reports that `messages` are, each with its tries, and with what `rows` answer to it. Pure."""
    told = {row.flow_id: labelled_status(row.status, paris_date(row.status_at)) for row in rows if row.flow_id}
    reports = [each for each in messages if each.payload.get("for_portal")]
    attempts = [each for each in messages if not each.payload.get("for_portal")]
    of_invoice = [each for each in attempts if each.subject_id not in told]
    answers = _answers(of_invoice, (row for row in rows if row.line == StateLine.TRANSMISSION))
    refusals = _answers(reports, filter(_is_refusal, rows))
    repeated = {original for each in reports if (original := _original(each))}
    return Deliveries(
        transmission=tuple(Delivery(**_facts(each, told, answers, tries, messages)) for each in attempts),
        reporting=tuple(
            _report(each, _facts(each, told, refusals, tries, messages), repeated, now) for each in reports
        ),
    )


def following_attempt(message: OutboxMessage) -> tuple[str, int]:
    """The key of the attempt that comes after one, and its number: `flow-…`, `flow-…-2`, `flow-…-3`."""
    attempt = message.payload.get("attempt", 1)
    first = message.idempotency_key.removesuffix(f"-{attempt}") if attempt > 1 else message.idempotency_key
    return f"{first}-{attempt + 1}", attempt + 1


def _is_refusal(row: LifecycleEvent) -> bool:
    return status(row.status, paris_date(row.status_at)).object == _STATUS_MESSAGE


def is_sent_again(message: OutboxMessage) -> bool:
    """True when it carries again what its platform or the portal had taken and refused."""
    return INSTEAD_OF in message.payload or message.payload.get("attempt", 1) > 1


def is_refused(message: OutboxMessage) -> bool:
    """True when the platform took it and then refused it (its acknowledgement says Error)."""
    return message.answer is not None and KeptAnswer.model_validate(message.answer).status == _REFUSED


def _answers(messages: Sequence[OutboxMessage], rows: Iterable[LifecycleEvent]) -> dict[UUID, tuple[UUID, ...]]:
    """Each answer goes to the last message asked for before it was said and heard; to the first if clocks disagree."""
    answers: dict[UUID, tuple[UUID, ...]] = {}
    for row in rows:
        known = min(row.status_at, row.recorded_at)
        before = [each for each in messages if each.created_at.replace(microsecond=0) <= known]
        meant = before[-1:] or messages[:1]
        for each in meant:
            answers[each.id] = (*answers.get(each.id, ()), row.id)
    return answers


def cured_refusals(reports: Sequence[Report]) -> tuple[UUID, ...]:
    """The refusals by the portal (identifiers of the 601) that are cured: what they refused was told again, and silence
    has accepted that. A repetition that is refused in its turn is told again in its turn. Pure.
    """
    accepted = {each.instead_of for each in reports if each.outcome.code == ReportOutcome.ACCEPTED}
    cured: list[UUID] = []
    for report in reversed(reports):  # the repetition comes after what it repeats
        if report.answers and report.id in accepted:
            cured = [*report.answers, *cured]
            accepted.add(report.instead_of)
    return tuple(cured)


def _original(message: OutboxMessage) -> UUID | None:
    """The refused report that a report repeats."""
    told = message.payload.get(INSTEAD_OF)
    return UUID(told) if told else None


def _report(message: OutboxMessage, facts: dict[str, Any], repeated: Collection[UUID], now: datetime) -> Report:
    days = timedelta(days=data_file("lifecycle.toml")["ppf"]["refusal_days"])
    refusable_until = message.sent_at + days if message.sent_at else None
    if facts["answers"]:
        outcome = ReportOutcome.REFUSED
        facts["may_be_resent"] = message.id not in repeated
    elif is_refused(message):
        outcome = ReportOutcome.STOPPED
    elif refusable_until is None:
        outcome = ReportOutcome.WAITING
    else:
        outcome = ReportOutcome.OPEN if now < refusable_until else ReportOutcome.ACCEPTED
    standing = {"outcome": _labelled("report", outcome), "instead_of": _original(message)}
    return Report(**facts, **standing, refusable_until=refusable_until)


def _facts(
    message: OutboxMessage,
    told: Mapping[UUID, Labelled],
    answers: Mapping[UUID, tuple[UUID, ...]],
    tries: Mapping[UUID, Sequence[DeliveryTry]],
    messages: Sequence[OutboxMessage],
) -> dict[str, Any]:
    following, _ = following_attempt(message)
    return {
        "id": message.id,
        "status": told.get(message.subject_id) if message.subject_id else None,
        "platform": message.payload.get("platform", ""),
        "state": _labelled("delivery", message.state),
        "tries": message.attempts,
        "problem": message.last_error,
        "asked_at": message.created_at,
        "sent_at": message.sent_at,
        "next_try_at": message.next_attempt_at if message.state in _TO_BE_TRIED else None,
        "remote_id": message.remote_id,
        "history": tuple(try_of(each) for each in tries.get(message.id, ())),
        "acknowledgement": _acknowledgement(message.answer),
        "answers": answers.get(message.id, ()),
        "may_be_resent": is_refused(message) and following not in {each.idempotency_key for each in messages},
    }


def try_of(row: DeliveryTry) -> Try:
    """A try as people and programs read it."""
    kept = row.model_dump(exclude={"organisation_id", "delivery_id", "outcome"})
    return Try(**kept, outcome=_labelled("try", row.outcome))


def _acknowledgement(kept: dict[str, object] | None) -> Acknowledgement | None:
    if kept is None:
        return None
    answer = KeptAnswer.model_validate(kept)
    return Acknowledgement(status=_labelled("acknowledgement", answer.status), at=answer.at, remarks=answer.remarks)


def _labelled(kind: str, code: str) -> Labelled:
    return Labelled(code=code, label=text_of(data_file("lifecycle.toml")[kind][code]))
