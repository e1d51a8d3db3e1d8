"""Whether a customer may be delivered on credit: allowed, warned, blocked, and why. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.collection.law.statute import OrderPolicy
from gateway.kernel.sayer import Sayer, filled
from gateway.kernel.text import Text

_PERCENT = 100


class OrderVerdict(StrEnum):
    """The answer to an order, in growing severity."""

    ALLOWED = "allowed"
    WARNED = "warned"
    BLOCKED = "blocked"

    @property
    def label(self) -> Text:
        """The answer for people."""
        return _VERDICTS[self]


_VERDICTS = {
    OrderVerdict.ALLOWED: Text("Autorisée", "Allowed"),
    OrderVerdict.WARNED: Text("À surveiller", "Warned"),
    OrderVerdict.BLOCKED: Text("Bloquée", "Blocked"),
}


class OrderRule(StrEnum):
    """What a reason rests on; a program may tell reasons apart by it."""

    MANUAL_BLOCK = "manual_block"
    INSOLVENCY = "insolvency"
    LITIGATION = "litigation"
    EXPOSURE = "exposure"
    COVER = "cover"
    OVERDUE_DAYS = "overdue_days"
    OVERDUE_AMOUNT = "overdue_amount"
    BROKEN_PROMISES = "broken_promises"
    OTHER_CURRENCY = "other_currency"
    PARTIAL_VIEW = "partial_view"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What is known of a customer, in the currency of the order.

    Attributes:
        exposure: what it owes, overdue or not, VAT included, less credit notes and unallocated money.
        overdue, oldest_overdue_days: what is past its due date and not disputed, and the age of the oldest of it.
        credit_limit: how much may be open; None: no limit. cover: insured amount; None: not insured.
        limit_currency: of the credit limit and of the cover.
        broken_promises: promises of payment broken in the months that the policy counts.
        blocked_because: why a person blocked it by hand; None: nobody did.
        partial: who asks sees a part of the account only, and the amounts are of that part.
    """

    currency: str
    exposure: Decimal
    overdue: Decimal
    oldest_overdue_days: int
    credit_limit: Decimal | None
    cover: Decimal | None
    limit_currency: str
    broken_promises: int
    insolvent_since: date | None
    in_litigation: bool
    blocked_because: str | None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class OrderReason:
    """One reason, and how far it goes by itself."""

    rule: OrderRule
    verdict: OrderVerdict
    says: Text


@dataclass(frozen=True, slots=True)
class OrderDecision:
    """The answer, the most severe of the reasons', and the reasons in the order of their severity."""

    verdict: OrderVerdict
    reasons: tuple[OrderReason, ...]
    exposure: Decimal
    exposure_with_order: Decimal


def order_decision(facts: OrderFacts, amount: Decimal, policy: OrderPolicy) -> OrderDecision:
    """Whether an order of `amount`, VAT included, may go ahead. Without a reason it is allowed."""
    reasons = [*_status(facts), *_limits(facts, amount, policy), *_overdue(facts, policy), *_promises(facts, policy)]
    severity = list(OrderVerdict)
    reasons.sort(key=lambda reason: -severity.index(reason.verdict))
    verdict = reasons[0].verdict if reasons else OrderVerdict.ALLOWED
    return OrderDecision(verdict, tuple(reasons), facts.exposure, facts.exposure + amount)


def _status(facts: OrderFacts) -> Iterator[OrderReason]:
    """What a person decided and what a court did."""
    if facts.blocked_because is not None:
        yield _blocked(
            OrderRule.MANUAL_BLOCK,
            Text(
                f"Le compte est bloqué à la main : {facts.blocked_because}",
                f"The account is blocked by hand: {facts.blocked_because}",
            ),
        )
    if facts.insolvent_since is not None:
        yield _blocked(
            OrderRule.INSOLVENCY,
            _told(
                Text(
                    "Le client est en procédure collective depuis le {day} : ne livrez que contre paiement.",
                    "The customer has been in insolvency proceedings since {day}: deliver against payment only.",
                ),
                day=facts.insolvent_since,
            ),
        )
    if facts.in_litigation:
        yield _blocked(
            OrderRule.LITIGATION,
            Text("Des factures du client sont en contentieux.", "Invoices of the customer are in litigation."),
        )
    if facts.partial:
        yield _warned(
            OrderRule.PARTIAL_VIEW,
            Text(
                "Vous ne voyez qu’une partie de ce compte : la décision n’en connaît pas le reste.",
                "You see only a part of this account: the decision does not know the rest.",
            ),
        )


