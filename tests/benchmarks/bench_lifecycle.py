"""Events applied, timelines read and projections rebuilt while the store grows, each beside a limit in the same run.

`bench_lifecycle.py [--sizes 10000000] [--folder DIR [--fill-only]]` prints Markdown tables, up to a million events
stored unless told otherwise. They are made by the database from one invoice that was really followed, eight events
each; ten million take some 14 GB of disk and twenty minutes, so that a folder can be filled in one go and measured in
another. Limits: one row committed alone, and one invoice selected by its identifier.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from uuid import UUID

from measuring import machine, table
from sqlalchemy import Connection, event, text
from sqlmodel import Session, func, select

from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.app import tables
from gateway.database import Database, open_database
from gateway.invoices.model import Invoice, Totals, VatBreakdown
from gateway.invoices.parties import Buyer, Seller
from gateway.invoices.terms import Identifier
from gateway.kernel.settings import load_settings
from gateway.lifecycle.cdar.building import InvoiceReference, build_status, collected, company, platform
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.repository import events_after
from gateway.lifecycle.service import record_message, register_invoice
from gateway.lifecycle.timeline import timeline_of

assert tables.METADATA.tables
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SELLER_SIREN, BUYER_SIREN = "552100554", "732829320"
STORY = ("200", "201", "202", "203", "204", "205", "211", "212")
SIZES = (10_000, 100_000, 1_000_000)
#: Events of the small organisation that is rebuilt beside the large one.
BESIDE = 2_000
APPLIED, READ = 300, 200
BYTES_AN_EVENT = 2_500
#: From this many rows on, indexes are dropped before the filling and made again after it.
BULK = 500_000
#: Invoices made by one statement.
TOGETHER = 50_000

#: The invoice F0 and its events; what is made from them is spread as real life spreads it: all of one status, then the
#: next, so that the events of one invoice lie far apart.
MODELS = """
    CREATE TEMPORARY TABLE model_invoice AS SELECT * FROM invoice WHERE organisation_id = '{0}' AND number = 'F0';
    CREATE TEMPORARY TABLE model_event AS SELECT * FROM lifecycle_event
        WHERE organisation_id = '{0}' AND number = 'F0' ORDER BY status_at
    """
FILL_INVOICES = text(
    """
    INSERT INTO invoice SELECT made.*
    FROM model_invoice AS model, generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
        LATERAL jsonb_populate_record(NULL::invoice, to_jsonb(model) || jsonb_build_object(
            'id', gen_random_uuid(), 'number', 'F' || n, 'next_check_at', NULL)) AS made
    """
)
FILL_EVENTS = text(
    """
    INSERT INTO lifecycle_event (organisation_id, id, fingerprint, direction, number, seller_siren, year, line, status,
        status_at, message_at, recorded_at, issuer_role, issuer_name, issuer_id, message_id, content, assessment,
        document_sha256, flow_id, source)
    SELECT organisation_id, gen_random_uuid(), print, direction, 'F' || n, seller_siren, year, line, status, status_at,
        message_at, recorded_at, issuer_role, issuer_name, issuer_id, message_id, content || jsonb_build_object(
            'fingerprint', print, 'key', content->'key' || jsonb_build_object('number', 'F' || n)),
        assessment, document_sha256, flow_id, source
    FROM model_event AS model, generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
        LATERAL (SELECT encode(sha256(CAST(model.id || '/' || n AS bytea)), 'hex') AS print) AS made
    """
)


def message(number: str, code: str, at: datetime) -> CdarMessage:
    """A status given to an invoice of these benchmarks."""
    amounts = (collected(Decimal("1.20"), Decimal(20)),) if code == "212" else ()
    seller = company(SELLER_SIREN, "SE", "Vendeur", SELLER_SIREN)
    buyer = company(BUYER_SIREN, "BY", "Acheteur", BUYER_SIREN)
    by_platform, by_seller = code < "204", code == "212"
    return build_status(
        InvoiceReference(number, date(2026, 10, 1), SELLER_SIREN),
        code,
        issuer=platform() if by_platform else seller if by_seller else buyer,
        recipients=(buyer if by_seller else seller,),
        at=at,
        amounts=amounts,
        sent_at=at,
    )


def record(session: Session, number: str, code: str, at: datetime) -> None:
    """Apply one status."""
    record_message(
        session,
        message=message(number, code, at),
        direction=Direction.RECEIVABLE,
        document_sha256="0" * 64,
        flow_id=None,
        now=at,
        source="platform:bench",
    )


def organisation_of(database: Database, siren: str) -> UUID:
    """An organisation with one followed invoice, F0, the model of the others; the one made before in a kept folder."""
    with database.system_transaction() as session:
        known = session.exec(select(Organisation.id).where(Organisation.siren == siren)).one_or_none()
        if known is not None:
            return known
        row = Organisation(siren=siren, name=siren, created_at=START)
        session.add(row)
        session.flush()
        organisation = row.id
    invoice = Invoice(
        number="F0",
        issue_date=date(2026, 10, 1),
        due_date=date(2026, 10, 31),
        type_code="380",
        currency="EUR",
        seller=Seller(name="Vendeur", legal_id=Identifier(value=SELLER_SIREN, scheme="0002")),
        buyer=Buyer(name="Acheteur", legal_id=Identifier(value=BUYER_SIREN, scheme="0002")),
        totals=Totals(without_vat=Decimal(100), vat=Decimal(20), with_vat=Decimal(120), due=Decimal(120)),
        vat_breakdown=(
            VatBreakdown(taxable_amount=Decimal(100), tax_amount=Decimal(20), category="S", rate=Decimal(20)),
        ),
    )
    with database.transaction(organisation) as session:
        register_invoice(
            session,
            invoice=invoice,
            document=InvoiceDocument("UBL", "EN 16931", sha256(b"").hexdigest()),
            flow_id=None,
            agency_id=None,
            direction=Direction.RECEIVABLE,
            now=START,
        )
        for hours, code in enumerate(STORY):
            record(session, "F0", code, START + timedelta(hours=hours))
    return organisation


def filled_up_to(database: Database, organisation: UUID) -> int:
    """The last invoice made."""
    with database.transaction(organisation) as session:
        return session.exec(select(func.count()).select_from(InvoiceRecord)).one() - 1


def fill(database: Database, organisation: UUID, last: int) -> None:
    """Followed invoices up to F<last>, as the database would hold them."""
    first = filled_up_to(database, organisation) + 1
    if first > last:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET session_replication_role = replica"))  # no foreign key is asked
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        connection.execute(text("SET synchronous_commit = off"))
        connection.execute(text(MODELS.format(organisation)))
        with _bulk(connection, last - first >= BULK // len(STORY)):
            for start in range(first, last + 1, TOGETHER):
                rows = {"first": start, "last": min(start + TOGETHER - 1, last)}
                connection.execute(FILL_EVENTS, rows)
                connection.execute(FILL_INVOICES, rows)
        connection.execute(text("VACUUM ANALYZE invoice"))
        connection.execute(text("VACUUM ANALYZE lifecycle_event"))
        connection.execute(text("CHECKPOINT"))
        connection.invalidate()


@contextmanager
def _bulk(connection: Connection, worth_it: bool) -> Iterator[None]:
    """Without the indexes of the two tables, made again as they were."""
    if not worth_it:
        yield
        return
    constraints = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid IN ('invoice'::regclass, 'lifecycle_event'::regclass) AND contype = 'u'"
        )
    ).all()
    for owner, name, _ in constraints:
        connection.execute(text(f'ALTER TABLE {owner} DROP CONSTRAINT "{name}"'))
    indexes = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('invoice', 'lifecycle_event') "
            "AND indexname NOT LIKE '%\\_pkey'"
        )
    ).all()
    for name, _ in indexes:
        connection.execute(text(f'DROP INDEX "{name}"'))
    yield
    for _, definition in indexes:
        connection.execute(text(definition))
    for owner, name, definition in constraints:
        connection.execute(text(f'ALTER TABLE {owner} ADD CONSTRAINT "{name}" {definition}'))


def apply(url: str, organisation: UUID, invoices: int, seed: int, wait: Callable[[], object] | None = None) -> float:
    """Seconds that `APPLIED` statuses take, each of an invoice at random in a transaction of its own."""
    database, chance = Database(url), Random(seed)
    with database.transaction(organisation) as session:
        record(session, "F1", "204", START + timedelta(days=2, seconds=seed))  # F0 stays the model of the others
    if wait is not None:
        wait()
    start = perf_counter()
    for place in range(APPLIED):
        with database.transaction(organisation) as session:
            at = START + timedelta(days=3 + seed, seconds=place)
            record(session, f"F{chance.randint(1, invoices)}", chance.choice(("204", "205", "212")), at)
    seconds = perf_counter() - start
    database.close()
    return seconds


def together(url: str, work: list[tuple[UUID, int]], seed: int) -> float:
    """Events a second of processes that apply at the same time, each to its organisation."""
    spawned = get_context("spawn")
    barrier, times = spawned.Barrier(len(work)), spawned.Queue()
    workers = [
        spawned.Process(target=_worker, args=(url, organisation, invoices, seed + place, barrier, times))
        for place, (organisation, invoices) in enumerate(work)
    ]
    for worker in workers:
        worker.start()
    slowest = max(times.get(timeout=600) for _ in workers)
    for worker in workers:
        worker.join()
    return len(work) * APPLIED / slowest


def _worker(url: str, organisation: UUID, invoices: int, seed: int, barrier, times) -> None:  # type: ignore[no-untyped-def]
    times.put(apply(url, organisation, invoices, seed, barrier.wait))


def statements(database: Database, work: Callable[[], object]) -> int:
    """How many SQL statements some work takes."""
    seen = []

    def count(_connection, _cursor, statement, *_rest):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", count)
    work()
    event.remove(database.engine, "before_cursor_execute", count)
    return len(seen)


def bare_commits(database: Database) -> float:
    """Seconds of one row committed alone: no durable event can be faster."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_commit (at timestamptz)"))
    start = perf_counter()
    for _ in range(APPLIED):
        with database.engine.begin() as connection:
            connection.execute(text("INSERT INTO bench_commit VALUES (now())"))
    return (perf_counter() - start) / APPLIED


