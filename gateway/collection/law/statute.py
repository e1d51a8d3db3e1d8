"""The law of late payment as dated data: `schemas/collection-law.toml`, and what an installation lays over it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.alerts.conditions import Severity, Team
from gateway.collection.law.calendar import half_year_of
from gateway.customers.statutory_terms import StatutoryTerms, read_law, shipped_law
from gateway.kernel.text import Text


class DebtorKind(StrEnum):
    """Who owes, as the law tells debtors apart."""

    BUSINESS = "business"
    CONSUMER = "consumer"
    PUBLIC = "public"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Dated(_Part):
    valid_from: date


_Entry = TypeVar("_Entry", bound=_Dated)


class Rate(_Dated):
    """A rate in percent a year, from a day on."""

    percent: Decimal = Field(ge=0, le=100)


class RateSeries(_Part):
    """A rate fixed for each half-year, with the text that says so and where it is published."""

    law: str
    source: str
    rates: tuple[Rate, ...] = Field(min_length=1)


class PenaltyRule(_Dated):
    """How late-payment interest is computed.

    Attributes:
        points: added to the refinancing rate. floor_factor: least agreed rate, in times the legal interest rate.
        rate_of: the half-year of each `day`, or that in which interest begins (`start`).
        year_days: days of the year in the denominator.
    """

    points: Decimal
    floor_factor: int = 1
    rate_of: Literal["day", "start"]
    year_days: int = Field(gt=0)
    law: str


class IndemnityRule(_Dated):
    """The fixed sum for the cost of collection, once for each late invoice."""

    amount: Decimal
    currency: str
    law: str


class LimitationRule(_Dated):
    """How long a claim lives; `next_year`: counted from the first 1 January after its start."""

    years: int = Field(gt=0)
    next_year: bool
    law: str


class Act(_Part):
    """What may happen to a claim: against whom it starts the limitation anew; `pending`: holds it up until it ends."""

    fr: str
    en: str
    interrupts: frozenset[DebtorKind]
    pending: bool
    law: str

    @property
    def label(self) -> Text:
        """Its name for people."""
        return Text(self.fr, self.en)


class Ending(_Part):
    """How proceedings may end; `counts`: what they interrupted stays so, else they never interrupted anything."""

    fr: str
    en: str
    counts: bool
    law: str

    @property
    def label(self) -> Text:
        """Its name for people."""
        return Text(self.fr, self.en)


class Limitation(_Part):
    """The limitation of claims, by kind of debtor, the acts that touch it, and how proceedings end."""

    alert_months: int = Field(gt=0)
    business: tuple[LimitationRule, ...]
    consumer: tuple[LimitationRule, ...]
    public: tuple[LimitationRule, ...]
    act: Mapping[str, Act]
    ending: Mapping[str, Ending]


class InsolvencyRule(_Dated):
    """Time to declare a claim in insolvency proceedings, in months from the publication; when to tell people."""

    claim_months: int
    claim_months_abroad: int
    alert_days: int
    law: str


class OrderPolicy(_Dated):
    """Thresholds of the order block; what each means stands in the data file. A threshold of 0 is off."""

    exposure_warned: int = Field(ge=0)
    exposure_blocked: int = Field(ge=0)
    overdue_days_warned: int = Field(ge=0)
    overdue_days_blocked: int = Field(ge=0)
    overdue_amount_warned: Decimal = Field(ge=0)
    overdue_amount_ignored: Decimal = Field(ge=0)
    broken_warned: int = Field(ge=0)
    broken_blocked: int = Field(ge=0)
    broken_months: int = Field(gt=0)


class FormalNoticeRule(_Dated):
    """What a formal notice leaves to pay, in days, and how many invoices one hand-over file holds at most."""

    days_to_pay: int = Field(ge=0)
    most_invoices: int = Field(gt=0)
    law: str


class Sentence(_Part):
    """A sentence of the data, with placeholders."""

    fr: str
    en: str

    @property
    def text(self) -> Text:
        """The same in the form of every text for people."""
        return Text(self.fr, self.en)


class PassedWords(_Part):
    """What is said instead when the last day had gone by before anybody was told."""

    title: Sentence
    reason: Sentence
    next: Sentence


class LegalAlert(_Part):
    """What people are told of a deadline of the law: how urgently, who acts within how many working days, the words."""

    severity: Severity
    team: Team
    working_days: int
    title: Sentence
    reason: Sentence
    next: Sentence
    passed: PassedWords | None = None
    settled: Sentence


class HalfYearRate(_Part):
    """A rate as it is known for a half-year; `provisional`: the last one known, that half-year's own is missing."""

    percent: Decimal
    known_from: date
    provisional: bool


