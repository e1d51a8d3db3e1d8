"""How long the worklist takes: every line read, ranked, and one page shown, as the page and the API do.

Run it with `PYTHONPATH=. python tests/benchmarks/bench_worklist.py [LINES]`; 10,000 lines unless told otherwise, an
eighth, a quarter and half of that first to see how it grows. Nine lines in ten are actions, the others reminders to be
confirmed; half of the actions were called about once. Each account, with its twenty invoices, has two lines.
"""

import sys
import tempfile
from pathlib import Path
from uuid import UUID

from bench_reminders import EACH, NOW, filled, installed
from measuring import best_seconds, machine, table

from gateway.access.scope import Scope
from gateway.app.logs import configure_logs
from gateway.app.services import Services
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import worklist_policy
from gateway.kernel.settings import load_settings

_PER_ACCOUNT = 2
TODAY = NOW.date()
FILL = (
    """
    INSERT INTO collection_action (organisation_id, id, alert_id, invoice_id, customer_siren, kind, title_fr, title_en,
        explanation_fr, explanation_en, team, priority, amount, currency, due_on, state, created_at)
    SELECT :house, gen_random_uuid(), gen_random_uuid(), id, buyer_siren, 'call', 'Appeler : facture ' || number,
        'Call: invoice ' || number, repeat('Le client tarde. ', 8), repeat('The customer is late. ', 8), 'ar', 50,
        amount_due, 'EUR', DATE '2026-11-17' + buyer_siren::int % 9 - 4, 'todo', :now - INTERVAL '3 days'
    FROM invoice WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last
        AND (number LIKE '%-1' OR number LIKE '%-2' AND buyer_siren::int % 5 <> 0)
    """,
    """
    INSERT INTO reminder (organisation_id, id, customer_id, currency, scenario, step, title_fr, title_en, anchor_id,
        channel, template, tone, is_thanks, language, credits, unallocated, total, note, state, decided_at, decided_on,
        decided_by, documents)
    SELECT :house, gen_random_uuid(), link.customer_id, 'EUR', 'standard', 'relance_2', 'Deuxième relance',
        'Second reminder', invoice.id, 'letter', 'relance_2', 2, false, 'fr', '[]', 0, 1200, '', 'awaiting', :now,
        '2026-11-17', 'clock', '[]'
    FROM invoice JOIN customer_invoice AS link ON link.invoice_id = invoice.id
    WHERE buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last AND number LIKE '%-3'
        AND buyer_siren::int % 5 = 0
    """,
    """
    INSERT INTO reminder_invoice (organisation_id, id, reminder_id, invoice_id, step, position, number, seller_siren,
        issue_date, due_date, total, remaining, claimed, is_instalment)
    SELECT :house, gen_random_uuid(), reminder.id, invoice.id, 'relance_2', 0, number, seller_siren, issue_date,
        due_date, 1200, 1200, 1200, false
    FROM reminder JOIN invoice ON invoice.id = anchor_id
    WHERE reminder.state = 'awaiting' AND buyer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last
    """,
    """
    INSERT INTO collection_call (organisation_id, id, customer_id, source, matter_id, outcome, contact, note, back_on,
        at, made_by)
    SELECT :house, gen_random_uuid(), link.customer_id, 'action', action.id, 'no_answer', '', '', '2026-11-17',
        :now - INTERVAL '1 day', 'operator'
    FROM collection_action AS action JOIN customer_invoice AS link ON link.invoice_id = action.invoice_id
    WHERE customer_siren::int BETWEEN 100000000 + :first AND 100000000 + :last AND title_fr LIKE '%-1'
    """,
)


def measure(services: Services, house: UUID) -> list[object]:
    """Seconds to read every line, and to read, rank and show one page."""
    viewer, policy = Viewer(Scope.everything(), "operator"), worklist_policy(TODAY)

    def read() -> None:
        with services.database.transaction(house) as session:
            matters(session, viewer)

    def shown() -> int:
        with services.database.transaction(house) as session:
            return worklist_of(matters(session, viewer), WorklistFilter(), TODAY, policy).total

    return [f"{shown():,}", f"{best_seconds(read, repeats=3):.2f}", f"{best_seconds(shown, repeats=3):.2f}"]


def main() -> None:
    """Print the table."""
    configure_logs(load_settings(log_level="error"))
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        services, house = installed(Path(folder))
        rows, first = [], 1
        for accounts in (most // _PER_ACCOUNT // part for part in (8, 4, 2, 1)):
            filled(services, house, first, accounts)
            filled(services, house, first, accounts, FILL)
            rows.append([f"{accounts * EACH:,}", *measure(services, house)])
            first = accounts + 1
        services.close()
    print(f"On {machine()}:\n")
    print(table(["open invoices", "lines", "read, s", "read, ranked and shown, s"], rows))


if __name__ == "__main__":
    main()
