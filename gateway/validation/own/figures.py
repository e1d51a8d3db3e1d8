"""The dated figures and word lists of `schemas/own-checks.toml`."""

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.kernel.dated import overlaid, own_file
from gateway.kernel.errors import OwnDataError
from gateway.kernel.text import Text

#: What a file of newer law may say that own checks compare with.
_TERMS = "payment_term"


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
        return payment_term_on(self.payment_terms, day)

    def vat_rates_on(self, day: date) -> VatRates | None:
        """The VAT rates on a date; None before the first ones known."""
        return next((rates for rates in self.vat_rates if rates.counts_on(day)), None)

    def relationships_of(self, profile: str) -> frozenset[str]:
        """How the XML of a profile may be related to its PDF."""
        return self.relationships.get(profile, self.relationships["other"])


def payment_term_on(terms: Iterable[PaymentTerm], day: date) -> PaymentTerm | None:
    """Of the caps that count on a date the one that began last, the first of two; None before the first one known."""
    return max((term for term in terms if term.counts_on(day)), key=lambda term: term.valid_from, default=None)


@lru_cache(maxsize=8)
def own_figures(law_file: Path | None = None) -> Figures:
    """The figures that come with the gateway, with the payment terms of the setting `law_file` laid over them.

    Raises OwnDataError when that file cannot be used.
    """
    shipped = tomllib.loads((files("schemas") / "own-checks.toml").read_text(encoding="utf-8"))
    if law_file is None:
        return Figures.model_validate(shipped)
    given = {name: terms for name, terms in own_file(law_file).items() if name == _TERMS}
    try:
        return Figures.model_validate(overlaid(shipped, given))
    except ValidationError as error:
        why = str(error.errors()[0]["msg"])
        raise OwnDataError(law_file, Text.of(why), _TERMS) from error
