"""Scenarios: which step is taken with which customer, and when. The default ones are in `schemas/scenarios.toml`.

A book holds the scenarios of an organisation in order: the first that fits an account is the one it follows.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.collection.account import Account, Risk
from gateway.collection.contents import read_content
from gateway.collection.errors import InvalidScenariosError
from gateway.customers.values import Contact, ContactRole
from gateway.kernel.clock import PARIS, paris_instant
from gateway.kernel.dated import data_file, in_force
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days, is_working_day

DUE_DATE, INSTALMENT, PAYMENT = "due_date", "instalment", "payment"
_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Money = Annotated[Decimal, Field(ge=0, max_digits=19, decimal_places=2)]
_Days = Annotated[int, Field(ge=0, le=365)]


class Channel(StrEnum):
    """How a step is taken."""

    EMAIL = "email"
    SMS_HOOK = "sms_hook"
    LETTER = "letter"
    REGISTERED_LETTER = "registered_letter"
    CALL = "call"
    TASK = "task"

    @property
    def label(self) -> Text:
        """The channel's name for people."""
        return _CHANNEL_LABELS[self]

    @property
    def leaves_by_itself(self) -> bool:
        """A program sends it; else a person posts, calls or does it."""
        return self in (Channel.EMAIL, Channel.SMS_HOOK)

    @property
    def is_written(self) -> bool:
        """The customer gets something to read."""
        return self not in (Channel.CALL, Channel.TASK)

    @property
    def is_letter(self) -> bool:
        """It is printed and posted."""
        return self in (Channel.LETTER, Channel.REGISTERED_LETTER)

    def reached_at(self, contact: Contact) -> str:
        """Where it reaches a contact: the lines of an envelope, a number, a mailbox; else what else is known."""
        posted = ", ".join(each for each in (contact.name, *contact.postal) if each) if contact.postal else None
        mailed, called = contact.email or contact.phone, contact.phone or contact.email
        if self.is_letter:
            return posted or mailed or contact.name
        return (called if self in (Channel.CALL, Channel.SMS_HOOK) else mailed) or contact.name


_CHANNEL_LABELS = {
    Channel.EMAIL: Text("E-mail", "E-mail"),
    Channel.SMS_HOOK: Text("SMS", "Text message"),
    Channel.LETTER: Text("Lettre", "Letter"),
    Channel.REGISTERED_LETTER: Text("Lettre recommandée", "Registered letter"),
    Channel.CALL: Text("Appel", "Call"),
    Channel.TASK: Text("Tâche interne", "Internal task"),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Step(_Part):
    """One step of a scenario; the fields are those of `schemas/scenarios.toml`, which explains them."""

    key: _Key
    title: Text
    counts_from: Annotated[str, Field(alias="from", pattern=rf"^({DUE_DATE}|{INSTALMENT}|{PAYMENT}|\d{{3}})$")] = (
        DUE_DATE
    )
    days: Annotated[int, Field(ge=-90, le=1000)]
    channel: Channel
    template: _Key
    tone: Annotated[int, Field(ge=0, le=5)] = 0
    automatic: bool = False
    at_least: _Money = Decimal(0)
    role: ContactRole = ContactRole.ACCOUNTING
    after: _Key | None = None
    after_days: _Days = 0


class Hours(_Part):
    """When messages may leave: on these hours of working days, Europe/Paris; `until` is not in."""

    start: Annotated[time, Field(alias="from")]
    until: time
    working_days: bool = True

    def next_open(self, now: datetime) -> datetime:
        """The next instant at which messages may leave: `now` itself while it is open (aware, UTC)."""
        local = now.astimezone(PARIS)
        day = local.date()
        if self._works(day) and self.start <= local.time() < self.until:
            return now
        if not self._works(day) or local.time() >= self.until:
            day += timedelta(days=1)
        return self.opening(day)

    def opening(self, day: date) -> datetime:
        """The first open instant on `day` or after it."""
        return paris_instant(datetime.combine(add_working_days(day, 0) if self.working_days else day, self.start))

    def _works(self, day: date) -> bool:
        return not self.working_days or is_working_day(day)

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Hours":
        if self.start >= self.until:
            raise ValueError("`from` must be before `until`")
        return self


class Scenario(_Part):
    """The steps taken with the accounts that fit; the fields are those of `schemas/scenarios.toml`."""

    key: _Key
    title: Text
    segments: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    public: bool | None = None
    consumer: bool | None = None
    minimum_days: _Days
    floor: _Money = Decimal(0)
    catch_up: Literal["jump", "in_order"]
    chase_books: bool = False
    sharpened_by: tuple[str, ...] = ()
    not_arrived: tuple[str, ...] = ()
    arrival_days: _Days = 0
    hours: Hours
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]

    def fits(self, account: Account) -> bool:
        """Whether it is meant for that account: every condition that is given holds."""
        customer = account.customer
        return (
            (not self.segments or (customer.segment or "").casefold() in {each.casefold() for each in self.segments})
            and (not self.risks or account.score in self.risks)
            and self.public in (None, customer.is_public)
            and self.consumer in (None, customer.is_consumer)
        )

    def step(self, key: str) -> Step | None:
        """The step of that key."""
        return next((step for step in self.steps if step.key == key), None)

    @model_validator(mode="after")
    def _steps_make_sense(self) -> "Scenario":
        keys = [step.key for step in self.steps]
        for number, step in enumerate(self.steps):
            if step.key in keys[:number]:
                raise ValueError(f"two steps are named {step.key}")
            if step.after is not None and step.after not in keys[:number]:
                raise ValueError(f"step {step.key} comes after {step.after}, which is no step before it")
            if step.counts_from != DUE_DATE and step.days < 0 and step.counts_from != INSTALMENT:
                raise ValueError(f"step {step.key} cannot come before what it counts from")
            if step.counts_from == PAYMENT and step.days != 0:
                raise ValueError(f"step {step.key} follows the payment at once: its days must be 0")
        return self


class ScenarioBook(_Part):
    """The scenarios of an organisation, in the order in which they are tried."""

    scenarios: Annotated[tuple[Scenario, ...], Field(alias="scenario", min_length=1, max_length=50)]

    @property
    def chases_books(self) -> bool:
        """Whether any of them chases what only the books know."""
        return any(scenario.chase_books for scenario in self.scenarios)

    def scenario_for(self, account: Account) -> Scenario | None:
        """The first scenario that fits; None when the account is in nobody's way."""
        return next((scenario for scenario in self.scenarios if scenario.fits(account)), None)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "ScenarioBook":
        keys = [scenario.key for scenario in self.scenarios]
        if len(set(keys)) < len(keys):
            raise ValueError("two scenarios have the same key")
        return self


@cache
def default_book(on: date | None = None) -> ScenarioBook:
    """The scenarios of whoever stores none of their own, as in force `on` a day (the latest when None)."""
    versions = data_file("scenarios.toml")["book"]
    version = in_force(versions, on) or in_force(versions) or {}
    return read_book({"scenario": version["scenario"]})


def read_book(content: Mapping[str, Any]) -> ScenarioBook:
    """A book from the content of a TOML or JSON document. Raises InvalidScenariosError, which names each fault."""
    return read_content(ScenarioBook, content, InvalidScenariosError)
