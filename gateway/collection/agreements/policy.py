"""Days of grace, deadlines, reasons of disputes and who settles them. Data: `schemas/collection.toml`, dated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from gateway.alerts.conditions import Team, team_of_reasons
from gateway.kernel.dated import Table, data_file, in_force, text_of
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from gateway.lifecycle.reasons import reason as lifecycle_reason

DEFAULT_TEAM: Team = "ar"


@dataclass(frozen=True, slots=True)
class AgreementPolicy:
    """What holds on a day; every count is of working days.

    Attributes:
        promise_grace, plan_grace: how long after its day money still counts as in time.
        at_risk: how long before its day a promise of which nothing has come is at risk.
        proposed: how far ahead a call proposes the day of a promise.
        settle_in: deadline of a dispute.
        categories: our own reasons of disputes.
    """

    promise_grace: int
    plan_grace: int
    at_risk: int
    proposed: int
    settle_in: int
    categories: Mapping[str, Text]

    def promise_grace_until(self, due_on: date) -> date:
        """The last day on which money keeps a promise for `due_on`."""
        return add_working_days(due_on, self.promise_grace)

    def plan_grace_until(self, due_on: date) -> date:
        """The last day on which money pays an instalment of `due_on` without breaking the plan."""
        return add_working_days(due_on, self.plan_grace)

    def at_risk_until(self, today: date) -> date:
        """Promises for that day or sooner, of which something is missing, are at risk."""
        return add_working_days(today, self.at_risk)

    def promise_proposed_on(self, today: date) -> date:
        """The day that a call proposes for a promise."""
        return add_working_days(today, self.proposed)

    def settle_by(self, opened_on: date) -> date:
        """The deadline of a dispute."""
        return add_working_days(opened_on, self.settle_in)


@lru_cache(maxsize=64)
def agreement_policy(on: date) -> AgreementPolicy:
    """The policy in force on a day (Europe/Paris); before the first version, the latest."""
    promises, plans, disputes = (_version(name, on) for name in ("promises", "plans", "disputes"))
    return AgreementPolicy(
        promise_grace=promises["grace_working_days"],
        plan_grace=plans["grace_working_days"],
        at_risk=promises["at_risk_working_days"],
        proposed=promises["proposed_working_days"],
        settle_in=disputes["settle_working_days"],
        categories={name: text_of(table) for name, table in disputes["category"].items()},
    )


def team_for(reason: str, on: date) -> Team:
    """The team that settles disputes of a reason: a lifecycle code or a category; the AR team for any other."""
    category = _version("disputes", on)["category"].get(reason)
    if category:
        team: Team = category["team"]
        return team
    return team_of_reasons([reason]) or DEFAULT_TEAM


def reason_label(reason: str, on: date) -> Text:
    """What a reason means, for people; of none, that it was not told."""
    if not reason:
        return Text("motif non précisé", "no reason given")
    return agreement_policy(on).categories.get(reason) or lifecycle_reason(reason).label


def _version(name: str, on: date) -> Table:
    entry = data_file("collection.toml")[name]
    return in_force(entry, on) or in_force(entry) or {}
