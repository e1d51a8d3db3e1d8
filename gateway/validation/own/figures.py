"""The dated figures and word lists of `schemas/own-checks.toml`."""

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Dated(_Entry):
    valid_from: date
    valid_to: date = date.max
    law: str

    def counts_on(self, day: date) -> bool:
        """True on that legal date."""
        return self.valid_from <= day <= self.valid_to


class PaymentTerm(_Dated):
    """The longest payment term that may be agreed."""

    days: int
    end_of_month_days: int
    periodic_days: int


class VatRates(_Dated):
    """The VAT rates of France, in percent."""

    rates: frozenset[Decimal]


class Figures(_Entry):
    """Everything that own checks compare with."""

    payment_terms: tuple[PaymentTerm, ...] = Field(alias="payment_term")
    vat_rates: tuple[VatRates, ...]
    placeholders: dict[str, frozenset[str]]
    relationships: dict[str, frozenset[str]]

    def payment_term_on(self, day: date) -> PaymentTerm | None:
        """The statutory payment term on a date; None before the first one known."""
        return next((term for term in self.payment_terms if term.counts_on(day)), None)

    def vat_rates_on(self, day: date) -> VatRates | None:
        """The VAT rates on a date; None before the first ones known."""
        return next((rates for rates in self.vat_rates if rates.counts_on(day)), None)

    def relationships_of(self, profile: str) -> frozenset[str]:
        """How the XML of a profile may be related to its PDF."""
        return self.relationships.get(profile, self.relationships["other"])


@cache
def own_figures() -> Figures:
    """The figures that come with the gateway."""
    return Figures.model_validate(tomllib.loads((files("schemas") / "own-checks.toml").read_text(encoding="utf-8")))
