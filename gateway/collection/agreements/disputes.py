"""Which disputes the statuses of an invoice open, and what settles a dispute. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gateway.collection.agreements.errors import (
    AlreadyDisputedError,
    DisputeExceedsError,
    NoAmountError,
    NothingOpenError,
)
from gateway.collection.agreements.model import DisputeOutcome
from gateway.collection.agreements.money import Money
from gateway.kernel.money import CENT, ZERO
from gateway.lifecycle.projection import InvoiceState, OpenIssue
from gateway.lifecycle.statuses import StateLine, status
from gateway.lifecycle.transitions import TransitionKind

#: Statuses by which a buyer contests an invoice.
DISPUTING = ("206", "207", "210")
#: What lifts a dispute that a person opened: what would lift the status it stands for.
_LIKE = "207"
_BY_STATUS = (DisputeOutcome.SUPERSEDED, DisputeOutcome.INVOICE_CLOSED)


@dataclass(frozen=True, slots=True)
class KnownDispute:
    """A dispute as it is recorded.

    Attributes:
        amount: the contested part, None for the whole invoice.
        since: what is dated before settles nothing of it.
        status, fingerprint: the status that opened it, empty when a person did.
        outcome: how it ended; None while it is open.
    """

    id: UUID
    amount: Decimal | None
    since: datetime
    status: str
    fingerprint: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note that refers to the invoice: when we were told, and its amount, positive, with VAT."""

    known_at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of an invoice.

    Attributes:
        owed: left to pay, zero or less once paid.
        money: what came in for it. credits: the credit notes that refer to it and stand.
    """

    state: InvoiceState
    owed: Decimal
    money: Sequence[Money] = ()
    credits: Sequence[Credit] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """A status opens a dispute: `amount` is the contested part, None for the whole invoice."""

    issue: OpenIssue
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Follow:
    """A status is about a dispute that is known: open by an earlier status of that code or by a person, or closed
    because that status seemed to be lifted.
    """

    dispute_id: UUID
    issue: OpenIssue
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Close:
    """A dispute is settled; `status` is the lifecycle status that settled it, empty for another reason."""

    dispute_id: UUID
    outcome: DisputeOutcome
    status: str = ""


DisputeDecision = Open | Follow | Close


def reconcile(known: Sequence[KnownDispute], matter: Matter) -> list[DisputeDecision]:
    """What to open, follow and close so that the disputes of an invoice agree with what is known of it.

    Decided from the state of the invoice and never from one event, so that order and repetition change nothing, and a
    dispute that a person has settled is not opened again by the status that had opened it.
    """
    opened = list(_opened(known, matter.state))
    followed = {each.dispute_id for each in opened if isinstance(each, Follow)}
    still = [each for each in known if each.outcome is None and each.id not in followed]
    taken = sum((each.amount or ZERO for each in known if each.outcome == DisputeOutcome.CREDIT_NOTE), ZERO)
    closed: list[Close] = []
    for dispute in sorted(still, key=lambda each: (each.since, each.id)):
        close = _closed(dispute, matter, taken)
        if close:
            closed.append(close)
            taken += (dispute.amount or ZERO) if close.outcome is DisputeOutcome.CREDIT_NOTE else ZERO
    return [*opened, *closed]


def _opened(known: Sequence[KnownDispute], state: InvoiceState) -> Iterator[Open | Follow]:
    if state.ended_by:
        return
    lifted = {each.fingerprint: each for each in known if each.outcome in _BY_STATUS}
    settled = {each.fingerprint for each in known} - lifted.keys()
    free = [each for each in known if each.outcome is None]
    for issue in state.issues:
        if issue.code not in DISPUTING or issue.fingerprint in settled or issue.disputed == 0:
            continue
        mine = lifted.get(issue.fingerprint)  # a late status shows that it was never lifted
        mine = mine or next((each for each in free if each.status == issue.code), None)
        mine = mine or next((each for each in free if not each.status), None)
        if mine is None:
            yield Open(issue, issue.disputed)
        else:
            free = [each for each in free if each is not mine]
            yield Follow(mine.id, issue, mine.amount if issue.disputed is None else issue.disputed)


def _closed(dispute: KnownDispute, matter: Matter, taken: Decimal) -> Close | None:
    if matter.state.ended_by:
        return Close(dispute.id, DisputeOutcome.INVOICE_CLOSED, matter.state.ended_by)
    if lifted := _lifted(dispute, matter.state):
        return Close(dispute.id, DisputeOutcome.SUPERSEDED, lifted)
    credited = sum((each.amount for each in matter.credits if each.known_at > dispute.since), ZERO) - taken
    if credited > 0 and credited >= (matter.owed if dispute.amount is None else dispute.amount):
        return Close(dispute.id, DisputeOutcome.CREDIT_NOTE)
    if matter.owed <= 0 and any(each.known_at > dispute.since and each.amount > 0 for each in matter.money):
        return Close(dispute.id, DisputeOutcome.PAYMENT)
    return None


def _lifted(dispute: KnownDispute, state: InvoiceState) -> str:
    """The last status that lifts a dispute, empty while none does; one of the same instant counts by its place."""
    lifts, code, own_passed = status(dispute.status or _LIKE).lifted_by, "", False
    for entry in state.history:
        own_passed = own_passed or entry.fingerprint == dispute.fingerprint
        after = entry.at > dispute.since or (own_passed and entry.at == dispute.since)
        counts = entry.line is StateLine.INVOICE and entry.kind is not TransitionKind.IMPOSSIBLE
        if after and counts and entry.code in lifts:
            code = entry.code
    return code


def require_dispute(amount: Decimal | None, owed: Decimal, disputed: Decimal) -> None:
    """A person may contest `amount` of an invoice, None for all of it, beside what open disputes contest already.

    Raises NoAmountError, NothingOpenError, AlreadyDisputedError or DisputeExceedsError.
    """
    if amount is not None and (amount <= 0 or amount % CENT):
        raise NoAmountError(amount)
    if owed <= 0:
        raise NothingOpenError
    free = owed - disputed
    if free <= 0:
        raise AlreadyDisputedError
    if amount is not None and amount > free:
        raise DisputeExceedsError(amount, free)
