"""Why an invoice, or a whole account, is not reminded of today: one reason each, the first that holds. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.alerts.conditions import team_of_reasons
from gateway.collection.account import Account, OpenItem
from gateway.collection.agreements.values import Agreements, PromiseState
from gateway.collection.decisions import ChasingDecision, ChasingVerdict, chasing_allowed
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.money import ZERO
from gateway.kernel.sayer import in_both
from gateway.kernel.text import Text


class Hold(StrEnum):
    """What holds a reminder back; the sentences are in `schemas/scenarios.toml`."""

    PAID = "paid"
    CLOSED = "closed"
    UNDELIVERED = "undelivered"
    LITIGATION = "litigation"
    INSOLVENT = "insolvent"
    EXCLUDED = "excluded"
    CUSTOMER_EXCLUDED = "customer_excluded"
    DISPUTED = "disputed"
    PAUSED = "paused"
    ANNOUNCED = "announced"
    PROMISED = "promised"
    IN_PLAN = "in_plan"
    NOT_ARRIVED = "not_arrived"
    ARRIVAL_UNKNOWN = "arrival_unknown"
    NOT_DUE = "not_due"
    NEXT_STEP = "next_step"
    UNREACHED = "unreached"
    AT_THE_END = "at_the_end"
    GIVES_WAY = "gives_way"
    AFTER_THE_TASK = "after_the_task"
    NO_SCENARIO = "no_scenario"
    UNSURE = "unsure"
    COVERED = "covered"
    BELOW_FLOOR = "below_floor"
    WAITING = "waiting"
    TOO_SOON = "too_soon"
    CLOSED_HOURS = "closed_hours"
    WRONG_ADDRESS = "wrong_address"
    NO_CONTACT = "no_contact"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, as data; `text` says it.

    Attributes:
        hold: what holds back. until: first day on which it may end by itself; None when an event must end it.
        words: what the sentence tells: the lifecycle's own explanation, a step, a person's reason.
        team: who can lift it, when somebody can.
    """

    hold: Hold
    until: date | None = None
    words: Text | None = None
    team: str | None = None

    @property
    def text(self) -> Text:
        """The reason in a sentence."""
        sentences = data_file("scenarios.toml")["hold"][self.hold.value]
        sentence = text_of(sentences["dated" if self.until is not None and "dated" in sentences else "said"])
        words, day = self.words or Text("", ""), Text("", "") if self.until is None else _day(self.until)
        return Text(sentence.fr.format(words=words.fr, day=day.fr), sentence.en.format(words=words.en, day=day.en))


@dataclass(frozen=True, slots=True)
class Standing:
    """What may be asked for of an invoice today: `claimable`, VAT included; or `held`, why nothing is asked."""

    claimable: Decimal
    held: Reason | None = None


def standing_of(item: OpenItem, account: Account, agreements: Agreements, today: date) -> Standing:
    """Whether anything forbids or delays a reminder of an invoice today (Europe/Paris), and what may be claimed.

    `agreements`: those of the account. The disputed part, told by a 206 or recorded by a person, is never claimed.
    Whether a step is due is not looked at here.
    """
    if item.remaining <= 0 and not item.state.closed:
        return Standing(ZERO, Reason(Hold.PAID))
    chasing = chasing_allowed(item.state, today, agreements.answered(item.invoice_id))
    disputed = max(chasing.excluded, agreements.disputed(item.invoice_id, item.remaining))
    claimable = max(ZERO, item.remaining - disputed)
    held = _never(item, account, chasing) or _excluded(item, account, today)
    if held is None and claimable == 0:
        held = Reason(Hold.DISPUTED, team=_team_of_dispute(item, agreements))
    if held is None and chasing.verdict is ChasingVerdict.PAUSED:
        hold = Hold.ANNOUNCED if chasing.until is not None else Hold.PAUSED
        held = Reason(hold, chasing.until, chasing.reason, _team_of_issues(item) if hold is Hold.PAUSED else None)
    return Standing(claimable, held or _agreed(item, agreements, today))


def _never(item: OpenItem, account: Account, chasing: ChasingDecision) -> Reason | None:
    """What only another path than reminders can cure."""
    if item.unsure:
        return Reason(Hold.UNSURE, team="ar")
    if chasing.verdict is ChasingVerdict.FORBIDDEN:
        return _forbidden(item, chasing)
    if item.delivery_refused:
        return Reason(Hold.UNDELIVERED, team="billing")
    if account.in_litigation or item.in_litigation:
        return Reason(Hold.LITIGATION)
    insolvent_since = account.customer.insolvent_since
    if insolvent_since is not None and item.issue_date <= insolvent_since:
        return Reason(Hold.INSOLVENT, words=_day(insolvent_since))
    return None


def _forbidden(item: OpenItem, chasing: ChasingDecision) -> Reason:
    if item.state.closed:
        return Reason(Hold.CLOSED, words=chasing.reason, team=_team_of_issues(item) or "billing")
    return Reason(Hold.UNDELIVERED, words=chasing.reason, team="billing")


def _excluded(item: OpenItem, account: Account, today: date) -> Reason | None:
    for each in account.exclusions:
        if each.holds_on(today) and each.invoice_id in (None, item.invoice_id):
            hold = Hold.CUSTOMER_EXCLUDED if each.invoice_id is None else Hold.EXCLUDED
            return Reason(hold, each.until, Text(each.reason, each.reason))
    return None


def _agreed(item: OpenItem, agreements: Agreements, today: date) -> Reason | None:
    for promise in agreements.promises:
        if (
            promise.state is PromiseState.OPEN
            and today <= promise.grace_until
            and item.invoice_id in promise.invoice_ids
        ):
            return Reason(Hold.PROMISED, promise.grace_until)
    return Reason(Hold.IN_PLAN) if agreements.plan_of(item.invoice_id) else None


def _team_of_dispute(item: OpenItem, agreements: Agreements) -> str | None:
    open_ones = (each for each in agreements.disputes if each.invoice_id == item.invoice_id and each.closed_on is None)
    mine = next(open_ones, None)
    return _team_of_issues(item) if mine is None else mine.team


def _team_of_issues(item: OpenItem) -> str | None:
    """Who can act on the buyer's reasons for 210, 207, 208 or 206; the AR team when they tell nothing."""
    issue = item.state.issue("210", "207", "208", "206")
    return (team_of_reasons(issue.reasons) or "ar") if issue else None


def _day(day: date) -> Text:
    return in_both(lambda say: say.day(day))
