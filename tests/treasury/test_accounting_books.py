"""Whole books as an accounting program exports them: read the same however written, taken the same in any order."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.fec import ENCODINGS, FAULTS, SEPARATORS, Amounts, Books, faulty_fec, fec, year_of_books
from gateway.access.scope import Scope
from gateway.customers.importing import RefusedCell
from gateway.kernel.clock import paris_date
from gateway.ledger.service import verify
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.entries import Entry
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.reading import read_entries
from gateway.treasury.receivable_rows import open_items
from tests.conftest import add_organisation
from tests.treasury.test_accounting_importing import known

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
SIRENS = count(300_000_000)
SEEDS = st.integers(0, 10_000)


def read(content):
    return list(read_entries(BytesIO(content)))


def facts(found):
    """What the entries say, without the place where they stand in the file."""
    return [
        (each.journal, each.number, each.day, line.account, line.auxiliary, line.auxiliary_name, line.piece,
         line.amount, line.lettering, line.lettered_on)
        for each in found
        for line in each.lines
    ]  # fmt: skip


def told(books):
    return [
        (line.journal, str(line.number), line.day, line.account, line.customer, line.customer_name, line.piece,
         line.amount, line.lettering, line.lettered_on)
        for entry in books.entries
        for line in entry
    ]  # fmt: skip


@given(SEEDS, st.sampled_from(SEPARATORS), st.sampled_from(ENCODINGS), st.sampled_from(Amounts))
def test_what_is_written_is_read_whatever_the_separator_the_encoding_and_the_form(seed, separator, encoding, amounts):
    books = year_of_books(seed)
    content = fec(books, separator=separator, encoding=encoding, amounts=amounts)
    assert facts(read(content)) == told(books)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_fault_refuses_its_entry_alone_and_names_the_column(fault):
    books = year_of_books(7)
    found = read(faulty_fec(books, fault))
    refused = [each for each in found if isinstance(each, RefusedCell)]
    assert {each.column for each in refused} == {FAULTS[fault].column}
    assert all(2 <= each.line <= 1 + len(books.entries[0]) for each in refused)
    assert facts([each for each in found if isinstance(each, Entry)]) == told(Books(books.entries[1:]))


def taken(database, books, parts):
    """What a new organisation knows after these parts of the books, each account being told before its settlement."""
    organisation = add_organisation(database, f"{next(SIRENS):09}", "Comptoir")
    customer = known(database, organisation, "G1")
    with database.transaction(organisation) as session:
        owner = next(iter(open_items(session, Scope.everything(), paris_date(NOW)))).customer_id
    for part in parts:
        content = BytesIO(fec(books.in_order(part)))
        import_entries(database, organisation, content, dry_run=False, by="operator", now=NOW)
        with database.transaction(organisation) as session:
            for account, _, known_owner in rows.accounts(session):
                if known_owner is None:
                    assign_account(session, account, str(owner), by="operator", now=NOW)
    with database.transaction(organisation) as session:
        items = list(open_items(session, Scope.everything(), paris_date(NOW)))
        outcomes = sorted((row.account, row.number, row.outcome) for row in rows.entries_page(session, limit=200).items)
        assert verify(session).holds
    owed = sorted((each.kind, each.number if each.entry_id else "", each.remaining) for each in items)
    assert ("invoice", "", customer.amount_due) in owed
    return sum((each.remaining for each in items), Decimal(0)) - customer.amount_due, owed, outcomes


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=SEEDS, data=st.data())
def test_books_taken_in_any_order_in_parts_or_twice_leave_what_they_leave_open(database, seed, data):
    books = year_of_books(seed, invoices=8)
    places = list(range(len(books.entries)))
    shuffled = data.draw(st.permutations(places))
    cut = data.draw(st.integers(0, len(places)))
    whole = taken(database, books, [places])
    assert whole[0] == sum(books.open_by_customer.values())
    assert taken(database, books, [shuffled[:cut], shuffled[cut:], places]) == whole