class Statute(StatutoryTerms):
    """Everything the data say; ask it for a day."""

    model_config = ConfigDict(extra="forbid")

    version: str
    refinancing: RateSeries
    legal_interest: RateSeries
    penalty: tuple[PenaltyRule, ...]
    public_penalty: tuple[PenaltyRule, ...]
    indemnity: tuple[IndemnityRule, ...]
    limitation: Limitation
    insolvency: tuple[InsolvencyRule, ...]
    order: tuple[OrderPolicy, ...]
    formal_notice: tuple[FormalNoticeRule, ...]
    alert: Mapping[str, LegalAlert]

    @model_validator(mode="after")
    def _rates_of_half_years(self) -> Self:
        for series in (self.refinancing, self.legal_interest):
            for rate in series.rates:
                if rate.valid_from != half_year_of(rate.valid_from):
                    raise ValueError(f"{rate.valid_from} is not the first day of a half-year")
        return self

    def refinancing_on(self, day: date) -> HalfYearRate:
        """The refinancing rate that holds for the half-year of a day."""
        return _half_year_rate(self.refinancing, day)

    def legal_interest_on(self, day: date) -> HalfYearRate:
        """The legal interest rate that holds for the half-year of a day."""
        return _half_year_rate(self.legal_interest, day)

    def penalty_rule(self, debtor: DebtorKind, day: date) -> PenaltyRule:
        """How interest is computed against that debtor."""
        return _on(self.public_penalty if debtor is DebtorKind.PUBLIC else self.penalty, day)

    def indemnity_on(self, day: date) -> IndemnityRule | None:
        """The fixed sum for an invoice due that day; None before there was one."""
        return _on(self.indemnity, day) if day >= min(rule.valid_from for rule in self.indemnity) else None

    def limitation_rule(self, debtor: DebtorKind, day: date) -> LimitationRule:
        """How long a claim on that debtor lives that began that day."""
        rules = {
            DebtorKind.BUSINESS: self.limitation.business,
            DebtorKind.CONSUMER: self.limitation.consumer,
            DebtorKind.PUBLIC: self.limitation.public,
        }
        return _on(rules[debtor], day)

    def insolvency_on(self, day: date) -> InsolvencyRule:
        """The time to declare a claim, for proceedings published that day."""
        return _on(self.insolvency, day)

    def order_policy_on(self, day: date) -> OrderPolicy:
        """The thresholds of an organisation that set none of its own."""
        return _on(self.order, day)

    def formal_notice_on(self, day: date) -> FormalNoticeRule:
        """What a formal notice of a day leaves to pay."""
        return _on(self.formal_notice, day)


@lru_cache(maxsize=8)
def statute(file: Path | None = None) -> Statute:
    """The law as shipped, with the entries of `file` laid over it. Raises LawFileError."""
    return read_law(Statute, shipped_law(), file)


def _half_year_rate(series: RateSeries, day: date) -> HalfYearRate:
    found = _on(series.rates, day)
    return HalfYearRate(
        percent=found.percent, known_from=found.valid_from, provisional=found.valid_from != half_year_of(day)
    )


def _on(entries: Sequence[_Entry], day: date) -> _Entry:
    """The entry in force on a day; before the first one, the first: the gateway follows no older claim."""
    begun = [entry for entry in entries if entry.valid_from <= day]
    return max(begun, key=lambda entry: entry.valid_from) if begun else min(entries, key=lambda each: each.valid_from)
