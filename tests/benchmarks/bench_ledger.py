"""How fast a chain is proved, beside sha256 of the same canonical bytes alone: the least that any proof must do.

`bench_ledger.py [--sizes 1000000] [--parts PART ...] [--folder DIR [--fill-only]]` prints Markdown tables: the proof,
that of the events, the evidence of one invoice, documents proved, documents purged, their bytes deleted. The entries
are those of followed invoices, each with its event and a document of its own; they are copied in, since the rate of
writing is another benchmark's matter. Documents are kept in memory, so that the ledger's own part is seen, and for the
small size in a folder as well. A folder that is kept can be filled in one go and measured in others; the purge comes
last, since it leaves nothing to prove.
"""

import argparse
import gc
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from bench_lifecycle import message
from measuring import best_seconds, machine, table
from sqlalchemy import text
from sqlmodel import select

from gateway.access.model import Organisation
from gateway.app import tables
from gateway.database import Database, open_database
from gateway.kernel.settings import load_settings
from gateway.ledger.chain import GENESIS, canonical_json, entry_hash
from gateway.ledger.checkpoints import checkpoint_of
from gateway.ledger.documents import DocumentStore
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.evidence import Story, make_evidence
from gateway.ledger.purging import delete_purged_bytes, record_purge
from gateway.ledger.retention import plan_purge
from gateway.ledger.service import ChainStart, verify
from gateway.ledger.signing import KEY_FILE, load_key
from gateway.lifecycle.events import events_of
from gateway.lifecycle.events_proof import entry_content, verify_events
from gateway.lifecycle.model import Direction, LifecycleEvent
from gateway.lifecycle.records import MessageOrigin, event_row
from gateway.lifecycle.transitions import assess

SIZES = (10_000, 100_000)
PARTS = ("proofs", "documents", "purge", "deletion")
#: Of which at most so many are hashed alone, to know the limit.
HASHED = 100_000
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
PAST_RETENTION = datetime(2048, 1, 2, tzinfo=UTC)
assert tables.METADATA.tables
_EVENT = events_of(message("F-0", "205", START), START)[0]
MODEL = event_row(
    _EVENT,
    assess([], _EVENT),
    MessageOrigin(Direction.RECEIVABLE, "0" * 64, UUID(int=1), "platform:simulator"),
    organisation_id=UUID(int=1),
    now=START,
).model_dump()


def document(position: int) -> bytes:
    """The document of an entry."""
    return f"<facture>{position}</facture>".encode()


class MemoryStorage:
    """Documents at no cost."""

    place = "memory"

    def __init__(self, count: int) -> None:
        self.files = {
            hashlib.sha256(data).hexdigest(): data for data in (document(each) for each in range(1, count + 1))
        }

    def read(self, name: str) -> bytes | None:
        """The bytes."""
        return self.files.get(name)

    def keep(self, name: str, data: bytes) -> None:
        """Keep them."""
        self.files[name] = data

    def write(self, name: str, data: bytes) -> None:
        """The note of a purge: not read here, so not kept, lest it count as memory of the purge."""

    def has(self, name: str) -> bool:
        """Whether they are there."""
        return name in self.files

    def remove(self, name: str) -> None:
        """Forget them."""
        self.files.pop(name, None)


def folder_of(memory: MemoryStorage, root: Path) -> Path:
    """The same documents as files, written without waiting for the disk."""
    for name, data in memory.files.items():
        path = root / name[:2] / name[2:4] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def event_of(organisation: UUID, position: int) -> SimpleNamespace:
    """The status that an entry records, with the attributes of its row: an approval, as a platform passes it on."""
    number, print_ = f"F-{position // 5:07d}", hashlib.sha256(document(position)).hexdigest()
    own = {
        "id": UUID(int=position),
        "organisation_id": organisation,
        "sequence": position,
        "number": number,
        "message_id": f"M-{position}",
        "fingerprint": print_,
        "content": MODEL["content"] | {"fingerprint": print_, "key": MODEL["content"]["key"] | {"number": number}},
    }
    return SimpleNamespace(**(MODEL | own))


