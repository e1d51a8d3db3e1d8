"""What must have happened to an invoice, by when, and whom to tell when it has not. Data: `schemas/deadlines.toml`."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from gateway.alerts.conditions import Severity, Team, words_for
from gateway.kernel.dated import Table, data_file, in_force, lay_over, merged, own_file, shipped_file, text_of
from gateway.kernel.errors import OwnDataError
from gateway.kernel.text import Text

_FILE = "deadlines.toml"
_SENTENCES_KNOW = ("number", "since", "limit", "hours", "status", "amount")


class Matter(StrEnum):
    """What can be late; the identifier of its condition."""

    INVOICE_NOT_SENT = "deadline.invoice_not_sent"
    STATUS_NOT_SENT = "deadline.status_not_sent"
    NOT_DEPOSITED = "deadline.not_deposited"
    NOT_MADE_AVAILABLE = "deadline.not_made_available"
    NOT_TAKEN_IN_CHARGE = "deadline.not_taken_in_charge"
    APPROVED_UNPAID = "deadline.approved_unpaid"
    APPROVED_PART_UNPAID = "deadline.approved_part_unpaid"
    DISPUTE_UNANSWERED = "deadline.dispute_unanswered"
    SUSPENSION_UNANSWERED = "deadline.suspension_unanswered"
    RECEIPT_NOT_REPORTED = "deadline.receipt_not_reported"
    RECEIPT_TO_CHECK = "deadline.receipt_to_check"


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """When one matter is late, and what to tell.

    Attributes:
        hours: clock hours, for what is counted in hours.
        working_days: working days, the last one still in time.
        term_share: share of the payment term after which it is late, when that is earlier; None: no such limit.
        announced_working_days: working days given to a payment announced (211).
        met_by: statuses any of which shows that it happened.
        act_in_working_days: time to act once told.
        awaited: what should come, told before it is late.
        cured: why the alert closes by itself.
        of_credit_note: the same with the words for a credit note.
    """

    matter: Matter
    hours: int
    working_days: int
    term_share: Decimal | None
    announced_working_days: int
    met_by: frozenset[str]
    severity: Severity
    team: Team
    act_in_working_days: int
    title: Text
    reason: Text
    next_step: Text
    awaited: Text
    cured: Text
    of_credit_note: "DeadlineRule | None" = None


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """The rules in force on a day; a matter that is switched off has none.

    Attributes:
        look_again: how soon to look again while something of ours waits to be sent.
        default_term: payment term of an invoice without due date (BT-9).
    """

    rules: dict[Matter, DeadlineRule]
    look_again: timedelta
    default_term: timedelta


def use_deadlines_file(path: Path | None) -> None:
    """Lay the installation's own deadlines over those of `schemas/deadlines.toml`; None: as shipped.

    A condition takes the keys that are given; a list of dated tables replaces it. Raises OwnDataError.
    """
    lay_over(_FILE, None)
    deadline_policy.cache_clear()
    if path is None:
        return
    own, shipped = own_file(path), shipped_file(_FILE)
    unknown = [*(set(own) - {"look_again_hours", "condition"}), *(set(own.get("condition", ())) - set(Matter))]
    if unknown:
        raise OwnDataError(path, Text("cette entrée n’est pas connue", "this entry is not known"), min(unknown))
    data = merged(shipped, own)
    if not isinstance(data["look_again_hours"], int):
        raise OwnDataError(path, Text("il y faut un nombre d’heures", "it wants a number of hours"), "look_again_hours")
    for matter in own.get("condition", ()):
        entry = data["condition"][matter]
        for version in entry if isinstance(entry, list) else [entry]:
            _check(path, Matter(matter), version, _keys_of(shipped))
    lay_over(_FILE, data)


def _keys_of(shipped: Table) -> set[str]:
    return {key for entry in shipped["condition"].values() for key in entry} | {"active", "valid_from", "valid_until"}


def _check(path: Path, matter: Matter, table: Table, known: set[str]) -> None:
    """Refuse an entry that makes no rule. Raises OwnDataError naming the condition and what is wrong with it."""
    try:
        if unknown := set(table) - known:
            raise ValueError(min(unknown))
        rule = _rule(matter, table)
        for said in filter(None, (rule, rule.of_credit_note)):
            for text in (said.title, said.reason, said.next_step, said.awaited, said.cured):
                text.format(**dict.fromkeys(_SENTENCES_KNOW, ""))
        timedelta(hours=rule.hours, days=rule.working_days + rule.announced_working_days + rule.act_in_working_days)
    except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        reason = Text(f"{error} ne convient pas", f"{error} does not fit")
        raise OwnDataError(path, reason, f'condition."{matter.value}"') from error


@lru_cache(maxsize=64)
def deadline_policy(on: date) -> DeadlinePolicy:
    """The policy in force on a day (Europe/Paris)."""
    data = data_file(_FILE)
    tables = {matter: in_force(data["condition"][matter.value], on) for matter in Matter}
    term = data_file("treasury.toml")["aged_balance"]
    return DeadlinePolicy(
        rules={matter: _rule(matter, each) for matter, each in tables.items() if each and each.get("active", True)},
        look_again=timedelta(hours=data["look_again_hours"]),
        default_term=timedelta(days=(in_force(term, on) or in_force(term) or {})["default_term_days"]),
    )


def cured_because(condition: str, on: date) -> Text:
    """Why an alert of that condition closes; of one that is switched off, that it is no longer watched."""
    rule = deadline_policy(on).rules.get(Matter(condition))
    return rule.cured if rule else Text("Ce délai n’est plus surveillé.", "This deadline is no longer watched.")


def _rule(matter: Matter, table: Table) -> DeadlineRule:
    share = table.get("term_share")
    return DeadlineRule(
        matter=matter,
        hours=table.get("hours", 0),
        working_days=table.get("working_days", 0),
        term_share=None if share is None else Decimal(str(share)),
        announced_working_days=table.get("announced_working_days", 0),
        met_by=frozenset(table.get("met_by", ())),
        severity=Severity(table["severity"]),
        team=table["team"],
        act_in_working_days=table["act_in_working_days"],
        title=text_of(table["title"]),
        reason=text_of(table["reason"]),
        next_step=text_of(table["next"]),
        awaited=text_of(table["awaited"]),
        cured=text_of(table["cured"]),
        of_credit_note=_rule(matter, words_for(table, credit_note=True)) if "of_credit_note" in table else None,
    )
