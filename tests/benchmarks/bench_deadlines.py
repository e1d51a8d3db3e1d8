"""The review of deadlines when few invoices are due among many: it must cost what is due, not what is stored.

Run it with `python tests/benchmarks/bench_deadlines.py [INVOICES]`; 100,000 stored invoices unless told otherwise.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from uuid import UUID

from measuring import machine, table
from sqlalchemy import text

from gateway.access.model import Organisation
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.flows.deadlines import review_due_invoices
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
DUE = 1000
#: Invoices in batches; the first `due` of all are to be looked at now, the others in thirty days.
STORE = text(
    """
    INSERT INTO invoice (organisation_id, id, direction, number, seller_siren, year, issue_date, due_date, type_code,
        currency, seller_name, buyer_name, total_without_vat, total_with_vat, amount_due, totals_by_rate,
        syntax, profile, document_sha256, received_at, status, status_at, collected, remaining, is_closed, state,
        next_check_at)
    SELECT :organisation, gen_random_uuid(), 'receivable', 'F' || n, '552100554', 2026, '2026-10-01', '2026-10-31',
        '380', 'EUR', 'Vendeur', 'Acheteur', 100, 120, 120, '{}', 'UBL', 'EN 16931', '', :now, '200', :now, 0,
        120, false, '{"status": "200", "currency": "EUR", "remaining": "120", "history": [{"fingerprint": "f",
        "code": "200", "at": "2026-10-05T08:00:00Z", "line": "invoice", "kind": "expected",
        "reason": {"fr": "", "en": ""}}]}', :later
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
    """
)
MAKE_DUE = text(
    "UPDATE invoice SET next_check_at = :now WHERE id IN (SELECT id FROM invoice ORDER BY number LIMIT :due)"
)


def measure(services: Services, organisation_id: UUID, stored: int, clock: ManualClock) -> list[object]:
    """Review the due ones without alerts, then once more when there is nothing to do."""
    with services.database.system_transaction() as session:
        session.connection().execute(MAKE_DUE, {"now": clock(), "due": DUE})
    with services.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE invoice"))
    start, seen = perf_counter(), 0
    while reviewed := review_due_invoices(services.flows, organisation_id):
        seen += reviewed
    busy = perf_counter() - start
    assert seen == DUE
    idle = min(_timed(services, organisation_id) for _ in range(20))
    return [f"{stored:,}", f"{DUE / busy:,.0f}", f"{idle * 1e3:.1f}"]


def _timed(services: Services, organisation_id: UUID) -> float:
    start = perf_counter()
    review_due_invoices(services.flows, organisation_id)
    return perf_counter() - start


def main() -> None:
    """Print the table for a tenth of the invoices and for all of them."""
    configure_logs(load_settings(log_level="error"))
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        clock = ManualClock(NOW)
        services = build_services(load_settings(data_dir=Path(folder)), clock=clock)
        with services.database.system_transaction() as session:
            organisation = Organisation(siren="552100554", name="Vendeur", created_at=NOW)
            session.add(organisation)
            session.flush()
            organisation_id = organisation.id
        rows, first = [], 1
        for stored in (most // 10, most):
            with services.database.system_transaction() as session:
                batch = {"first": first, "last": stored, "now": NOW, "later": NOW + timedelta(days=30)}
                session.connection().execute(STORE, {"organisation": organisation_id, **batch})
            first = stored + 1
            rows.append(measure(services, organisation_id, stored, clock))
        services.close()
    print(f"{machine()}; {DUE:,} invoices due\n")
    print(table(["invoices stored", "looked at a second", "ms when nothing is due"], rows))


if __name__ == "__main__":
    main()
