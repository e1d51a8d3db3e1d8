"""A new signing key for the installation: what the old one signed stays valid.

The change is an entry in the ledger of every organisation, signed by both keys: who trusts the old key follows it to
the new one, and the new one vouches for what the old one signed before. Whoever can write the database, but has neither
key, cannot make such an entry.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer
from sqlmodel import Session, col, select

from gateway.database.engine import Database
from gateway.kernel.clock import require_aware
from gateway.ledger.chain import canonical_json
from gateway.ledger.errors import LedgerKeyError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import append
from gateway.ledger.signing import SigningKey, is_signed, load_key

KEY_CHANGED = "ledger.key_changed"
_SUBJECT = "ledger-key"
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KeyChange(BaseModel):
    """A key and the one that replaced it; both signatures are over the canonical JSON of the first four fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gateway-ledger-key-change/1"] = "gateway-ledger-key-change/1"
    old: PublicKey
    new: PublicKey
    at: datetime
    signed_by_old: str = ""
    signed_by_new: str = ""

    @field_serializer("at")
    def _instant(self, at: datetime) -> str:
        return require_aware(at).isoformat(timespec="microseconds")

    @property
    def is_authentic(self) -> bool:
        """Whether both keys signed it."""
        stated = _stated(self)
        return is_signed(stated, self.signed_by_old, self.old) and is_signed(stated, self.signed_by_new, self.new)


def change_of(old: SigningKey, new: SigningKey, at: datetime) -> KeyChange:
    """The change from one key to another, signed by both."""
    change = KeyChange(old=old.public, new=new.public, at=at)
    stated = _stated(change)
    return change.model_copy(update={"signed_by_old": old.sign(stated), "signed_by_new": new.sign(stated)})


def change_key(database: Database, organisations: Iterable[UUID], file: Path, *, now: datetime) -> SigningKey:
    """Replace the key of a file, and say so in the ledger of every organisation; the new key.

    Done again after a crash, it goes on with the same new key. Raises LedgerKeyError.
    """
    old, upcoming = load_key(file), file.with_name(file.name + ".next")
    new = load_key(upcoming)
    change = change_of(old, new, now)
    for organisation in organisations:
        with database.transaction(organisation) as session:
            if not any((each.old, each.new) == (old.public, new.public) for each in key_changes(session)):
                append(session, at=now, kind=KEY_CHANGED, subject=_SUBJECT, content=change.model_dump(mode="json"))
    try:
        os.replace(upcoming, file)
    except OSError as error:
        raise LedgerKeyError(file, str(error.strerror)) from error
    return new


def key_changes(session: Session) -> list[KeyChange]:
    """The authentic changes that the ledger of the session's organisation records, oldest first."""
    contents = session.exec(
        select(LedgerEntry.content)
        .where(LedgerEntry.subject == _SUBJECT, LedgerEntry.kind == KEY_CHANGED)
        .order_by(col(LedgerEntry.position))
    )
    return [change for content in contents if (change := _read(content)) is not None and change.is_authentic]


def trusted_keys(session: Session, current: SigningKey) -> set[str]:
    """The current key and those it replaced, one after the other; never one that only an older key vouches for."""
    before: dict[str, set[str]] = {}
    for change in key_changes(session):
        before.setdefault(change.new, set()).add(change.old)
    trusted, waiting = {current.public}, [current.public]
    while waiting:
        fresh = before.get(waiting.pop(), set()) - trusted
        trusted |= fresh
        waiting += fresh
    return trusted


def _read(content: Mapping[str, Any]) -> KeyChange | None:
    try:
        return KeyChange.model_validate(content)
    except ValidationError:  # not ours: whoever wrote it has no say
        return None


def _stated(change: KeyChange) -> bytes:
    return canonical_json(change.model_dump(mode="json", exclude={"signed_by_old", "signed_by_new"})).encode()
