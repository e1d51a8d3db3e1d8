"""Faults that the simulated platform can show on demand, each at a rate, the same for the same seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from gateway.flows.simulator.errors import UnknownFaultError

ALL = "all"
_WHOLE = 2**64


class Fault(StrEnum):
    """What real platforms were seen to do, and networks too."""

    #: Of an answer.
    SLOW = "slow"
    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "500"
    #: The flow is taken, and the answer comes after the client has gone.
    LOST_ANSWER = "lost-answer"
    EXPIRED_TOKEN = "expired-token"
    #: The cursor given with one page is refused with the next.
    CHANGED_CURSOR = "changed-cursor"
    #: Of a status.
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    #: A lifecycle message that cannot be read stands between two good ones.
    DAMAGED = "damaged"
    LOST_WEBHOOK = "lost-webhook"


@dataclass(frozen=True, slots=True)
class FaultDice:
    """Says whether a fault strikes.

    Attributes:
        rates: probability of each fault, from 0 to 1; a fault that is not named never strikes.
        seed: the same seed strikes the same things.
    """

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0

    def strikes(self, fault: Fault, *key: object) -> bool:
        """Whether `fault` strikes what `key` names. The same key always gets the same answer."""
        rate = self.rates.get(fault, 0.0)
        if not rate:
            return False
        drawn = sha256("/".join(map(str, (self.seed, fault.value, *key))).encode()).digest()
        return int.from_bytes(drawn[:8]) < rate * _WHOLE


def fault_rates(given: Iterable[str]) -> dict[Fault, float]:
    """Rates from words such as `429=0.05`; `all=0.02` names every fault. Raises UnknownFaultError."""
    rates: dict[Fault, float] = {}
    for word in given:
        name, _, rate = word.partition("=")
        try:
            chosen = list(Fault) if name == ALL else [Fault(name)]
            probability = float(rate)
        except ValueError as error:
            raise UnknownFaultError(word, [ALL, *Fault]) from error
        if not 0 <= probability <= 1:
            raise UnknownFaultError(word, [ALL, *Fault])
        rates.update(dict.fromkeys(chosen, probability))
    return rates
