"""How long it takes to decide about every account, and how that grows: 1,250 to 10,000 accounts, twenty times as many
open invoices. The limit set is 60 s for 5,000 accounts.

Run it with `PYTHONPATH=. python tests/benchmarks/bench_reminders.py [ACCOUNTS]`. One process; the database takes
another core. Accounts owe twenty invoices each, of all ages; some are approved, in dispute, paid in part or promised,
and half of the accounts were reminded of something before.
"""

import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time
from uuid import UUID

from measuring import machine, table
from sqlalchemy import text

from gateway.access.model import Organisation
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.collection.account_rows import accounts
from gateway.collection.reminders import decide
from gateway.collection.reminding import preview
from gateway.collection.scenario_books import book_in_force
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.lifecycle.projection import InvoiceAmounts, project
from tests.lifecycle.making_events import event

NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
EACH = 20
_HEARD = [("200", 0), ("202", 1), ("203", 2), ("204", 3)]
_AMOUNTS = InvoiceAmounts(Decimal("1200.00"), "EUR", {Decimal("20"): Decimal("1200.00")})


def _state(*more: tuple[str, float]) -> str:
    heard = [event(code, hours) for code, hours in (*_HEARD, *more)]
    return project(heard, _AMOUNTS).model_dump_json()


STATES = {"taken": _state(), "approved": _state(("205", 30)), "disputed": _state(("207", 30))}
#: One statement for each table; `:first` and `:last` number the accounts.
FILL = (
    """
    INSERT INTO customer (organisation_id, id, key, name, siren, segment, language, credit_currency, is_key_account,
        is_public, is_consumer, origin, created_at, updated_at)
    SELECT :house, gen_random_uuid(), 'siren:' || (100000000 + n), 'Client ' || n, (100000000 + n)::text, NULL, 'fr',
        'EUR', false, n % 20 = 0, false, 'invoice', :now, :now
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
    """,
    """
    INSERT INTO customer_contact (organisation_id, id, customer_id, role, name, email, phone, language, postal,
        created_at)
    SELECT :house, gen_random_uuid(), id, 'accounting', name, 'compta@' || siren || '.example', NULL, 'fr',
        '["1 rue de la Paix", "75002 Paris"]', :now
    FROM customer WHERE siren::int BETWEEN 100000000 + :first AND 100000000 + :last
    """,
    """
    INSERT INTO invoice (organisation_id, id, direction, number, seller_siren, year, issue_date, due_date, type_code,
        currency, seller_name, buyer_name, buyer_siren, total_without_vat, total_with_vat, amount_due, totals_by_rate,
        syntax, profile, document_sha256, received_at, status, status_at, collected, remaining, is_closed, state)
    SELECT :house, gen_random_uuid(), 'receivable', 'F' || n || '-' || i, '552100554', 2026,
        DATE '2026-11-17' - (i * 6 + n % 7) - 25, DATE '2026-11-17' - (i * 6 + n % 7) + 5, '380', 'EUR', 'Vendeur',
        'Client ' || n, (100000000 + n)::text, 1000, 1200 + n % 997, 1200 + n % 997, '{"20": "1200"}', 'UBL',
        'EN 16931', '', :now, '204', :now, 0, 1200 + n % 997, false,
        CAST(CASE (n + i) % 10 WHEN 0 THEN :disputed WHEN 1 THEN :approved ELSE :taken END AS jsonb)
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n, generate_series(1, CAST(:each AS int)) AS i
    """,
    """
    INSERT INTO customer_invoice (organisation_id, invoice_id, customer_id)
    SELECT :house, invoice.id, customer.id FROM invoice JOIN customer ON customer.siren = invoice.buyer_siren
    WHERE invoice.buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last
    """,
    """
    INSERT INTO receipt (organisation_id, id, amount, currency, received_on, payer_reference, source,
        external_reference, comment, recorded_at, recorded_by)
    SELECT :house, gen_random_uuid(), 500, 'EUR', '2026-11-02', '', 'api', 'VIR-' || number, '', :now, 'bench'
    FROM invoice WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last AND number LIKE '%-7'
    """,
    """
    INSERT INTO receipt_allocation (organisation_id, id, receipt_id, invoice_id, amount, allocated_at)
    SELECT :house, gen_random_uuid(), receipt.id, invoice.id, 500, :now
    FROM receipt JOIN invoice ON receipt.external_reference = 'VIR-' || invoice.number
    WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last
    """,
    """
    INSERT INTO reminder (organisation_id, id, customer_id, currency, scenario, step, title_fr, title_en, anchor_id,
        channel, template, tone, is_thanks, language, credits, unallocated, total, note, state, decided_at, decided_on,
        decided_by, sent_at, documents)
    SELECT :house, gen_random_uuid(), link.customer_id, 'EUR', 'standard', 'relance_1', '', '', invoice.id, 'email',
        'relance_1', 1, false, 'fr', '[]', 0, 1200, '', 'sent', :now - INTERVAL '9 days', '2026-11-08', 'clock',
        :now - INTERVAL '9 days', '[]'
    FROM invoice JOIN customer_invoice AS link ON link.invoice_id = invoice.id
    WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last AND number LIKE '%-5'
        AND buyer_siren::int % 2 = 0
    """,
    """
    INSERT INTO reminder_invoice (organisation_id, id, reminder_id, invoice_id, step, position, number, seller_siren,
        issue_date, due_date, total, remaining, claimed, is_instalment)
    SELECT :house, gen_random_uuid(), reminder.id, invoice.id, 'relance_1', 0, number, seller_siren, issue_date,
        due_date, 1200, 1200, 1200, false
    FROM reminder JOIN customer ON customer.id = reminder.customer_id
        JOIN invoice ON invoice.buyer_siren = customer.siren
    WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last AND due_date < '2026-11-01'
    """,
)