def entries(organisation: UUID, count: int) -> Iterator[dict[str, Any]]:
    """A chain of `count` entries."""
    previous = GENESIS
    for position in range(1, count + 1):
        sha256 = hashlib.sha256(document(position)).hexdigest()
        entry: dict[str, Any] = {
            "position": position,
            "at": START + timedelta(seconds=position),
            "kind": "lifecycle.event",
            "subject": f"invoice:F-{position // 5:07d}/732829320/2026",
            "content": entry_content(event_of(organisation, position)),
            "documents": [sha256],
            "previous_hash": previous,
        }
        previous = entry_hash(organisation_id=str(organisation), **entry)
        yield {**entry, "hash": previous}


def filled(database: Database, count: int) -> UUID:
    """An organisation of its own with a chain of `count` entries, copied in; the one made before in a kept folder."""
    with database.system_transaction() as session:
        known = session.exec(select(Organisation.id)).one_or_none()
        if known is not None:
            return known
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
        with cursor.copy("COPY document (organisation_id, sha256, media_type, size, stored_at) FROM STDIN") as copy:
            for position in range(1, count + 1):
                data = document(position)
                copy.write_row((organisation, hashlib.sha256(data).hexdigest(), "application/xml", len(data), START))
        names = list(LifecycleEvent.model_fields)
        with cursor.copy(f"COPY lifecycle_event ({', '.join(names)}) FROM STDIN") as copy:
            for position in range(1, count + 1):
                event = event_of(organisation, position)
                values = (getattr(event, name) for name in names)
                copy.write_row(canonical_json(each) if isinstance(each, dict) else each for each in values)
        session.connection().execute(
            text("INSERT INTO ledger_head (organisation_id, position, hash) VALUES (:o, :p, :h)"),
            {"o": organisation, "p": count, "h": head},
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
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


def events_proved(database: Database, organisation: UUID) -> None:
    """Compare every event with its entry."""
    with database.transaction(organisation) as session:
        proved = verify_events(session)
    assert proved.holds, proved


def measure(database: Database, folder: Path, organisation: UUID, count: int) -> list[object]:
    """One line of the table of proofs."""
    start_of_peak()
    key = load_key(folder / KEY_FILE)
    seconds = best_seconds(lambda: proof(database, organisation), repeats=2)
    with database.transaction(organisation) as session:
        checkpoint = checkpoint_of(session, key, now=START)
    start = perf_counter()
    proof(database, organisation, checkpoint.chain_start)
    incremental = perf_counter() - start
    start = perf_counter()
    events_proved(database, organisation)
    events = perf_counter() - start
    store, subject = DocumentStore(MemoryStorage(100)), "invoice:F-0000001/732829320/2026"
    start = perf_counter()
    with database.transaction(organisation) as session:
        make_evidence(
            session,
            store,
            story=Story(subject, "F-0000001", (), (), {}, "fr"),
            subjects=[subject],
            checkpoint=checkpoint,
            key=key,
            since=checkpoint,
        )
    evidence, most = perf_counter() - start, memory_of("VmHWM")
    data = canonical_bytes(organisation, min(count, HASHED))
    limit = best_seconds(lambda: [hashlib.sha256(each).hexdigest() for each in data], repeats=2) * count / len(data)
    return [
        f"{count:,}",
        f"{seconds:.2f}",
        f"{count / seconds:,.0f}",
        f"{seconds / limit:.1f}",
        f"{incremental * 1000:.0f}",
        f"{events:.2f}",
        f"{evidence:.2f}",
        f"{most:,}",
    ]


def documents_proved(database: Database, organisation: UUID, store: DocumentStore) -> float:
    """Seconds to read every document again."""
    start = perf_counter()
    with database.transaction(organisation) as session:
        assert verify_documents(session, store).holds
    return perf_counter() - start


def how_many(decisions: Iterable[object]) -> int:
    """Read them all and keep none."""
    return sum(1 for _ in decisions)


def memory_of(name: str) -> int:
    """VmRSS (memory of this process now) or VmHWM (its peak since `start_of_peak`), in MB; Linux tells them."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024


def start_of_peak() -> int:
    """Forget the peak so far; the memory now, in MB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return memory_of("VmRSS")


def measure_documents(database: Database, folder: Path, organisation: UUID, count: int) -> list[object]:
    """One line of the table of documents proved."""
    memory, on_disk = MemoryStorage(count), "–"
    if count == SIZES[0]:
        in_folder = DocumentStore(folder_of(memory, folder / "d"))
        on_disk = f"{count / documents_proved(database, organisation, in_folder):,.0f}"
    before = start_of_peak()
    seconds = documents_proved(database, organisation, DocumentStore(memory))
    return [f"{count:,}", f"{seconds:.2f}", f"{count / seconds:,.0f}", on_disk, f"{memory_of('VmHWM') - before:,}"]


def measure_purge(database: Database, _folder: Path, organisation: UUID, count: int) -> list[object]:
    """One line of the table of purges: decided, and written into the ledger."""
    before, seconds = start_of_peak(), []
    start = perf_counter()
    with database.transaction(organisation) as session:
        assert how_many(plan_purge(session, now=PAST_RETENTION).decisions) == count
    seconds.append(perf_counter() - start)
    start = perf_counter()
    with database.transaction(organisation) as session:
        plan = plan_purge(session, now=PAST_RETENTION)
        assert how_many(record_purge(database, organisation, plan, now=PAST_RETENTION)) == count
    seconds.append(perf_counter() - start)
    return [f"{count:,}", *(f"{each:.2f}" for each in seconds), f"{memory_of('VmHWM') - before:,}"]


def measure_deletion(database: Database, _folder: Path, _organisation: UUID, count: int) -> list[object]:
    """One line of the table of the bytes that a recorded purge deletes."""
    store = DocumentStore(MemoryStorage(count))
    before, seconds = start_of_peak(), []
    for left in (count, 0):
        start = perf_counter()
        assert delete_purged_bytes(database, store, now=PAST_RETENTION) == left
        seconds.append(perf_counter() - start)
    return [f"{count:,}", *(f"{each:.2f}" for each in seconds), f"{memory_of('VmHWM') - before:,}"]


TABLES = {
    "proofs": (
        measure,
        ["entries", "seconds", "entries a second", "times sha256 alone", "from a checkpoint, ms", "events compared, s",
         "evidence of one invoice, s", "memory of the process, MB"],
    ),
    "documents": (
        measure_documents, ["documents", "proved, s", "a second", "in a folder, a second", "memory added, MB"],
    ),
    "purge": (measure_purge, ["documents", "planned, s", "its entries written, s", "memory added, MB"]),
    "deletion": (
        measure_deletion, ["documents", "bytes deleted, s", "deleted again (nothing), s", "memory added, MB"],
    ),
}  # fmt: skip


def main() -> None:
    """Fill, prove, purge, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="entries of each ledger")
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS, help="what is measured")
    parser.add_argument("--folder", type=Path, help="keep the databases there, and go on with those that are there")
    parser.add_argument("--fill-only", action="store_true", help="measure nothing")
    options = parser.parse_args()
    lines: dict[str, list[list[object]]] = {part: [] for part in options.parts}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = options.folder or Path(name)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        for count in options.sizes:
            # Each size has a database of its own: a deletion looks at every organisation.
            database = open_database(load_settings(data_dir=folder / str(count)))
            organisation = filled(database, count)
            for part in () if options.fill_only else options.parts:
                lines[part].append(TABLES[part][0](database, folder, organisation, count))
                print(part, *lines[part][-1], flush=True)
            database.close()
    print(f"Measured on: {machine()}")
    for part, found in lines.items():
        if found:
            print("\n" + table(TABLES[part][1], found))


if __name__ == "__main__":
    main()
