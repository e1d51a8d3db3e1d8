"""Before an invoice leaves: is its buyer's address (BT-49) one that the directory would route?"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.flows.acknowledgement import AckDetail, reason_code
from gateway.flows.directory.checking import AddressCheck, AddressVerdict
from gateway.flows.directory.errors import BuyerNotAddressableError
from gateway.flows.directory.service import Asking
from gateway.flows.terms import ProcessingRule
from gateway.invoices.model import Invoice
from gateway.kernel.identifiers import SCHEME_E_ADDRESS
from gateway.kernel.text import Text

#: Invoices that the directory routes; the others go to no French e-address.
_ROUTED = frozenset({ProcessingRule.B2B.value, ProcessingRule.B2G.value})


class PreflightMode(StrEnum):
    """What an address that would not be routed does to its invoice (setting `preflight`)."""

    OFF = "off"
    WARN = "warn"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class PreflightDecision:
    """What the check of an address does to its invoice.

    Attributes:
        remarks: for the acknowledgement.
        told: what a person is alerted to, None when nobody is.
        hold: why the invoice waits instead of leaving, when it does.
        rule: the processing rule that the directory tells, when it tells another: B2G for a public buyer.
    """

    remarks: tuple[AckDetail, ...] = ()
    told: AddressCheck | None = None
    hold: BuyerNotAddressableError | None = None
    rule: ProcessingRule | None = None


def decide(check: AddressCheck, mode: PreflightMode) -> PreflightDecision:
    """A directory that did not answer is told and blocks nothing; only a bad answer alerts, or holds when asked to.

    Where the connection has none, there is nothing to say of each invoice.
    """
    rule = ProcessingRule.B2G if check.is_public else None
    if check.is_addressable or check.verdict is AddressVerdict.NOT_OFFERED:
        return PreflightDecision(rule=rule)
    message = Text(f"{check.says.fr} {check.to_do.fr}", f"{check.says.en} {check.to_do.en}")
    remarks = (AckDetail("Warning", "BT-49", reason_code(f"ADDRESS_{check.verdict.name}"), message),)
    if not check.is_checked:
        return PreflightDecision(remarks)
    if mode is PreflightMode.HOLD:
        return PreflightDecision(remarks, hold=BuyerNotAddressableError(check.address, check.says, check.to_do))
    return PreflightDecision(remarks, told=check, rule=rule)


def preflight(asking: Asking | None, mode: PreflightMode, rule: str, invoice: Invoice) -> PreflightDecision:
    """The decision about an invoice about to leave under a processing rule. Raises BuyerNotAddressableError: held.

    `asking`: who asks the directory; None: there is none.

    A self-billed one goes to its seller: the address of its buyer, which issues it, is not asked about.
    """
    address = invoice.buyer.electronic_address
    if mode is PreflightMode.OFF or asking is None or rule not in _ROUTED:
        return PreflightDecision()
    if address is None or invoice.is_self_billed or address.scheme != SCHEME_E_ADDRESS:
        return PreflightDecision()
    decision = decide(asking.check(address.value), mode)
    if decision.hold is not None:
        raise decision.hold
    return decision
