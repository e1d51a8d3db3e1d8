"""Comments on a customer, an invoice or a dispute; whoever is mentioned and may see the matter is told."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, func, select

from gateway.access.model import User
from gateway.access.principal import Principal
from gateway.access.repository import scope_of
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.alerts.repository import active_people
from gateway.collection.agreements.errors import DisputeNotFoundError
from gateway.collection.agreements.history import words
from gateway.collection.agreements.repository import dispute_by_id
from gateway.collection.worklist.errors import UnknownMentionError
from gateway.collection.worklist.matters import Viewer
from gateway.collection.worklist.model import MatterComment
from gateway.customers.errors import CustomerNotFoundError
from gateway.customers.repository import find_customer
from gateway.database.engine import organisation_of
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.repository import invoice_by_id
from gateway.notifications.service import Channels, Notice, Recipient, notify

LONGEST_COMMENT = 2000
#: `@` at the start of a word, then an e-mail address or what comes before its at sign.
_MENTION = re.compile(r"(?<![\w.@])@([\w.+-]*\w(?:@[\w.-]*\w)?)")


class Subject(StrEnum):
    """What a comment is about."""

    CUSTOMER = "customer"
    INVOICE = "invoice"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class About:
    """What a comment is about, found and seen: its name for people and its page."""

    subject: Subject
    id: UUID
    name: Text
    page: str


def mentions(text: str) -> tuple[str, ...]:
    """The names mentioned in a comment (`@marie.roy` or `@marie.roy@maison.fr`), in lower case, once each. Pure."""
    return tuple(dict.fromkeys(found.lower() for found in _MENTION.findall(text)))


def named(name: str, people: Iterable[User]) -> User | None:
    """The person of an e-mail address, or the only one whose address begins so; None when that is nobody. Pure."""
    found = [each for each in people if name in (each.email, each.email.partition("@")[0])]
    return found[0] if len(found) == 1 else None


def comment(
    session: Session,
    person: Principal,
    subject: Subject,
    subject_id: UUID,
    text: str,
    channels: Channels,
    now: datetime,
) -> MatterComment:
    """Add a comment and tell whom it mentions, once.

    Raises CustomerNotFoundError, InvoiceNotFoundError or DisputeNotFoundError, also outside the scope;
    WithoutWordsError; UnknownMentionError for whoever does not exist or may not see the matter.
    """
    take_turn(session)
    about = _seen(session, person.scope, subject, subject_id)
    said = words(text)[:LONGEST_COMMENT]
    told = _people_mentioned(session, about, mentions(said))
    row = MatterComment(
        organisation_id=organisation_of(session),
        subject=subject.value,
        subject_id=subject_id,
        text=said,
        mentioned=[str(each.id) for each in told],
        at=now,
        author=Viewer.of(person).name,
        author_name=person.name,
    )
    session.add(row)
    session.flush()
    content = {"about": f"{subject.value}:{subject_id}", "text": said, "by": row.author, "mentioned": row.mentioned}
    append(session, at=now, kind="comment.written", subject=f"comment:{row.id}", content=content)
    notice = Notice(
        dedup_key=f"comment:{row.id}",
        subject=Text(f"{person.name} vous cite : {about.name.fr}", f"{person.name} mentions you: {about.name.en}"),
        body=Text(said, said),
        link=about.page,
    )
    recipients = [Recipient(each.id, each.email, "en" if each.language == "en" else "fr") for each in told]
    notify(session, recipients, notice, channels, now=now)
    return row


def comments_of(
    session: Session, scope: Scope, subject: Subject, subject_id: UUID, limit: int = 100
) -> Sequence[MatterComment]:
    """The latest comments on a matter, the newest first. Raises as `comment` does when it may not be seen."""
    _seen(session, scope, subject, subject_id)
    return session.exec(
        select(MatterComment)
        .where(MatterComment.subject == subject.value, MatterComment.subject_id == subject_id)
        .order_by(col(MatterComment.at).desc(), col(MatterComment.id).desc())
        .limit(limit)
    ).all()


def latest_comments(session: Session, subject_ids: Collection[UUID]) -> dict[UUID, MatterComment]:
    """The last comment on each of these customers, invoices and disputes, which the caller has found may be seen."""
    rows = session.exec(
        select(MatterComment)
        .ext(distinct_on(col(MatterComment.subject_id)))
        .where(col(MatterComment.subject_id) == func.any(list(subject_ids)))
        .order_by(col(MatterComment.subject_id), col(MatterComment.at).desc(), col(MatterComment.id).desc())
    )
    return {row.subject_id: row for row in rows}


def _people_mentioned(session: Session, about: About, names: Sequence[str]) -> list[User]:
    if not names:
        return []
    people = active_people(session, tuple(Role))
    found = {name: named(name, people) for name in names}
    unseen = [name for name, user in found.items() if user is None or not _sees(session, user, about)]
    if unseen:
        raise UnknownMentionError(unseen)
    return list({user.id: user for user in found.values() if user is not None}.values())


def _sees(session: Session, user: User, about: About) -> bool:
    try:
        _seen(session, scope_of(session, user.id), about.subject, about.id)
    except (CustomerNotFoundError, InvoiceNotFoundError, DisputeNotFoundError):
        return False
    return True


def _seen(session: Session, scope: Scope, subject: Subject, subject_id: UUID) -> About:
    if subject is Subject.CUSTOMER:
        customer = find_customer(session, scope, str(subject_id))
        return About(subject, subject_id, Text(customer.name, customer.name), f"/customers/{subject_id}#comments")
    if subject is Subject.DISPUTE:
        invoice_id = dispute_by_id(session, scope, subject_id).invoice_id
        page, what = f"/disputes/{subject_id}#comments", Text("litige, facture", "dispute, invoice")
    else:
        invoice_id, page, what = subject_id, f"/invoices/{subject_id}#comments", Text("facture", "invoice")
    number = invoice_by_id(session, scope, invoice_id).number
    return About(subject, subject_id, Text(f"{what.fr} {number}", f"{what.en} {number}"), page)
