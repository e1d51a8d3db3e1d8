"""What is owed, added up, and the pages that people who collect open every day.

Run it with `PYTHONPATH=. python tests/benchmarks/bench_receivables.py [INVOICES]`; 100,000 open invoices of 5,000
customers unless told otherwise, and a tenth of that first to see how it grows. As many invoices are paid. Of the open
ones one in ten is contested; each account has two lines in the worklist and two alerts.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import bench_worklist
from bench_reminders import EACH, FILL, NOW, filled, installed
from measuring import best_seconds, machine, table
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.access.service import create_user
from gateway.app.logs import configure_logs
from gateway.app.service import create_app
from gateway.app.services import Services
from gateway.collection.receivables import Books
from gateway.customers.model import Customer
from gateway.kernel.settings import load_settings
from gateway.treasury.receivables import Dimension
from gateway.treasury.service import figures

TODAY = NOW.date()
EVERYTHING = Scope.everything()
MORE = (
    """
    WITH paid AS (
        INSERT INTO invoice (organisation_id, id, direction, number, seller_siren, year, issue_date, due_date,
            type_code, currency, seller_name, buyer_name, buyer_siren, total_without_vat, total_with_vat, amount_due,
            totals_by_rate, syntax, profile, document_sha256, received_at, status, status_at, collected, remaining,
            is_closed, state)
        SELECT :house, gen_random_uuid(), 'receivable', 'P' || n || '-' || i, '552100554', 2026,
            DATE '2026-11-17' - (i * 12 + n % 7) - 25, DATE '2026-11-17' - (i * 12 + n % 7) + 5, '380', 'EUR',
            'Vendeur', 'Client ' || n, (100000000 + n)::text, 1000, 1200 + n % 997, 1200 + n % 997,
            '{"20": "1200"}', 'UBL', 'EN 16931', '', :now, '212', :now, 1200 + n % 997, 0, false, CAST(:taken AS jsonb)
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n, generate_series(1, CAST(:each AS int)) AS i
        RETURNING id, buyer_siren
    )
    INSERT INTO customer_invoice (organisation_id, invoice_id, customer_id)
    SELECT :house, paid.id, customer.id FROM paid JOIN customer ON customer.siren = paid.buyer_siren
    """,
    """
    INSERT INTO alert (organisation_id, id, dedup_key, condition, severity, title_fr, title_en, reason_fr, reason_en,
        team, next_step_fr, next_step_en, due_on, state, opened_at, invoice_id, customer_siren)
    SELECT :house, gen_random_uuid(), number, 'invoice.disputed', 'warning', 'Litige ' || number,
        'Dispute ' || number, repeat('Le client conteste. ', 5), repeat('The customer contests it. ', 5), 'ar',
        'Appeler', 'Call', DATE '2026-11-20', CASE WHEN number LIKE '%-2' THEN 'closed' ELSE 'open' END, :now, id,
        buyer_siren
    FROM invoice
    WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last
        AND (number LIKE 'F%-1' OR number LIKE 'F%-2' OR number LIKE 'F%-3')
    """,
)
PAGES = {
    "overview": "/",
    "everything that is open": "/invoices?figure=aged:EUR:total",
    "what is 1 to 30 days late": "/invoices?figure=aged:EUR:1-30",
    "what is disputed": "/invoices?figure=aged:EUR:disputed",
    "invoices": "/invoices",
    "invoices of a name": "/invoices?q=client+12",
    "receivables by customer": "/receivables",
    "by agency": "/receivables?by=agency",
    "by entity": "/receivables?by=entity",
    "by group": "/receivables?by=group",
    "the items behind a figure of the entity": "/receivables/items?by=entity&of=552100554&figure=overdue",
    "customers": "/customers",
    "one customer": "/customers/{customer}",
    "worklist": "/worklist",
    "alerts": "/alerts",
    "reminders": "/reminders",
    "what the next round would do": "/reminders/preview",
}


def fill(services: Services, house: UUID, first: int, last: int) -> None:
    """Accounts from `first` to `last` with all that the pages show of them."""
    for statements in (FILL, bench_worklist.FILL, MORE):
        filled(services, house, first, last, statements)


def sums(services: Services, house: UUID) -> list[str]:
    """Seconds for the overview's figures, for the sums along each dimension, item by item, and for fifty customers."""

    def timed(work: Callable[[Session], object]) -> str:
        def once() -> None:
            with services.database.transaction(house) as session:
                work(session)

        return f"{best_seconds(once, repeats=2):.2f}"

    with services.database.transaction(house) as session:
        page = list(session.exec(select(Customer.id).order_by(col(Customer.name)).limit(50)))
    return [
        timed(lambda session: figures(session, EVERYTHING, TODAY)),
        *(timed(lambda session, by=by: Books.summed(session, EVERYTHING, TODAY, by).cells(by)) for by in Dimension),
        timed(lambda session: Books.read(session, EVERYTHING, TODAY).cells(Dimension.CUSTOMER)),
        timed(lambda session: Books.read(session, EVERYTHING, TODAY, page).cells(Dimension.CUSTOMER)),
    ]


def pages(services: Services, house: UUID, user: UUID) -> list[str]:
    """Seconds for each page, from the request to the last byte."""
    browser = TestClient(create_app(services, demo_user_id=user), base_url="https://testserver")
    with services.database.transaction(house) as session:
        customer = session.exec(select(Customer.id).order_by(col(Customer.name)).limit(1)).one()

    def seconds(path: str) -> str:
        def once() -> None:
            answer = browser.get(path.format(customer=customer))
            assert answer.status_code == 200, (path, answer.status_code)

        return f"{best_seconds(once, repeats=2):.2f}"

    return [seconds(path) for path in PAGES.values()]


def main() -> None:
    """Print both tables for a tenth of the invoices and for all."""
    configure_logs(load_settings(log_level="error"))
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        services, house = installed(Path(folder))
        with services.database.transaction(house) as session:
            words = "une phrase de passe assez longue"
            user = create_user(
                session, email="tresorerie@vendeur.example", name="Trésorerie", password=words,
                role=Role.ADMINISTRATOR, now=NOW,
            ).id  # fmt: skip
        sizes, added, shown, first = (most // 10, most), [], [], 1
        for open_invoices in sizes:
            accounts = open_invoices // EACH
            fill(services, house, first, accounts)
            first = accounts + 1
            added.append([f"{open_invoices:,}", *sums(services, house)])
            shown.append(pages(services, house, user))
        services.close()
    print(f"{machine()}; seconds\n")
    dimensions = [f"by {by.value}" for by in Dimension]
    print(
        table(["open invoices", "overview", *dimensions, "item by item", "a page of 50 customers"], added), end="\n\n"
    )
    print(table(["page", *(f"{size:,} open" for size in sizes)], list(zip(PAGES, *shown, strict=True))))


if __name__ == "__main__":
    main()
