"""Whole histories of what customers owe, as values that hypothesis draws and shrinks.

A history is weeks: some acts, then days that pass. An act names what it is about by a number that the teller resolves
among what there is then, so that any part of a history is one too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from hypothesis import strategies as st

from tests.collection.naive_facts import Debtor
from tests.lifecycle.making_events import SELLER_SIREN

#: Two accounts of one group, a public body, and a consumer who can only be written to by post.
CAST = (
    Debtor("732829320"),
    Debtor("732829320", siret="73282932000074"),
    Debtor("443061841", kind="public"),
    Debtor("542065479", kind="consumer", email=None),
)
AGENCIES = (None, UUID(int=0xA), UUID(int=0xB))
SELLERS = (SELLER_SIREN, "404833048")
CURRENCIES = ("EUR", "EUR", "EUR", "USD")
BILL_STATUSES = ("200", "203", "205", "206", "207", "208", "210", "211", "213", "220", "221", "501", "204")


@dataclass(frozen=True)
class Status:
    """A platform tells a status, dated some days ago; `percent` of what is left is its amount (206, 212)."""

    about: int
    code: str
    days_ago: int = 0
    percent: int = 100
    granted: bool = False


@dataclass(frozen=True)
class Invoice:
    """We invoice; `early`: statuses that came before the invoice did; `silent`: no platform says that it arrived."""

    debtor: int
    agency: int
    seller: int
    currency: int
    cents: int
    issued_ago: int
    due_in: int
    early: tuple[Status, ...] = ()
    silent: bool = False


@dataclass(frozen=True)
class CreditNote:
    """We credit a part of an invoice."""

    about: int
    percent: int


@dataclass(frozen=True)
class Repeat:
    """A platform tells again what it told before."""

    about: int


@dataclass(frozen=True)
class Receipt:
    """Money comes in for some bills (`percent` of what each asks for, given up or not) and `extra` cents more."""

    about: tuple[int, ...]
    percent: int
    extra: int
    days_ago: int
    names_payer: bool


@dataclass(frozen=True)
class Collected:
    """A 212 tells money that was received for a bill, `percent` of it."""

    about: int
    percent: int
    days_ago: int


@dataclass(frozen=True)
class Refund:
    """Money goes back, for a credit note or for what was paid too much."""

    about: int
    percent: int


@dataclass(frozen=True)
class Undo:
    """A receipt never came, or a person ends or takes back what was recorded; `what` names which kind."""

    what: str
    about: int
    days: int = 0


@dataclass(frozen=True)
class Dispute:
    """A customer contests an invoice, or `percent` of what is left of it."""

    about: int
    percent: int | None


@dataclass(frozen=True)
class Promise:
    """The customer of a bill promises a part of what it owes: of that bill, or of all in its currency (`whole`)."""

    about: int
    whole: bool
    percent: int
    due_in: int


@dataclass(frozen=True)
class Plan:
    """What is left of a bill, or of all that its customer owes in its currency, is spread over some days."""

    about: int
    whole: bool
    days: tuple[int, ...]
    suspends: bool


@dataclass(frozen=True)
class Spare:
    """Someone excludes a bill, or its customer, for some days or for good."""

    about: int
    whole: bool
    days: int | None


@dataclass(frozen=True)
class Insolvency:
    """A judgment opens proceedings against the customer of a bill."""

    about: int
    days_ago: int


@dataclass(frozen=True)
class HandOver:
    """A bill goes to litigation, or its customer as a whole."""

    about: int
    whole: bool


@dataclass(frozen=True)
class WriteOff:
    """We give up a part of what is left of a bill."""

    about: int
    percent: int


@dataclass(frozen=True)
class Claim:
    """Penalties: `what` is claimed of a bill, chosen for a customer, paid, waived or corrected."""

    what: str
    about: int


@dataclass(frozen=True)
class Person:
    """Someone decides about a reminder that waits."""

    about: int
    yes: bool


@dataclass(frozen=True)
class Opening:
    """The books tell of an invoice, or a credit note (negative), that never came through here."""

    debtor: int
    cents: int
    days_before: int


@dataclass(frozen=True)
class Booked:
    """What only the books know: `what`: they settle it, money comes in and pays it, or the invoice itself arrives.

    `percent`: of what is left that is paid; of the amount, what the invoice that arrives asks for.
    """

    what: str
    about: int
    percent: int


@dataclass(frozen=True)
class ChaseBooks:
    """From today on, what only the books know is chased like invoices."""


@dataclass(frozen=True)
class Terms:
    """A rate for late payment, points above the least allowed (None: agreed no more), and days to pay.

    Agreed with the customer of a bill; `ours`: the rate is that of our terms of sale.
    """

    about: int
    ours: bool
    points: int | None
    from_days_ago: int
    days_to_pay: int


@dataclass(frozen=True)
class Call:
    """Someone calls about a line of the worklist, and records what came of it."""

    about: int
    outcome: str
    percent: int
    due_in: int
    names: bool


@dataclass(frozen=True)
class Returned:
    """An e-mail that had left comes back: nobody has that address."""

    about: int


@dataclass(frozen=True)
class FileRefused:
    """A platform refuses the file of a bill that it had taken, or takes its refusal back."""

    about: int
    taken_back: bool


@dataclass(frozen=True)
class Days:
    """Days pass; then the reviews and the round run, and the mail server behaves in a way.

    `server`: see `SERVERS`. `meanwhile`: what happens when messages are worded and have not left.

    `killed_at`: the process dies before that statement that writes, and is started again. `twice`: two workers at once.
    """

    count: int
    server: str = "works"
    killed_at: int | None = None
    twice: bool = False
    meanwhile: "tuple[Act, ...]" = ()


Act = (
    Status | Invoice | CreditNote | Repeat | Receipt | Collected | Refund | Undo | Dispute | Promise | Plan | Spare
    | Insolvency | HandOver | WriteOff | Claim | Person | Opening | Booked | ChaseBooks | Terms | Call | Returned
    | FileRefused | Days
)  # fmt: skip

_about = st.integers(0, 9)
_percents = st.sampled_from([100, 100, 60, 35, 1, 120])
_debtors = st.sampled_from([0, 0, 0, 1, 2, 3])
_ago = st.sampled_from([0, 0, 0, 1, 4, 12])
_statuses = st.builds(
    Status,
    _about,
    st.sampled_from([*BILL_STATUSES, "212", "212", "212", "206", "207", "204", "205"]),
    _ago,
    _percents,
    st.sampled_from([False, False, False, True]),
)
#: Mostly when an e-mail of the scenarios is near; long late, letters and tasks take its place.
_due_in = st.sampled_from([-14, -13, -12, -3, -2, -1, 0, 2, 6, 8]) | st.integers(-45, 20)
_invoices = st.builds(
    Invoice,
    _debtors,
    st.integers(0, 2),
    st.sampled_from([0, 0, 1]),
    st.integers(0, 3),
    st.integers(300, 2_500_000),
    st.integers(5, 90),
    _due_in,
    st.just(()) | st.lists(_statuses, max_size=2).map(tuple),
    st.sampled_from([False, False, False, True]),
)
_UNDONE = ("receipt", "dispute", "promise", "plan", "exclusion", "insolvency", "case", "reopen", "write_off", "stop")
_receipts = st.builds(
    Receipt,
    st.lists(_about, max_size=3).map(tuple),
    _percents,
    st.sampled_from([0, 0, 1, 5_000]),
    _ago,
    st.booleans(),
)
_plans = st.builds(
    Plan,
    _about,
    st.booleans(),
    st.lists(st.integers(0, 40), min_size=1, max_size=3, unique=True).map(lambda days: tuple(sorted(days))),
    st.booleans(),
)
#: What the mail server does with a message. One that dies is the process that sends: it never writes what came of it.
SERVERS = (
    *["works"] * 6,
    "away",
    "refuses",
    "knows no such address",
    "silent, having taken it",
    "silent, not having it",
    "dies, having sent it",
    "dies, not having sent it",
)
_OUTCOMES = ("promise", "promise", "dispute", "no_answer", "message_left", "paid", "wrong_contact")
_openings = st.builds(Opening, _debtors, st.integers(300, 900_000) | st.integers(-90_000, -300), st.integers(100, 270))
#: So many days ago three times the legal rate was less than it is now.
LOWER_RATES = 1_300
_terms = st.builds(
    Terms,
    _about,
    st.booleans(),
    st.none() | st.integers(-1, 9),
    st.integers(0, 60) | st.just(LOWER_RATES),
    st.sampled_from([10, 30, 45]),
)
#: Each as often as it stands here.
_ACTS = (
    *[_invoices] * 2,
    *[_statuses] * 9,
    *[_receipts] * 6,
    *[st.builds(Collected, _about, _percents, _ago)] * 3,
    *[st.builds(Person, _about, st.booleans())] * 4,
    *[st.builds(Undo, st.sampled_from(_UNDONE), _about, st.integers(0, 9))] * 5,
    *[st.builds(CreditNote, _about, _percents)] * 2,
    *[st.builds(Promise, _about, st.booleans(), _percents, st.integers(0, 5))] * 3,
    *[st.builds(Dispute, _about, st.none() | _percents)] * 2,
    *[st.builds(Claim, st.sampled_from(["claim", "claim", "pay", "pay", "choose", "waive", "correct"]), _about)] * 2,
    _plans,
    st.builds(Repeat, _about),
    st.builds(Refund, _about, _percents),
    st.builds(Spare, _about, st.booleans(), st.none() | st.integers(0, 12)),
    st.builds(Insolvency, _about, st.integers(0, 20)),
    st.builds(HandOver, _about, st.booleans()),
    *[st.builds(WriteOff, _about, _percents)] * 2,
    *[_openings] * 2,
    *[st.builds(Booked, st.sampled_from(["settled", "paid", "paid", "arrived"]), _about, _percents)] * 3,
    _terms,
    *[st.builds(Call, _about, st.sampled_from(_OUTCOMES), _percents, st.integers(0, 5), st.booleans())] * 4,
    *[st.builds(Returned, _about)] * 2,
    *[st.builds(FileRefused, _about, st.sampled_from([False, False, True]))] * 2,
)
_acts = st.sampled_from(range(len(_ACTS))).flatmap(lambda place: _ACTS[place])
_wrong = st.builds(Call, _about, st.just("wrong_contact"), st.just(100), st.just(0), st.just(True))
#: What the last check before a message leaves is there for.
_last_minute = _wrong | st.builds(Returned, _about) | st.builds(Spare, _about, st.booleans(), st.none())
_days = st.builds(
    Days,
    st.integers(1, 6),
    st.sampled_from(SERVERS),
    st.none() | st.none() | st.integers(0, 12),
    st.sampled_from([False] * 5 + [True]),
    st.lists(_acts | _last_minute, max_size=2).map(tuple),
)


def histories(most_weeks: int) -> st.SearchStrategy[Sequence[Act]]:
    """Histories that begin with some invoices, here and in the books, chased or not, and go on for some weeks."""
    weeks = st.lists(st.tuples(st.lists(_acts, min_size=1, max_size=5), _days), min_size=2, max_size=most_weeks)
    chased = st.sampled_from([[], [ChaseBooks()]])
    begun = st.tuples(st.lists(_invoices, min_size=1, max_size=3), st.lists(_openings, max_size=2), chased)
    return st.tuples(begun, weeks).map(
        lambda told: [*chain(*told[0]), *(each for acts, days in told[1] for each in (*acts, days))]
    )
