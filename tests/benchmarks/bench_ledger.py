"""How fast a chain is proved, beside sha256 of the same canonical bytes alone: the least that any proof must do.

`python tests/benchmarks/bench_ledger.py [--million]` prints a Markdown table. The entries are like those of a
followed invoice; they are written in bulk, since the rate of writing is another benchmark's matter.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

from measuring import best_seconds, machine, table
from sqlalchemy import text

from gateway.access.model import Organisation
from gateway.app import tables
from gateway.database import Database, open_database
from gateway.kernel.settings import load_settings
from gateway.ledger.chain import GENESIS, canonical_json, entry_hash
from gateway.ledger.checkpoints import checkpoint_of, load_key
from gateway.ledger.service import ChainStart, verify

SIZES = (10_000, 100_000)
MILLION = 1_000_000
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
assert tables.METADATA.tables


def entries(organisation: UUID, count: int) -> Iterator[dict[str, Any]]:
    """A chain of `count` entries."""
    previous = GENESIS
    for position in range(1, count + 1):
        document = hashlib.sha256(str(position).encode()).hexdigest()
        entry: dict[str, Any] = {
            "position": position,
            "at": START + timedelta(seconds=position),
            "kind": "lifecycle.event",
            "subject": f"invoice:F-{position // 5:07d}/732829320/2026",
            "content": {
                "event_id": f"00000000-0000-4000-8000-{position:012d}",
                "fingerprint": document,
                "direction": "receivable",
                "status": "205",
                "status_at": "2026-10-05T08:00:00+00:00",
                "message_id": f"M-{position}",
                "source": "platform:simulator",
            },
            "documents": [document],
            "previous_hash": previous,
        }
        previous = entry_hash(organisation_id=str(organisation), **entry)
        yield {**entry, "hash": previous}


def fill(database: Database, count: int) -> UUID:
    """An organisation of its own with a chain of `count` entries, copied in."""
    with database.system_transaction() as session:
        row = Organisation(siren=f"{count:09d}", name=f"{count}", created_at=START)
        session.add(row)
        session.flush()
        organisation, head = row.id, GENESIS
        cursor = session.connection().connection.cursor()
        columns = "organisation_id, position, at, kind, subject, content, documents, previous_hash, hash"
        with cursor.copy(f"COPY ledger_entry ({columns}) FROM STDIN") as copy:
            for entry in entries(organisation, count):
                head = entry["hash"]
                values = {**entry, **{key: canonical_json(entry[key]) for key in ("content", "documents")}}
                copy.write_row((organisation, *(values[name] for name in columns.split(", ")[1:])))
        session.connection().execute(
            text("INSERT INTO ledger_head (organisation_id, position, hash) VALUES (:o, :p, :h)"),
            {"o": organisation, "p": count, "h": head},
        )
    return organisation


def canonical_bytes(organisation: UUID, count: int) -> list[bytes]:
    """What is hashed for each entry."""
    return [
        canonical_json({"organisation": str(organisation), **entry, "at": entry["at"].isoformat()}).encode()
        for entry in entries(organisation, count)
    ]


def proof(database: Database, organisation: UUID, since: ChainStart | None = None) -> None:
    """Prove the chain; an unproved one is no measurement."""
    with database.transaction(organisation) as session:
        proved = verify(session, since=since) if since else verify(session)
    assert proved.holds, proved


def measure(database: Database, folder: Path, count: int) -> list[object]:
    """One line of the table."""
    organisation = fill(database, count)
    seconds = best_seconds(lambda: proof(database, organisation), repeats=2)
    with database.transaction(organisation) as session:
        checkpoint = checkpoint_of(session, load_key(folder), now=START)
    start = perf_counter()
    proof(database, organisation, checkpoint.chain_start)
    incremental = perf_counter() - start
    data = canonical_bytes(organisation, min(count, SIZES[-1]))
    limit = best_seconds(lambda: [hashlib.sha256(each).hexdigest() for each in data], repeats=2) * count / len(data)
    return [
        f"{count:,}",
        f"{seconds:.2f}",
        f"{count / seconds:,.0f}",
        f"{count / limit:,.0f}",
        f"{seconds / limit:.1f}",
        f"{incremental * 1000:.0f}",
    ]


def main() -> None:
    """Fill, prove, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--million", action="store_true", help="also a chain of 10^6 entries")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        database = open_database(load_settings(data_dir=folder))
        rows = [measure(database, folder, count) for count in (*SIZES, *([MILLION] if options.million else []))]
        database.close()
    print(f"Measured on: {machine()}\n")
    print(
        table(
            ["entries", "seconds", "entries a second", "sha256 alone, a second", "ratio", "from a checkpoint, ms"], rows
        )
    )


if __name__ == "__main__":
    main()