def _limits(facts: OrderFacts, amount: Decimal, policy: OrderPolicy) -> Iterator[OrderReason]:
    """What is open with the order, against the credit limit and against what is insured."""
    after = facts.exposure + amount
    if facts.credit_limit is None and facts.cover is None:
        return
    if facts.currency != facts.limit_currency:
        yield _warned(
            OrderRule.OTHER_CURRENCY,
            Text(
                f"L’encours autorisé est en {facts.limit_currency} : il ne se compare pas à une commande en "
                f"{facts.currency}.",
                f"The credit limit is in {facts.limit_currency}: it cannot be compared with an order in "
                f"{facts.currency}.",
            ),
        )
        return
    if facts.credit_limit is not None:
        verdict = _exposure_verdict(after, facts.credit_limit, policy)
        if verdict is not OrderVerdict.ALLOWED:
            sentence = Text(
                "L’encours serait de {after} avec la commande, pour {limit} autorisés ({share} %).",
                "What is open would be {after} with the order, for a limit of {limit} ({share} %).",
            )
            share = after * _PERCENT / facts.credit_limit if facts.credit_limit else None
            if share is None:
                sentence = Text(
                    "L’encours serait de {after} avec la commande, et aucun crédit n’est accordé.",
                    "What is open would be {after} with the order, and no credit is granted.",
                )
            says = _told(sentence, facts.currency, after=after, limit=facts.credit_limit, share=share)
            yield OrderReason(OrderRule.EXPOSURE, verdict, says)
    if facts.cover is not None and after > facts.cover:
        yield _warned(
            OrderRule.COVER,
            _told(
                Text(
                    "{gap} ne seraient pas couverts par l’assurance-crédit ({cover}).",
                    "{gap} would not be covered by the credit insurance ({cover}).",
                ),
                facts.currency,
                gap=after - max(facts.cover, Decimal(0)),
                cover=facts.cover,
            ),
        )


def _exposure_verdict(after: Decimal, limit: Decimal, policy: OrderPolicy) -> OrderVerdict:
    if policy.exposure_blocked and after * _PERCENT > limit * policy.exposure_blocked:
        return OrderVerdict.BLOCKED
    if policy.exposure_warned and after * _PERCENT > limit * policy.exposure_warned:
        return OrderVerdict.WARNED
    return OrderVerdict.ALLOWED


def _overdue(facts: OrderFacts, policy: OrderPolicy) -> Iterator[OrderReason]:
    """How late it pays; a small amount is left alone."""
    if facts.overdue <= policy.overdue_amount_ignored:
        return
    days = facts.oldest_overdue_days
    verdict = OrderVerdict.ALLOWED
    if policy.overdue_days_warned and days >= policy.overdue_days_warned:
        verdict = OrderVerdict.WARNED
    if policy.overdue_days_blocked and days >= policy.overdue_days_blocked:
        verdict = OrderVerdict.BLOCKED
    if verdict is not OrderVerdict.ALLOWED:
        sentence = Text(
            "{overdue} sont échus, le plus ancien depuis {days} jours.",
            "{overdue} are overdue, the oldest for {days} days.",
        )
        says = _told(sentence, facts.currency, overdue=facts.overdue, days=days)
        yield OrderReason(OrderRule.OVERDUE_DAYS, verdict, says)
    elif policy.overdue_amount_warned and facts.overdue >= policy.overdue_amount_warned:
        says = _told(Text("{overdue} sont échus.", "{overdue} are overdue."), facts.currency, overdue=facts.overdue)
        yield _warned(OrderRule.OVERDUE_AMOUNT, says)


def _promises(facts: OrderFacts, policy: OrderPolicy) -> Iterator[OrderReason]:
    count = facts.broken_promises
    blocked = bool(policy.broken_blocked) and count >= policy.broken_blocked
    if blocked or (policy.broken_warned and count >= policy.broken_warned):
        says = Text(
            f"Promesses de paiement non tenues en {policy.broken_months} mois : {count}.",
            f"Promises of payment broken in {policy.broken_months} months: {count}.",
        )
        yield OrderReason(OrderRule.BROKEN_PROMISES, OrderVerdict.BLOCKED if blocked else OrderVerdict.WARNED, says)


def _blocked(rule: OrderRule, says: Text) -> OrderReason:
    return OrderReason(rule, OrderVerdict.BLOCKED, says)


def _warned(rule: OrderRule, says: Text) -> OrderReason:
    return OrderReason(rule, OrderVerdict.WARNED, says)


def _told(sentence: Text, currency: str = "", **values: Decimal | date | int | None) -> Text:
    """Fill a sentence: amounts in `currency`, days and shares as each language writes them."""

    def write(name: str, value: Decimal | date | int | None, say: Sayer) -> str:
        if isinstance(value, date):
            return say.day(value)
        if isinstance(value, Decimal) and name != "share":
            return say.money(value, currency)
        return "" if value is None else say.number(value, decimals=0)

    return filled(sentence, lambda say: {name: write(name, value, say) for name, value in values.items()})
