"""What is owed, added up: by dimension over everything, item by item, and for one page of customers.

Run it with `python tests/benchmarks/bench_receivables.py [INVOICES]`; 100,000 open invoices of 5,000 customers unless
told otherwise, an eighth, a quarter and half of that first to see how it grows.
"""

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from measuring import best_seconds, machine, table
from sqlalchemy import text
from sqlmodel import Session, col, select

from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.collection.receivables import Books
from gateway.customers.model import Customer
from gateway.kernel.settings import load_settings
from gateway.treasury.receivables import Dimension

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
EVERYTHING = Scope.everything()
CUSTOMERS = text(
    """
    INSERT INTO customer (organisation_id, id, key, name, siren, language, credit_currency, is_key_account, is_public,
        is_consumer, origin, created_at, updated_at)
    SELECT :organisation, gen_random_uuid(), 'name:' || n, 'Client ' || n, NULL, 'fr', 'EUR', false, false, false,
        'import', :now, :now
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
    """
)
#: One in six is paid, one in ten is contested.
INVOICES = text(
    """
    INSERT INTO invoice (organisation_id, id, direction, number, seller_siren, year, issue_date, due_date, type_code,
        currency, seller_name, buyer_name, total_without_vat, total_with_vat, amount_due, totals_by_rate, syntax,
        profile, document_sha256, received_at, status, status_at, collected, remaining, is_closed, state)
    SELECT :organisation, gen_random_uuid(), 'receivable', 'F' || n, '552100554', 2026, '2026-10-01',
        date '2026-10-31' + n % 60, '380', 'EUR', 'Vendeur', 'Client ' || 1 + n % :customers, 100, 120 + n % 997,
        120 + n % 997, '{}', 'UBL', 'EN 16931', '', :now, '200', :now,
        CASE WHEN n % 6 = 0 THEN 120 + n % 997 ELSE 0 END,
        CASE WHEN n % 6 = 0 THEN 0 ELSE 120 + n % 997 END, false,
        CASE WHEN n % 10 = 0 THEN '{"issues": [{"code": "207", "disputed": null}]}' ELSE '{"issues": []}' END::jsonb
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
    """
)
LINKS = text(
    """
    INSERT INTO customer_invoice (organisation_id, invoice_id, customer_id)
    SELECT invoice.organisation_id, invoice.id, customer.id FROM invoice JOIN customer ON customer.name = buyer_name
    WHERE NOT EXISTS (SELECT FROM customer_invoice WHERE invoice_id = invoice.id)
    """
)


def fill(services: Services, organisation: UUID, first: int, last: int) -> None:
    """Customers and invoices up to `last`; five invoices in six are open."""
    customers = max(last // 20, 1)
    with services.database.system_transaction() as session:
        run = session.connection().execute
        run(CUSTOMERS, {"organisation": organisation, "now": NOW, "first": first // 20 + 1, "last": customers})
        place = {"first": (first - 1) * 6 // 5 + 1, "last": last * 6 // 5, "customers": customers}
        run(INVOICES, {"organisation": organisation, "now": NOW, **place})
        run(LINKS)
    with services.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def measure(services: Services, organisation: UUID) -> list[object]:
    """Seconds for the sums along each dimension, for every item one by one, and for fifty customers."""

    def timed(work: Callable[[Session], object]) -> str:
        def once() -> None:
            with services.database.transaction(organisation) as session:
                work(session)

        return f"{best_seconds(once, repeats=3):.2f}"

    with services.database.transaction(organisation) as session:
        page = list(session.exec(select(Customer.id).order_by(col(Customer.name)).limit(50)))
        items = len(Books.read(session, EVERYTHING, TODAY).items)
    sums = [timed(lambda session, by=by: Books.summed(session, EVERYTHING, TODAY, by).cells(by)) for by in Dimension]
    return [
        f"{items:,}",
        *sums,
        timed(lambda session: Books.read(session, EVERYTHING, TODAY).cells(Dimension.CUSTOMER)),
        timed(lambda session: Books.read(session, EVERYTHING, TODAY, page).cells(Dimension.CUSTOMER)),
    ]


def main() -> None:
    """Print the table for an eighth of the invoices, a quarter, half of them and all."""
    configure_logs(load_settings(log_level="error"))
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        services = build_services(load_settings(data_dir=Path(folder)))
        with services.database.system_transaction() as session:
            organisation = Organisation(siren="552100554", name="Vendeur", created_at=NOW)
            session.add(organisation)
            session.flush()
            organisation_id = organisation.id
        rows, first = [], 1
        for stored in (most // 8, most // 4, most // 2, most):
            fill(services, organisation_id, first, stored)
            first = stored + 1
            rows.append(measure(services, organisation_id))
        services.close()
    print(f"{machine()}; seconds\n")
    print(
        table(["open items", *(f"by {by.value}" for by in Dimension), "item by item", "a page of 50 customers"], rows)
    )


if __name__ == "__main__":
    main()
