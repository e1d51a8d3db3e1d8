"""Reasons, requested actions, amount types and roles that a status carries. Data: `schemas/lifecycle.toml`."""

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Literal

from gateway.kernel.dated import text_of
from gateway.kernel.text import Text
from gateway.lifecycle.catalogue import codes, entry, period


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code (MDT-113) and where rule BR-FR-CDV-CL-09 allows it.

    Attributes:
        code: as on the wire, always French (`PU_ERR`).
        label: what it means.
        statuses: codes of the statuses that may carry it.
        public_sector: statuses that may carry it when the sender is Chorus Pro, beyond `statuses`.
        exchanged: False for the public portal's own reasons, which platforms refuse between themselves.
        known: False for a code outside the catalogue, kept and shown as written.
    """

    code: str
    label: Text
    statuses: frozenset[str] = frozenset()
    public_sector: frozenset[str] = frozenset()
    exchanged: bool = True
    known: bool = True

    @classmethod
    def unknown(cls, code: str) -> "Reason":
        """A reason outside the catalogue, shown as written."""
        return cls(code, Text(f"Motif {code} (code non publié)", f"Reason {code} (unpublished code)"), known=False)


def reason(code: str, on: date | None = None) -> Reason:
    """The reason of `code` as in force `on` a day (latest when None); `Reason.unknown(code)` outside the catalogue."""
    return _reason(code, period(on))


def all_reasons(on: date | None = None) -> tuple[Reason, ...]:
    """Every published reason in force `on` a day, in catalogue order."""
    return _all_reasons(period(on))


def allowed_reasons(status_code: str, public_sector: bool = False, on: date | None = None) -> frozenset[str]:
    """The reason codes that platforms may exchange under a status set `on` a day.

    A status that no reason names accepts every exchanged reason (BR-FR-CDV-CL-09 restricts only 200, 206, 207, 208,
    210, 213, 221 and 501). `public_sector` adds what Chorus Pro may give.
    """
    return _allowed_reasons(status_code, public_sector, period(on))


def label(
    kind: Literal["action", "characteristic", "role", "datum", "set_by", "obligation"],
    code: str,
    on: date | None = None,
) -> Text:
    """What a code of the catalogue means `on` a day; the code itself if unknown.

    `kind`: a requested action (MDT-121), an amount type (MDT-207), a role (UNCL 3035), a required datum, an author of
    statuses or their obligation.
    """
    return _label(kind, code, period(on))


@lru_cache(maxsize=1024)  # codes come from outside
def _reason(code: str, on: date | None) -> Reason:
    table = entry("reason", code, on)
    if table is None:
        return Reason.unknown(code)
    return Reason(
        code=code,
        label=text_of(table),
        statuses=frozenset(table["statuses"]),
        public_sector=frozenset(table.get("public_sector", ())),
        exchanged=table.get("exchanged", True),
    )


@cache
def _all_reasons(on: date | None) -> tuple[Reason, ...]:
    found = (_reason(code, on) for code in codes("reason"))
    return tuple(each for each in found if each.known)


@lru_cache(maxsize=1024)
def _allowed_reasons(status_code: str, public_sector: bool, on: date | None) -> frozenset[str]:
    exchanged = [each for each in _all_reasons(on) if each.exchanged]
    named = {each.code for each in exchanged if status_code in each.statuses}
    if not named:
        return frozenset(each.code for each in exchanged)
    if public_sector:
        named |= {each.code for each in exchanged if status_code in each.public_sector}
    return frozenset(named)


@lru_cache(maxsize=1024)
def _label(kind: str, code: str, on: date | None) -> Text:
    table = entry(kind, code, on)
    return Text(code, code) if table is None else text_of(table)
