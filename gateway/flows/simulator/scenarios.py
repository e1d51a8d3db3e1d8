"""What the simulator answers, as data: `schemas/simulator.toml`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256

from gateway.flows.platforms.client import PlatformAcknowledgement
from gateway.flows.simulator.errors import InvalidScenarioRateError, UnknownScenarioError
from gateway.flows.terms import AckStatus
from gateway.kernel.dated import Table, data_file, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.deliveries import Remark

#: The scenario of a second delivery of one invoice.
DUPLICATE = "duplicate"
_WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Step:
    """One status that the simulator gives.

    Attributes:
        status: MDT-105.
        reason, action, comment: MDT-113, MDT-121 and MDT-126; empty when the status needs none.
        share: part of the amount due (BT-115) that it speaks of, 0 when it speaks of none.
    """

    status: str
    reason: str = ""
    action: str = ""
    comment: str = ""
    share: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story of one invoice.

    Attributes:
        weight: its share among the invoices that nobody chose a scenario for.
        acknowledged_after: how long its file is Pending first, in steps.
        acknowledgement: what the platform makes of the file then.
    """

    name: str
    label: Text
    weight: int
    steps: tuple[Step, ...]
    acknowledged_after: float
    acknowledgement: PlatformAcknowledgement


#: What is acknowledged without a remark.
ACCEPTED = PlatformAcknowledgement(AckStatus.OK)
_PENDING = PlatformAcknowledgement(AckStatus.PENDING)


@cache
def scenarios() -> Mapping[str, Scenario]:
    """Every scenario by its name, in the order of the file."""
    return {
        name: Scenario(
            name,
            text_of(table),
            table["weight"],
            tuple(Step(**{**step, "share": Decimal(step.get("share", 0))}) for step in table["steps"]),
            table.get("acknowledged_after", data_file("simulator.toml")["acknowledged_after"]),
            _acknowledgement(table.get("refused")),
        )
        for name, table in data_file("simulator.toml")["scenario"].items()
    }


def _acknowledgement(refused: Table | None) -> PlatformAcknowledgement:
    if refused is None:
        return ACCEPTED
    remark = Remark(level="Error", item=refused["item"], reason_code=refused["reason"], message=refused["message"])
    return PlatformAcknowledgement(AckStatus.ERROR, (remark,))


def acknowledgement_of(scenario: str | None, *, pending: bool = False) -> PlatformAcknowledgement:
    """What the platform makes of a file that follows a scenario; a message follows none, and is accepted."""
    if pending:
        return _PENDING
    return scenarios()[scenario].acknowledgement if scenario else ACCEPTED


def acknowledged_after(scenario: str | None) -> float:
    """How long a file is Pending, in steps of its platform."""
    default: float = data_file("simulator.toml")["acknowledged_after"]
    return scenarios()[scenario].acknowledged_after if scenario else default


def refusing_scenarios() -> list[str]:
    """Names of the scenarios whose file is refused."""
    return [name for name, each in scenarios().items() if each.acknowledgement.status is AckStatus.ERROR]


def chosen_scenarios(given: Iterable[str]) -> dict[str, str]:
    """Scenario by invoice number, from words such as `F2026-1=refused`. Raises UnknownScenarioError."""
    chosen: dict[str, str] = {}
    for word in given:
        number, _, name = word.rpartition("=")
        if not number or name not in scenarios():
            raise UnknownScenarioError(word, scenarios())
        chosen[number] = name
    return chosen


def scenario_rates(given: Iterable[str]) -> dict[str, Decimal]:
    """Share of all invoices by scenario, from words such as `refused=0.2`. Raises InvalidScenarioRateError.

    The shares add up to 1 at most, and to 1 where no scenario with a weight is left for the rest.
    """
    rates: dict[str, Decimal] = {}
    for word in given:
        name, _, share = word.partition("=")
        try:
            rate = Decimal(share)
        except InvalidOperation as error:
            raise InvalidScenarioRateError(word, scenarios()) from error
        if name not in scenarios() or not rate.is_finite() or not 0 <= rate <= 1:
            raise InvalidScenarioRateError(word, scenarios())
        rates[name] = rate
    total = sum(rates.values())
    if total > 1 or (total < 1 and not any(each.weight for each in _unnamed(rates))):
        raise InvalidScenarioRateError(" ".join(f"{name}={rate}" for name, rate in rates.items()), scenarios())
    return rates


def scenario_for(
    number: str, chosen: Mapping[str, str], rates: Mapping[str, Decimal] | None = None, seed: int = 0
) -> Scenario:
    """The scenario of an invoice: the one chosen for its number, else one drawn by a stable hash of number and seed.

    The shares of `rates` (`scenario_rates`) are taken first; the other scenarios part the rest by their weights. Raises
    KeyError when the chosen name is no scenario.
    """
    if number in chosen:
        return scenarios()[chosen[number]]
    drawn = int.from_bytes(sha256((f"{seed}/{number}" if seed else number).encode()).digest()[:8])
    below = Decimal(0)
    for name, rate in (rates or {}).items():
        below += rate
        if drawn < below * _WHOLE:
            return scenarios()[name]
    rest = _unnamed(rates or {})
    place = drawn % sum(each.weight for each in rest)
    for scenario in rest:
        if place < scenario.weight:
            return scenario
        place -= scenario.weight
    raise AssertionError("the weights add up to more than what was drawn")


def _unnamed(rates: Mapping[str, Decimal]) -> list[Scenario]:
    return [each for name, each in scenarios().items() if name not in rates]
