"""An accounting entry, and what it means for customers. Pure.

An entry tells by its other accounts why a customer's account moves: sales make an invoice or a credit note, a bank or
a till makes a payment, accounts 654, 658 and 6714 a loss. An entry that mixes two of these is kept, not interpreted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from gateway.kernel.dated import data_file
from gateway.kernel.money import ZERO


class Nature(StrEnum):
    """Why a customer's account moves."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    #: Money that went back: a refund, a cheque that bounced.
    REFUND = "refund"
    LOSS = "loss"
    #: Open when the year began: told by the entries of the year before.
    CARRIED_FORWARD = "carried_forward"
    #: None of these, or several at once.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an entry.

    Attributes:
        line: in the file, the header being line 1.
        account: CompteNum. auxiliary, auxiliary_name: CompAuxNum and CompAuxLib, empty when not told.
        piece: PieceRef, of an invoice its number. label: EcritureLib.
        amount: debit less credit, in the currency of the books.
        lettering: EcritureLet, empty when the line is open. lettered_on: DateLet.
        currency: Idevise, empty when the line is in the currency of the books alone.
        due_date: of an invoice; a FEC tells none.
    """

    line: int
    account: str
    auxiliary: str
    auxiliary_name: str
    piece: str
    label: str
    amount: Decimal
    lettering: str = ""
    lettered_on: date | None = None
    currency: str = ""
    due_date: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that balances: lines of one journal, number and day, whose amounts add up to nothing."""

    journal: str
    number: str
    day: date
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """A line of a customer's account, with what its entry says of it.

    `key` is the same whenever a file tells the line again, whatever else the file holds; lettering is no part of it.
    """

    key: str
    journal: str
    number: str
    day: date
    nature: Nature
    told: EntryLine

    @property
    def account(self) -> str:
        """The customer's own account: the auxiliary one, else the number itself (411DUPONT)."""
        return self.told.auxiliary or self.told.account


def customer_lines(entry: Entry) -> Iterator[CustomerLine]:
    """The lines of an entry that move customers' accounts; lines alike are told apart by their rank."""
    seen: Counter[tuple[str, ...]] = Counter()
    for line in entry.lines:
        if not _is(line.account, "customers") or not line.amount:
            continue
        facts = (
            entry.journal,
            entry.number,
            entry.day.isoformat(),
            line.account,
            line.auxiliary,
            line.piece,
            str(line.amount.normalize()),
        )
        seen[facts] += 1
        key = sha256("\x1f".join((*facts, str(seen[facts]))).encode()).hexdigest()
        yield CustomerLine(key, entry.journal, entry.number, entry.day, nature_of(entry, line), line)


def nature_of(entry: Entry, line: EntryLine) -> Nature:
    """Why the entry moves the customer's account on that line."""
    if entry.journal.upper() in data_file("accounting.toml")["journals"]["carried_forward"]:
        return Nature.CARRIED_FORWARD
    others = [each.account for each in entry.lines if not _is(each.account, "customers")]
    if _only(others, "money"):
        return Nature.PAYMENT if line.amount < 0 else Nature.REFUND
    if _only(others, "losses"):
        return Nature.LOSS
    if _only(others, "sales"):
        return Nature.INVOICE if line.amount > 0 else Nature.CREDIT_NOTE
    return Nature.OTHER


def balance_of(lines: Sequence[EntryLine]) -> Decimal:
    """Debit less credit of all lines."""
    return sum((line.amount for line in lines), ZERO)


def _only(accounts: Sequence[str], kind: str) -> bool:
    """There is one of the kind at least, and nothing else but what usually stands beside it."""
    return any(_is(each, kind) for each in accounts) and all(
        _is(each, kind) or _is(each, f"beside_{kind}") for each in accounts
    )


def _is(account: str, kind: str) -> bool:
    return account.startswith(tuple(data_file("accounting.toml")["accounts"][kind]))
