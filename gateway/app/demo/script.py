"""What the demonstration plays: the files of a billing system, the day each leaves, and what platforms answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import func, select

from fixtures.broken import broken_samples
from fixtures.collection import CollectionStory, collection_story
from fixtures.companies import make_seller
from fixtures.samples import DemoInvoice, demo_batch
from gateway.access.model import Organisation
from gateway.access.repository import organisations
from gateway.database import Database
from gateway.kernel.clock import Clock, paris_date, paris_instant
from gateway.kernel.working_days import is_working_day
from gateway.ledger.model import LedgerEntry

SEED = 1
#: Invoices of the ordinary course of business, beside those of the story of collection.
INVOICES = 60
#: Days from the first one to the present.
DAYS = timedelta(days=80)
#: The rules are in force from that day on: nothing could be sent before.
_RULES_HOLD = date(2026, 9, 1)
#: Before the present the last ordinary invoice was issued: by now its buyer has said all there is to say.
_LAST_ISSUED = timedelta(days=8)
_OPENS, _WORKS = time(8), time(10)
#: Broken documents pushed with the others: one fails its schema, one cannot be read at all.
_BROKEN = {"invalid": "xsd", "unreadable": "well-formed"}
_BROKEN_AFTER = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A file of the demonstration's billing system, and the day it leaves."""

    file_name: str
    data: bytes
    media_type: str
    on: date


@dataclass(frozen=True, slots=True)
class Script:
    """All that is to happen.

    Attributes:
        first_day: the day (Europe/Paris) the demonstration was first set up, less the days of its story; 1 September
            2026 at the earliest.
        story: the customers who do not simply pay. files: everything that is pushed.
        scenarios: what the platform simulator answers, by invoice number.
    """

    first_day: date
    story: CollectionStory
    files: tuple[Pushed, ...]
    scenarios: Mapping[str, str]

    @property
    def days(self) -> list[tuple[date, date]]:
        """The days on which people work, before the present, each with the one before it."""
        count = DAYS.days
        every = (self.first_day + timedelta(days=number) for number in range(1, count))
        days = [self.first_day, *(day for day in every if is_working_day(day))]
        return list(zip([date.min, *days[:-1]], days, strict=True))

    @property
    def opens_at(self) -> datetime:
        """The first instant of all."""
        return paris_instant(datetime.combine(self.first_day, _OPENS))

    @property
    def ends_at(self) -> datetime:
        """The instant from which on it is the present."""
        return paris_instant(datetime.combine(self.first_day + DAYS, time()))

    def files_between(self, before: date, day: date) -> list[Pushed]:
        """What leaves on a day, with what the days since `before` have left."""
        return [file for file in self.files if before < file.on <= day]


def works_at(day: date) -> datetime:
    """The instant of a day at which everybody is at work."""
    return paris_instant(datetime.combine(day, _WORKS))


def read_script(database: Database, present: Clock) -> tuple[Script, datetime]:
    """What is played in this database, and the instant it has come to: a second start goes on where the first was."""
    known = demo_organisation(database)
    first_day = paris_date(known.created_at) if known else max(paris_date(present()) - DAYS, _RULES_HOLD)
    batch, story = (
        demo_batch(SEED, INVOICES, first_day + DAYS - _LAST_ISSUED),
        collection_story(SEED, first_day, DAYS.days),
    )
    invoices = [*batch, *story.invoices]
    script = Script(
        first_day=first_day,
        story=story,
        files=(*(_pushed(each) for each in invoices), *_broken(first_day + _BROKEN_AFTER)),
        scenarios={each.number: each.scenario for each in invoices},
    )
    return script, _come_to(database, known) or script.opens_at


def demo_organisation(database: Database) -> Organisation | None:
    """The wholesaler, once the demonstration was set up."""
    siren = make_seller(SEED).siren
    return next((one for one in organisations(database) if one.siren == siren), None)


def _come_to(database: Database, known: Organisation | None) -> datetime | None:
    """The ledger tells: a day on which nothing happened can be lived again."""
    if known is None:
        return None
    with database.transaction(known.id) as session:
        return session.exec(select(func.max(LedgerEntry.at))).one() or known.created_at


def _pushed(invoice: DemoInvoice) -> Pushed:
    return Pushed(invoice.file_name, invoice.data, invoice.media_type, invoice.draft.issue_date)


def _broken(on: date) -> Iterator[Pushed]:
    broken = broken_samples(SEED)
    for verdict, layer in _BROKEN.items():
        sample = next(one for one in broken if one.verdict == verdict and one.layer == layer and one.data)
        yield Pushed(f"{sample.name}.xml", sample.data, "application/octet-stream", on)