def typical(work: Callable[[UUID], object], invoices: list[UUID]) -> float:
    """Median seconds of some work on each of these invoices."""
    times = []
    for invoice in invoices:
        start = perf_counter()
        work(invoice)
        times.append(perf_counter() - start)
    return median(times)


def some_invoices(database: Database, organisation: UUID, most: int, seed: int) -> list[UUID]:
    """Invoices at random."""
    numbers = [f"F{n}" for n in Random(seed).sample(range(1, most + 1), min(READ, most))]
    with database.transaction(organisation) as session:
        return list(session.exec(select(InvoiceRecord.id).where(InvoiceRecord.number.in_(numbers))))  # type: ignore[attr-defined]


def measure(database: Database, large: UUID, small: UUID, stored: int) -> tuple[list[object], list[object]]:
    """One line of each table."""
    invoices, beside = stored // len(STORY), BESIDE // len(STORY)
    commit = bare_commits(database)
    burnt = process_time()
    one = apply(database.url, large, invoices, stored % 9973) / APPLIED
    burnt = (process_time() - burnt) / APPLIED
    same = together(database.url, [(large, invoices)] * 2, stored % 9967)
    apart = together(database.url, [(large, invoices), (small, beside)], stored % 9949)
    writing = [
        f"{stored:,}", f"{1 / one:,.0f}", f"{one / commit:.1f}", f"{burnt * 1e3:.1f}", f"{same:,.0f}", f"{apart:,.0f}",
    ]  # fmt: skip

    def by_identifier(invoice: UUID) -> None:
        with database.transaction(large) as session:
            session.get(InvoiceRecord, invoice)

    def timeline(invoice: UUID) -> None:
        with database.transaction(large) as session:
            timeline_of(session, Scope.everything(), session.get_one(InvoiceRecord, invoice), START)

    def page_of_feed(_invoice: UUID) -> None:
        with database.transaction(large) as session:
            events_after(session, stored // 2, 100)

    typical(by_identifier, some_invoices(database, large, invoices, 1)[:20])
    selected = typical(by_identifier, some_invoices(database, large, invoices, 2))
    read = typical(timeline, some_invoices(database, large, invoices, 3))
    fed = typical(page_of_feed, some_invoices(database, large, invoices, 2)[:20])
    start = perf_counter()
    rebuilt = rebuild(database, small, now=START).invoices
    again = (perf_counter() - start) / rebuilt
    reading = [
        f"{stored:,}", f"{selected * 1e3:.1f}", f"{read * 1e3:.1f}", f"{read / selected:.1f}", f"{fed * 1e3:.1f}",
        f"{1 / again:,.0f}", f"{again / selected:.1f}",
    ]  # fmt: skip
    return writing, reading


@contextmanager
def kept_or_temporary(kept: Path | None, most: int) -> Iterator[Path]:
    """Where the database lives, with room enough."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as name:
        folder = kept or Path(name)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        if kept is None and shutil.disk_usage(folder).free < most * BYTES_AN_EVENT:
            raise SystemExit(f"{most:,} events need {most * BYTES_AN_EVENT / 1e9:.0f} GB of free disk in {folder}")
        yield folder


def main() -> None:
    """Fill, measure, fill further, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="events stored, in growing order")
    parser.add_argument("--folder", type=Path, help="keep the database there, and go on with the one that is there")
    parser.add_argument("--fill-only", action="store_true", help="measure nothing")
    options = parser.parse_args()
    with kept_or_temporary(options.folder, options.sizes[-1]) as folder:
        database = open_database(load_settings(data_dir=folder))
        large, small = (organisation_of(database, siren) for siren in (SELLER_SIREN, BUYER_SIREN))
        fill(database, small, BESIDE // len(STORY))
        lines = []
        for stored in options.sizes:
            start = perf_counter()
            fill(database, large, stored // len(STORY))
            print(f"{stored:,} events stored after {perf_counter() - start:.0f} s more", flush=True)
            if not options.fill_only:
                lines.append(measure(database, large, small, stored))
                print(*lines[-1], flush=True)
        if options.fill_only:
            database.close()
            return
        with database.transaction(large) as session:
            asked = statements(database, lambda: record(session, "F1", "204", START + timedelta(days=900)))
        database.close()
    print(f"\nMeasured on: {machine()}; {asked} SQL statements an event\n")
    writing, reading = zip(*lines, strict=True)
    columns = ["times a bare commit", "processor ms", "2 processes, one organisation", "2 processes, two organisations"]
    print(table(["events stored", "applied a second", *columns], writing) + "\n")
    columns = ["timeline, ms", "times the select", "100 events of the feed, ms"]
    more = ["invoices rebuilt a second", "times the select"]
    print(table(["events stored", "select by identifier, ms", *columns, *more], reading))


if __name__ == "__main__":
    main()
