"""The proof in an evidence file: entries with their ways to the root of a checkpoint, and that of an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from gateway.kernel.clock import require_aware
from gateway.ledger.chain import entry_hash
from gateway.ledger.checkpoints import Checkpoint
from gateway.ledger.errors import ChainBrokenError
from gateway.ledger.merkle import InclusionPaths, leaf_hash, peak_leaves
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import Progress

_PAGE = 10_000
_HASHES = text("SELECT hash FROM ledger_entry WHERE position <= :position ORDER BY position").execution_options(
    stream_results=True, max_row_buffer=_PAGE
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What entries.json and consistency.json hold (the latter only for an earlier checkpoint)."""

    entries: list[dict[str, Any]]
    consistency: dict[str, Any] | None


def prove(
    session: Session,
    entries: Sequence[LedgerEntry],
    checkpoint: Checkpoint,
    since: Checkpoint | None = None,
    progress: Progress | None = None,
) -> Proof:
    """The entries with the hashes that lead from each to the checkpoint's root, and so for the peaks of `since`.

    `progress` is called page by page with the hashes read and the number to read: all up to the checkpoint.
    Raises ChainBrokenError when the ledger no longer has an entry or a root as it was stated.
    """
    peaks = peak_leaves(since.position) if since else []
    wanted = {*(entry.position - 1 for entry in entries), *(first for first, _ in peaks)}
    stated = [since, checkpoint] if since else [checkpoint]
    positions = {each.position for each in stated}
    tree = InclusionPaths(wanted, checkpoint.position)
    roots = {0: tree.root()}
    with session.connection().execute(_HASHES, {"position": checkpoint.position}) as hashes:
        for page in hashes.partitions(_PAGE):
            for row in page:
                tree.append(leaf_hash(row[0]))
                if tree.size in positions:
                    roots[tree.size] = tree.root()
            if progress is not None:
                progress(tree.size, checkpoint.position)
    for each in stated:
        if roots.get(each.position) != each.root:
            raise ChainBrokenError(each.position, "the entries up to here do not have the root of the checkpoint")
    paths = tree.paths()
    consistency = None
    if since is not None:
        consistency = {
            "position": since.position,
            "root": since.root,
            "peaks": list(since.peaks),
            "paths": [paths[first][height:] for first, height in peaks],
        }
    return Proof([_proved(entry, checkpoint, paths[entry.position - 1]) for entry in entries], consistency)


def _proved(entry: LedgerEntry, checkpoint: Checkpoint, path: list[str]) -> dict[str, Any]:
    found = entry_hash(
        organisation_id=str(checkpoint.organisation),
        position=entry.position,
        at=entry.at,
        kind=entry.kind,
        subject=entry.subject,
        content=entry.content,
        documents=entry.documents,
        previous_hash=entry.previous_hash,
    )
    if found != entry.hash:
        raise ChainBrokenError(entry.position, "the entry’s content does not have the hash recorded for it")
    return {
        "position": entry.position,
        "at": require_aware(entry.at).isoformat(timespec="microseconds"),
        "kind": entry.kind,
        "subject": entry.subject,
        "content": entry.content,
        "documents": entry.documents,
        "previous": entry.previous_hash,
        "hash": entry.hash,
        "path": path,
    }
