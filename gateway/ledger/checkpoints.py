"""Checkpoints: a signed statement of how far a chain was proved, from which the next proof may start.

The signature is HMAC-SHA256 under a key of this installation (`ledger-checkpoint.key` in the data folder, mode 0600):
it keeps whoever can write the database or the checkpoint file, but not read the key, from moving the start of a proof.
For a third party the worth of a checkpoint lies elsewhere: who was given one keeps its root, and no later chain with
another past can have that root.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.kernel.clock import require_aware
from gateway.ledger.chain import GENESIS, canonical_json
from gateway.ledger.errors import ChainBrokenError, CheckpointInvalidError, CheckpointUnreadableError
from gateway.ledger.merkle import Frontier, leaf_hash
from gateway.ledger.service import START, ChainStart, Progress, verify

KEY_FILE = "ledger-checkpoint.key"
_KEY_BYTES = 32
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Checkpoint(BaseModel):
    """How far the chain of an organisation was proved, when, and the tree over its hashes.

    Attributes:
        position: number of entries proved; `hash` is that of the last one (64 zeros for none).
        root: root of the Merkle tree (RFC 6962) over the hashes of entries 1 to `position`.
        peaks: the complete subtrees of that tree, the largest first, from which it can grow.
        signature: HMAC-SHA256 in hexadecimal over the canonical JSON of all other fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gateway-ledger-checkpoint/1"] = "gateway-ledger-checkpoint/1"
    organisation: UUID
    position: Annotated[int, Field(ge=0)]
    hash: _Sha256
    root: _Sha256
    peaks: tuple[_Sha256, ...]
    at: datetime
    algorithm: Literal["HMAC-SHA256"] = "HMAC-SHA256"
    signature: str = ""

    @field_serializer("at")
    def _instant(self, at: datetime) -> str:
        return require_aware(at).isoformat(timespec="microseconds")

    @property
    def chain_start(self) -> ChainStart:
        """Where a proof that trusts this checkpoint starts."""
        return ChainStart(self.position, self.hash)

    @property
    def frontier(self) -> Frontier:
        """The tree as it stood, ready to grow."""
        return Frontier(self.position, [bytes.fromhex(peak) for peak in self.peaks])


def load_key(folder: Path) -> bytes:
    """The installation's key, made at first use, readable by its owner only."""
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(_KEY_BYTES))
            os.link(temporary, path)  # fails when another process was first: its key stands
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
    return bytes.fromhex(path.read_text())


def checkpoint_of(
    session: Session, key: bytes, *, now: datetime, since: Checkpoint | None = None, progress: Progress | None = None
) -> Checkpoint:
    """Prove the chain of the session's organisation, whole or since an authentic checkpoint, and state it, signed.

    Raises ChainBrokenError: what does not hold is never signed.
    """
    frontier = since.frontier if since else Frontier()
    last = since.hash if since else GENESIS

    def grow(entry_hash: str) -> None:
        nonlocal last
        last = entry_hash
        frontier.append(leaf_hash(entry_hash))

    proof = verify(session, progress, since=since.chain_start if since else START, each=grow)
    if not proof.holds:
        raise ChainBrokenError(proof.broken_at or 0, proof.reason or "")
    unsigned = Checkpoint(
        organisation=organisation_of(session),
        position=frontier.size,
        hash=last,
        root=frontier.root(),
        peaks=tuple(peak.hex() for peak in frontier.peaks),
        at=now,
    )
    return unsigned.model_copy(update={"signature": _signature(unsigned, key)})


def read_checkpoints(lines: Iterable[str], key: bytes, where: str) -> dict[UUID, Checkpoint]:
    """The checkpoints of a file, one JSON object a line, by organisation; the furthest one counts.

    Raises CheckpointUnreadableError, or CheckpointInvalidError when one was not signed with `key` as it stands.
    """
    found: dict[UUID, Checkpoint] = {}
    for line in filter(str.strip, lines):
        try:
            checkpoint = Checkpoint.model_validate_json(line)
            require_aware(checkpoint.at)
        except (ValidationError, ValueError) as error:
            raise CheckpointUnreadableError(where) from error
        if not hmac.compare_digest(checkpoint.signature.encode(), _signature(checkpoint, key).encode()):
            raise CheckpointInvalidError(where)
        known = found.get(checkpoint.organisation)
        if known is None or known.position < checkpoint.position:
            found[checkpoint.organisation] = checkpoint
    return found


def _signature(checkpoint: Checkpoint, key: bytes) -> str:
    stated = canonical_json(checkpoint.model_dump(mode="json", exclude={"signature"}))
    return hmac.new(key, stated.encode(), hashlib.sha256).hexdigest()
