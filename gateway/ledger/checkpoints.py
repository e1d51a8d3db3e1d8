"""Checkpoints: a signed statement of how far a chain was proved, from which the next proof may start.

The signature is Ed25519 under the key of this installation: it keeps whoever can write the database or the checkpoint
file, but not read the key, from moving the start of a proof; and whoever has the public key knows who stated it. Who
was given a checkpoint keeps its root: no later chain with another past can have that root.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.kernel.clock import require_aware
from gateway.ledger.chain import GENESIS, canonical_json
from gateway.ledger.errors import ChainBrokenError, CheckpointInvalidError, CheckpointUnreadableError
from gateway.ledger.key_changes import PublicKey, trusted_keys
from gateway.ledger.merkle import Frontier, leaf_hash
from gateway.ledger.service import START, ChainStart, Progress, verify
from gateway.ledger.signing import SigningKey, is_signed

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Checkpoint(BaseModel):
    """How far the chain of an organisation was proved, when, and the tree over its hashes.

    Attributes:
        position: number of entries proved; `hash` is that of the last one (64 zeros for none).
        root: root of the Merkle tree (RFC 6962) over the hashes of entries 1 to `position`.
        peaks: the complete subtrees of that tree, the largest first, from which it can grow.
        key: public key that signed it; `signature`: over the canonical JSON of all other fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gateway-ledger-checkpoint/1"] = "gateway-ledger-checkpoint/1"
    organisation: UUID
    position: Annotated[int, Field(ge=0)]
    hash: _Sha256
    root: _Sha256
    peaks: tuple[_Sha256, ...]
    at: datetime
    algorithm: Literal["Ed25519"] = "Ed25519"
    key: PublicKey
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


def checkpoint_of(
    session: Session,
    key: SigningKey,
    *,
    now: datetime,
    since: Checkpoint | None = None,
    progress: Progress | None = None,
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
        key=key.public,
    )
    return unsigned.model_copy(update={"signature": key.sign(_stated(unsigned))})


def read_checkpoints(lines: Iterable[str], where: str) -> dict[UUID, Checkpoint]:
    """The checkpoints of a file, one JSON object a line, by organisation; the furthest one counts.

    Raises CheckpointUnreadableError, or CheckpointInvalidError when one is not as the key that it names signed it.
    Whose key that is, `require_own` knows.
    """
    found: dict[UUID, Checkpoint] = {}
    for line in filter(str.strip, lines):
        try:
            checkpoint = Checkpoint.model_validate_json(line)
            require_aware(checkpoint.at)
        except (ValidationError, ValueError) as error:
            raise CheckpointUnreadableError(where) from error
        if not is_signed(_stated(checkpoint), checkpoint.signature, checkpoint.key):
            raise CheckpointInvalidError(where)
        known = found.get(checkpoint.organisation)
        if known is None or known.position < checkpoint.position:
            found[checkpoint.organisation] = checkpoint
    return found


def require_own(session: Session, checkpoint: Checkpoint, key: SigningKey, where: str) -> None:
    """Refuse a checkpoint that neither this installation's key nor one it replaced has signed.

    Raises CheckpointInvalidError.
    """
    if checkpoint.key not in trusted_keys(session, key):
        raise CheckpointInvalidError(where)


def _stated(checkpoint: Checkpoint) -> bytes:
    return canonical_json(checkpoint.model_dump(mode="json", exclude={"signature"})).encode()
