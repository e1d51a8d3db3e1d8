"""What the database adds up is what the definitions add up of each invoice, and every figure opens its own invoices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import false, select, text
from sqlmodel import select as sqlmodel_select

from gateway.access.scope import Scope
from gateway.customers.model import Customer
from gateway.database import Database
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.treasury.aged_balance import OpenItem, age
from gateway.treasury.definitions import definitions
from gateway.treasury.dso import Sale, count_back
from gateway.treasury.invoice_rows import Place, alike_behind
from gateway.treasury.left_rows import contested, left_of_each
from gateway.treasury.model import (
    Receipt,
    ReceiptAllocation,
    ReceiptSource,
    WriteOff,
    WriteOffKind,
)
from gateway.treasury.receivable_rows import open_items, open_sums
from gateway.treasury.receivables import (
    Dimension,
    Family,
    Item,
    contributions,
    disputed_by_statuses,
    place_of,
    sum_up,
)
from gateway.treasury.service import behind, figures
from gateway.treasury.write_off_rows import left_of
from tests.conftest import START, add_organisation, fresh_database

TODAY = date(2026, 11, 20)
COUNTED = definitions(TODAY)
ALL = Scope.everything()
LYON, PARIS = UUID(int=1), UUID(int=2)
ORGANISATIONS = count(1)

CENTS = st.decimals(Decimal("-999.99"), Decimal("999.99"), places=2)
PARTS = st.just(Decimal(0)) | st.decimals(Decimal("0.01"), Decimal("999.99"), places=2)
ISSUES = st.sampled_from([(), ("207", None), ("207", "5.00"), ("206", "10.00"), ("208", None)])


@dataclass(frozen=True, slots=True)
class Told:
    """An invoice with what money and statuses left of it."""

    currency: str
    direction: Direction
    agency_id: UUID
    issued: date
    due: date | None
    total: Decimal
    remaining: Decimal
    is_closed: bool
    type_code: str
    received: Decimal
    written_off: Decimal
    issue: tuple[str, str | None] | tuple[()]

    @property
    def issues(self) -> list[dict[str, str | None]]:
        return [{"code": self.issue[0], "disputed": self.issue[1]}] if self.issue else []

    @property
    def left(self) -> Decimal:
        return self.remaining - self.received - self.written_off

    @property
    def stands(self) -> bool:
        return self.direction is Direction.RECEIVABLE and not self.is_closed and self.issued <= TODAY

    @property
    def item(self) -> OpenItem:
        due = self.due or self.issued + timedelta(days=COUNTED.default_term_days)
        return OpenItem(self.currency, due, self.left, disputed_by_statuses(self.issues, self.left))


@st.composite
def told(draw: st.DrawFn) -> Told:
    """Any invoice; few days and amounts, so that some are alike, and some of opposite signs add up to nothing."""
    days = st.integers(-5, 120)
    remaining = draw(st.sampled_from([Decimal("100.00"), Decimal("-100.00"), Decimal(0)]) | CENTS)
    return Told(
        currency=draw(st.sampled_from(["EUR", "EUR", "USD"])),
        direction=draw(st.sampled_from([Direction.RECEIVABLE] * 4 + [Direction.PAYABLE])),
        agency_id=draw(st.sampled_from([LYON, PARIS])),
        issued=TODAY - timedelta(days=draw(days)),
        due=draw(st.none() | st.sampled_from([TODAY, TODAY - timedelta(days=31)]) | st.dates(date(2026, 7, 1), TODAY)),
        total=draw(st.sampled_from([Decimal("100.00"), Decimal("-100.00")]) | CENTS),
        remaining=remaining,
        is_closed=draw(st.sampled_from([False] * 4 + [True])),
        type_code=draw(st.sampled_from(["380", "381", "386"])),
        received=draw(PARTS),
        written_off=draw(PARTS) if remaining else Decimal(0),
        issue=draw(ISSUES),
    )


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """One database for all examples; each has an organisation of its own, which sees no other."""
    with fresh_database(server_url) as database:
        yield database


def stored(database: Database, invoices: list[Told]) -> tuple[UUID, dict[UUID, Told]]:
    """A new organisation with these invoices, by identifier, and with the money that they received."""
    organisation = add_organisation(database, f"{next(ORGANISATIONS):09}", "Maison")
    found: dict[UUID, Told] = {}
    with database.transaction(organisation) as session:
        for number, each in enumerate(invoices):
            row = InvoiceRecord(
                organisation_id=organisation,
                direction=each.direction.value,
                number=f"F{number}",
                seller_siren="552100554",
                year=each.issued.year,
                issue_date=each.issued,
                due_date=each.due,
                type_code=each.type_code,
                currency=each.currency,
                seller_name="Vendeur",
                buyer_name="Client",
                total_without_vat=each.total,
                total_with_vat=each.total,
                amount_due=each.total,
                collected=each.total - each.remaining,
                agency_id=each.agency_id,
                syntax="UBL",
                profile="EN 16931",
                document_sha256="",
                received_at=START,
                remaining=each.remaining,
                is_closed=each.is_closed,
                state={"issues": each.issues},
            )
            session.add(row)
            session.flush()
            found[row.id] = each
            if each.received:
                receive(session, row, each.received)
            if each.written_off:
                session.add(
                    WriteOff(
                        organisation_id=organisation,
                        invoice_id=row.id,
                        amount=each.written_off,
                        kind=WriteOffKind.LOSS.value,
                        reason="Perdu.",
                        written_off_on=TODAY,
                        recorded_at=START,
                        recorded_by="a test",
                    )
                )
    return organisation, found


def receive(session, invoice: InvoiceRecord, amount: Decimal) -> None:
    """Money that no status tells of."""
    receipt = Receipt(
        organisation_id=invoice.organisation_id,
        amount=amount,
        currency=invoice.currency,
        received_on=TODAY,
        payer_reference="",
        source=ReceiptSource.API.value,
        external_reference=invoice.number,
        comment="",
        recorded_at=START,
        recorded_by="a test",
    )
    session.add(receipt)
    session.flush()
    session.add(
        ReceiptAllocation(
            organisation_id=invoice.organisation_id,
            receipt_id=receipt.id,
            invoice_id=invoice.id,
            amount=amount,
            allocated_at=START,
        )
    )


def ids(session, query) -> set[UUID]:
    found = list(session.execute(query).scalars())
    assert len(found) == len(set(found))
    return set(found)


@settings(max_examples=25)
@given(st.lists(told(), max_size=12))
def test_what_the_database_adds_up_is_the_fold_of_each_invoice(shared, invoices):
    organisation, known = stored(shared, invoices)
    items = [each.item for each in known.values() if each.stands and each.left]
    sales = [Sale(each.currency, each.issued, each.total) for each in known.values() if each.stands]
    with shared.transaction(organisation) as session:
        found = figures(session, ALL, TODAY)
    assert found.balances == age(items, TODAY, COUNTED.buckets)
    assert found.dsos == count_back(items, (sale for sale in sales if sale.amount), TODAY)


@settings(max_examples=25)
@given(st.lists(told(), max_size=12), st.sampled_from(["EUR", "USD"]))
def test_every_figure_opens_the_invoices_that_it_adds_up(shared, invoices, currency):
    organisation, known = stored(shared, invoices)
    of_currency = {key: each for key, each in known.items() if each.stands and each.left and each.currency == currency}
    with shared.transaction(organisation) as session:
        balance = next((each for each in figures(session, ALL, TODAY).balances if each.currency == currency), None)

        def opened(buckets, *, disputed: bool) -> set[UUID]:
            return ids(session, behind(session, ALL, TODAY, currency, buckets, disputed=disputed).invoices)

        assert opened(COUNTED.buckets, disputed=True) == set(of_currency)
        if balance is None:
            assert not of_currency
            return
        contested = opened((), disputed=True)
        assert balance.disputed.amount == sum(of_currency[key].item.disputed for key in contested)
        assert balance.disputed.invoices == len(contested)
        for column in balance.columns:
            those = [of_currency[key].item for key in opened((column.bucket,), disputed=False)]
            assert column.figure.amount == sum(each.amount - each.disputed for each in those)
            assert column.figure.invoices == len(those)
            assert all(column.bucket.holds((TODAY - each.due_date).days) for each in those)


@settings(max_examples=25)
@given(st.lists(told(), max_size=12), st.sampled_from([Dimension.AGENCY, Dimension.ENTITY, Dimension.CUSTOMER]))
def test_what_nothing_tells_apart_is_found_behind_each_figure_it_adds_to(shared, invoices, by):
    organisation, _ = stored(shared, invoices)
    nobody = select(Customer.id).where(false())
    with shared.transaction(organisation) as session:
        items = list(open_items(session, ALL, TODAY))
        told_of = {"by": by, "groups": {}, "as_of": TODAY}
        cells = sum_up(items, {}, **told_of)
        assert sum_up(open_sums(session, ALL, TODAY, nobody, by), {}, **told_of) == cells
        for cell in cells:
            mine = [each for each in items if (place_of(each, by, {}), each.currency) == (cell.of, cell.currency)]
            for family in Family:
                expected = [
                    each
                    for each in mine
                    if family in dict(contributions(each, {}, TODAY))
                    and all(issue["disputed"] is None for issue in each.issues or ())
                ]
                found: list[Item] = []
                while page := alike_behind(
                    session,
                    ALL,
                    TODAY,
                    nobody,
                    Place(by, cell.of, cell.currency),
                    family,
                    after=found[-1].due if found else None,
                    limit=2,
                ):
                    found += page
                assert found == sorted(expected, key=lambda each: each.due)


@settings(max_examples=25)
@given(st.lists(told(), max_size=12))
def test_what_a_list_shows_of_an_invoice_is_what_the_figures_count(shared, invoices):
    organisation, known = stored(shared, invoices)
    with shared.transaction(organisation) as session:
        left = left_of(session, session.exec(sqlmodel_select(InvoiceRecord)).all())
    assert left == {key: Decimal(0) if each.is_closed else each.left for key, each in known.items()}


@given(st.integers(-200, 200))
def test_a_bucket_holds_what_is_due_between_its_days(days_late):
    due = TODAY - timedelta(days=days_late)
    for bucket in COUNTED.buckets:
        earliest, latest = bucket.due_dates(TODAY)
        assert bucket.holds(days_late) is (earliest <= due <= latest)


def test_a_limited_person_opens_only_what_they_may_see(shared):
    nine, nil = Decimal("9.00"), Decimal(0)
    sold = Told("EUR", Direction.RECEIVABLE, LYON, TODAY, None, nine, nine, False, "380", nil, nil, ())
    organisation, known = stored(shared, [sold, sold])
    with shared.transaction(organisation) as session:
        mine = Scope.limited_to([PARIS], [])
        assert figures(session, mine, TODAY).balances == []
        assert ids(session, behind(session, mine, TODAY, "EUR", COUNTED.buckets, disputed=True).invoices) == set()
        assert ids(session, behind(session, ALL, TODAY, "EUR", COUNTED.buckets, disputed=True).invoices) == set(known)


@pytest.mark.parametrize(
    ("index", "statement"),
    [("ix_invoice_issues", select(contested())), ("ix_invoice_open", select(left_of_each(ALL)))],
)
def test_what_is_open_or_contested_is_found_by_its_index(shared, index, statement):
    """The planner takes a partial index only when the condition is written as the index writes it."""
    with shared.system_transaction() as session:
        definition = session.execute(text(f"SELECT pg_get_indexdef('{index}'::regclass)")).scalar_one()
        session.execute(text("CREATE TEMP TABLE invoice (LIKE public.invoice) ON COMMIT DROP"))
        session.execute(text(definition.replace("public.invoice", "pg_temp.invoice")))
        session.execute(text("SET LOCAL enable_seqscan = off"))
        written = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(session.execute(text(f"EXPLAIN {written}")).scalars())
    assert re.search(rf"\b(using|on) {index}\b", plan), plan