def installed(folder: Path) -> tuple[Services, UUID]:
    """A fresh installation with one organisation."""
    folder.chmod(0o755)
    services = build_services(load_settings(data_dir=folder), clock=ManualClock(NOW))
    with services.database.system_transaction() as session:
        organisation = Organisation(siren="552100554", name="Vendeur", created_at=NOW)
        session.add(organisation)
        session.flush()
        return services, organisation.id


def filled(services: Services, house: UUID, first: int, last: int, statements: Sequence[str] = FILL) -> None:
    """Accounts from `first` to `last`, with all they owe, or what other `statements` add to them."""
    values = {"house": house, "first": first, "last": last, "each": EACH, "now": NOW, **STATES}
    with services.database.system_transaction() as session:
        for statement in statements:
            names = text(statement).compile().params
            session.connection().execute(text(statement), {name: values[name] for name in names})
    with services.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def measure(services: Services, house: UUID, stored: int) -> list[object]:
    """Load and decide about every account twice, the better time; the pure decisions alone; one account at a time."""
    times, busy = [], []
    for _ in range(2):
        start, used = perf_counter(), process_time()
        with services.database.transaction(house) as session:
            decided = Counter(each.key or "nothing" for each in preview(session, NOW))
        times.append(perf_counter() - start)
        busy.append(process_time() - used)
    with services.database.transaction(house) as session:
        book, loaded = book_in_force(session, NOW.date()), list(accounts(session, NOW))
    start = process_time()
    for account in loaded:
        decide(account, book.scenario_for(account), NOW)
    pure = process_time() - start
    assert decided.total() == stored
    start = perf_counter()
    for account in loaded[:: len(loaded) // 20]:
        with services.database.transaction(house) as session:
            list(preview(session, NOW, [account.customer.id]))
    one = (perf_counter() - start) / len(loaded[:: len(loaded) // 20])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(dict(decided))
    seconds = (f"{each:.2f}" for each in (min(times), min(busy), pure))
    return [f"{stored:,}", f"{stored * EACH:,}", *seconds, f"{one * 1e3:.0f}", f"{peak:,.0f}"]


def main() -> None:
    """Print the table for an eighth of the accounts, a quarter, half of them and all."""
    configure_logs(load_settings(log_level="error"))
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        services, house = installed(Path(folder))
        rows, first = [], 1
        for stored in (most // 8, most // 4, most // 2, most):
            filled(services, house, first, stored)
            rows.append(measure(services, house, stored))
            first = stored + 1
        services.close()
    print(f"On {machine()}:\n")
    seconds = ["loaded and decided, s", "its processor time, s", "decided alone, s"]
    header = ["accounts", "open invoices", *seconds, "one account, ms", "peak, MB"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
