"""The status catalogue (MDT-105): what each code means, who sets it, what it moves. Data: `schemas/lifecycle.toml`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache

from gateway.kernel.dated import Table, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.catalogue import codes, entry, period, versions
from gateway.lifecycle.requirements import Requirement, requirements_of


class StateLine(StrEnum):
    """The three histories that never mix: the invoice, the attempts to deliver it, the reports to the public portal."""

    INVOICE = "invoice"
    TRANSMISSION = "transmission"
    REPORTING = "reporting"


class Phase(StrEnum):
    """MDT-77: who speaks. Platforms during transmission, the parties during treatment."""

    TRANSMISSION = "305"
    TREATMENT = "23"


class Ends(StrEnum):
    """What a status closes."""

    NOTHING = ""
    #: No mandatory status may follow: the cycle is over for the public portal, not between the parties (210).
    MANDATORY = "mandatory"
    #: The cycle of the invoice is over (213, 220).
    ALL = "all"


#: In `Status.lifted_by`: a 212 after which nothing remains due.
FULL_PAYMENT = "full_payment"


@dataclass(frozen=True, slots=True)
class Status:
    """One status code and what is known of it.

    Attributes:
        code: MDT-105, three digits for published codes.
        label: official label in French, our wording in English.
        phase: MDT-77 under which it travels; None for an unknown code.
        set_by: who may set it: (seller_, buyer_)platform, buyer, seller, approver, factor, public_portal.
        object: what it speaks of: invoice, regulatory_data, e_reporting, directory_line, flow, status_message.
        obligation: mandatory, mandatory_if_vat_on_collection, optional or free (DGFiP specification 3.6.4, our words).
        to_ppf: whether a copy goes to the public portal.
        line: the state line it moves.
        advances: whether it can become the current status of the invoice.
        ends: what it closes.
        uncl: UNCL 1373 code sent in MDT-88, empty when none is paired.
        requires: data that a message of it carries, each requirement one datum or a choice of some.
        portal_requires: what the public portal wants beside; `portal_requires_of_refund`: of a negative receipt.
        delivery_reasons: reasons under which it speaks of one delivery only, the invoice staying valid.
        lifted_by: codes that, dated later, lift the hold or cure the failure it stands for; `FULL_PAYMENT` among them
            when being paid in full does too.
        known: False for a code outside the catalogue (bilateral or newer), which is kept and shown, never refused.
    """

    code: str
    label: Text
    phase: Phase | None = None
    set_by: tuple[str, ...] = ()
    object: str = "invoice"
    obligation: str = "free"
    to_ppf: bool = False
    line: StateLine = StateLine.INVOICE
    advances: bool = False
    ends: Ends = Ends.NOTHING
    uncl: str = ""
    requires: tuple[Requirement, ...] = ()
    portal_requires: tuple[Requirement, ...] = ()
    portal_requires_of_refund: tuple[Requirement, ...] = ()
    delivery_reasons: frozenset[str] = frozenset()
    lifted_by: frozenset[str] = frozenset()
    known: bool = True

    @property
    def mandatory(self) -> bool:
        """Whether it must be sent when the fact occurs (200, 210, 213; 212 for VAT on collection)."""
        return self.obligation.startswith("mandatory")

    @classmethod
    def unknown(cls, code: str) -> "Status":
        """A code outside the catalogue: shown as written, it informs and moves nothing."""
        return cls(code, Text(f"Statut {code} (code non publié)", f"Status {code} (unpublished code)"), known=False)

    def line_for(self, reasons: frozenset[str]) -> StateLine:
        """The line moved by this status under `reasons` (MDT-113).

        A 213 whose only reasons are delivery reasons (DOUBLON) refuses a delivery because the platform already holds
        the invoice: it moves the transmission line, and the invoice stays valid.
        """
        only_delivery = bool(reasons) and reasons <= self.delivery_reasons
        return StateLine.TRANSMISSION if only_delivery else self.line


def status(code: str, on: date | None = None) -> Status:
    """The status of `code` as in force `on` a day (latest when None); `Status.unknown(code)` outside the catalogue."""
    return _status(code, period(on))


def all_statuses(on: date | None = None) -> tuple[Status, ...]:
    """Every published status in force `on` a day, by code."""
    found = (status(code, on) for code in sorted(codes("status")))
    return tuple(each for each in found if each.known)


@cache
def ever_mandatory() -> tuple[str, ...]:
    """The codes that are mandatory, or were on some day."""
    return tuple(
        code for code in codes("status") if any(_read(code, each).mandatory for each in versions("status", code))
    )


@lru_cache(maxsize=1024)  # codes come from outside
def _status(code: str, on: date | None) -> Status:
    table = entry("status", code, on)
    return Status.unknown(code) if table is None else _read(code, table)


def _read(code: str, table: Table) -> Status:
    return Status(
        code=code,
        label=text_of(table),
        phase=Phase(table["phase"]),
        set_by=tuple(table["set_by"]),
        object=table.get("object", "invoice"),
        obligation=table.get("obligation", "optional"),
        to_ppf=table.get("to_ppf", False),
        line=StateLine(table.get("line", "invoice")),
        advances=table.get("advances", True),
        ends=Ends(table.get("ends", "")),
        uncl=table.get("uncl", ""),
        requires=requirements_of(table, "requires"),
        portal_requires=requirements_of(table, "portal_requires"),
        portal_requires_of_refund=requirements_of(table, "portal_requires_of_refund"),
        delivery_reasons=frozenset(table.get("delivery_reasons", ())),
        lifted_by=frozenset(table.get("lifted_by", ())),
    )


@dataclass(frozen=True, slots=True)
class Successors:
    """What usually follows a status: `usual` codes, and `possible` ones that the rules allow but are rare."""

    usual: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()


def successors(code: str | None, on: date | None = None) -> Successors:
    """The usual successors of `code` on the invoice line; of the start when None; none known for other codes."""
    return _successors(code or "start", period(on))


@lru_cache(maxsize=1024)
def _successors(code: str, on: date | None) -> Successors:
    table = entry("successors", code, on) or {}
    return Successors(tuple(table.get("next", ())), tuple(table.get("possible", ())))
