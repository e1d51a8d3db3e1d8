"""The data that a status requires of its message, and whether a message carries them. Pure; data: the catalogue."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from gateway.kernel.dated import Table
from gateway.lifecycle.cdar.model import Attachment, Characteristic


class Datum(StrEnum):
    """Something a message may have to carry (`datum` of the catalogue)."""

    REASON = "reason"
    COMMENT = "comment"
    ATTACHMENT = "attachment"
    #: Amounts collected (MEN), each with its VAT rate.
    RECEIPT = "receipt"
    #: An amount paid (MPA) with its day.
    PAYMENT = "payment"
    #: The account to pay (CBB).
    ACCOUNT = "account"


#: The data of which a message must carry one.
Requirement = tuple[Datum, ...]


def requirements_of(table: Table, key: str) -> tuple[Requirement, ...]:
    """What an entry of the catalogue requires under a key: a datum, or a list of which one is enough."""
    written = table.get(key, ())
    return tuple(tuple(map(Datum, each if isinstance(each, list) else [each])) for each in written)


def carried(
    reasons: Sequence[object], amounts: Sequence[Characteristic], comment: str, attachments: Sequence[Attachment]
) -> frozenset[Datum]:
    """The data that a message made of these would carry."""
    received = [data for data in amounts if data.type_code == "MEN"]
    found = {
        Datum.REASON: bool(reasons),
        Datum.COMMENT: bool(comment),
        Datum.ATTACHMENT: bool(attachments),
        Datum.RECEIPT: bool(received) and all(d.amount is not None and d.percent is not None for d in received),
        Datum.PAYMENT: any(d.type_code == "MPA" and d.amount is not None and d.on is not None for d in amounts),
        Datum.ACCOUNT: any(d.type_code == "CBB" and d.value for d in amounts),
    }
    return frozenset(datum for datum, is_there in found.items() if is_there)


def first_missing(required: Iterable[Requirement], there: frozenset[Datum]) -> Requirement | None:
    """The first requirement that the data there do not meet."""
    return next((each for each in required if not there & set(each)), None)
