"""The aged balance and the DSO add up to the cent, and every figure names the invoices behind it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.treasury.aged_balance import Figure, OpenItem, age
from gateway.treasury.definitions import definitions
from gateway.treasury.dso import Sale, count_back

TODAY = date(2026, 10, 15)
BUCKETS = definitions().buckets
AMOUNTS = st.decimals(-10_000, 10_000, places=2)


def item(amount: str, due: date = TODAY, currency: str = "EUR", disputed: str = "0.00") -> OpenItem:
    return OpenItem(currency, due, Decimal(amount), Decimal(disputed))


def sale(amount: str, issued_on: date, currency: str = "EUR") -> Sale:
    return Sale(currency, issued_on, Decimal(amount))


def columns(items: list[OpenItem]) -> dict[str, Decimal]:
    (balance,) = age(items, TODAY, BUCKETS)
    return {column.bucket.code: column.figure.amount for column in balance.columns if column.figure.invoices}


@pytest.mark.parametrize(
    ("days_late", "bucket"),
    [
        (-400, "not_due"),
        (0, "not_due"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "90+"),
        (4000, "90+"),
    ],
)
def test_an_item_is_late_from_the_day_after_its_due_date(days_late, bucket):
    assert columns([item("10.00", TODAY - timedelta(days=days_late))]) == {bucket: Decimal("10.00")}


@given(st.integers(-100_000, 100_000))
def test_every_delay_falls_in_exactly_one_bucket(days_late):
    assert sum(bucket.holds(days_late) for bucket in BUCKETS) == 1


def test_currencies_are_never_added_up():
    balances = age([item("10.00"), item("20.00", currency="USD")], TODAY, BUCKETS)
    assert [(balance.currency, balance.total) for balance in balances] == [
        ("EUR", Decimal("10.00")),
        ("USD", Decimal("20.00")),
    ]


def test_the_disputed_part_stands_apart_from_the_overdue():
    disputed = item("100.00", TODAY - timedelta(days=40), disputed="30.00")
    (balance,) = age([disputed], TODAY, BUCKETS)
    assert columns([disputed]) == {"31-60": Decimal("70.00")}
    assert (balance.disputed.amount, balance.disputed.invoices) == (Decimal("30.00"), 1)
    assert (balance.total, balance.balance.invoices) == (Decimal("100.00"), 1)


def test_an_invoice_disputed_as_a_whole_is_in_no_column():
    assert columns([item("100.00", disputed="100.00")]) == {}


@given(st.lists(st.tuples(AMOUNTS, st.integers(-120, 400), st.integers(0, 100)), max_size=20))
def test_an_aged_balance_adds_up_and_each_figure_is_that_of_its_invoices(parts):
    items = [
        OpenItem("EUR", TODAY - timedelta(days=late), amount, max(amount, Decimal(0)) * share / 100)
        for amount, late, share in parts
    ]
    for balance in age(items, TODAY, BUCKETS):
        assert balance.total == sum(each.amount for each in items)
        assert balance.total == balance.disputed.amount + sum(column.figure.amount for column in balance.columns)
        for column in balance.columns:
            parts_of_it = [
                each.amount - each.disputed for each in items if column.bucket.holds((TODAY - each.due_date).days)
            ]
            assert column.figure.amount == sum(parts_of_it)
            assert column.figure.invoices == sum(map(bool, parts_of_it))
        late = sum(column.figure.amount for column in balance.columns if column.bucket.is_late)
        assert late == sum(each.amount - each.disputed for each in items if each.due_date < TODAY)


@given(st.lists(st.tuples(st.decimals("0.01", 10_000, places=2), st.integers(-120, 400)), max_size=20))
def test_items_alike_added_up_make_the_same_figures_as_each_of_them(parts):
    items = [OpenItem("EUR", TODAY - timedelta(days=late), amount) for amount, late in parts]
    alike = [
        OpenItem("EUR", due, sum(each.amount for each in those), invoices=len(those))
        for due in {each.due_date for each in items}
        if (those := [each for each in items if each.due_date == due])
    ]
    assert age(alike, TODAY, BUCKETS) == age(items, TODAY, BUCKETS)
    sold = [Sale("EUR", date(2026, 10, 5), amount) for amount, _ in parts]
    summed = [Sale("EUR", date(2026, 10, 5), sum(each.amount for each in sold), len(sold))] if sold else []
    assert count_back(alike, summed, TODAY) == count_back(items, sold, TODAY)


def test_what_only_the_books_know_counts_for_no_invoice():
    (balance,) = age([item("10.00"), OpenItem("EUR", TODAY, Decimal("5.00"), invoices=0)], TODAY, BUCKETS)
    assert balance.balance == Figure(Decimal("15.00"), 1, Decimal("5.00"))


def dso(balance: str, *sales: Sale):
    (figure,) = count_back([item(balance)], sales, TODAY)
    return figure


def test_the_balance_is_counted_back_month_by_month():
    figure = dso("450.00", sale("300.00", date(2026, 10, 3)), sale("300.00", date(2026, 9, 12)))
    # October, up to the 15th, is covered whole (15 days); half of September is left (15 of 30 days).
    assert (figure.days, figure.at_least) == (Decimal("30.0"), False)
    assert [(month.first_day, month.absorbed) for month in figure.months] == [
        (date(2026, 10, 1), Decimal("300.00")),
        (date(2026, 9, 1), Decimal("150.00")),
    ]


def test_a_balance_within_the_month_counts_in_proportion():
    assert dso("100.00", sale("300.00", date(2026, 10, 3))).days == Decimal("5.0")


def test_a_month_without_sales_counts_whole():
    figure = dso("10.00", sale("10.00", date(2026, 8, 3)))
    assert figure.days == Decimal(15 + 30 + 31)


def test_a_month_of_credit_notes_absorbs_nothing():
    figure = dso("10.00", sale("-50.00", date(2026, 10, 3)), sale("10.00", date(2026, 9, 3)))
    assert figure.days == Decimal(15 + 30)


def test_a_balance_beyond_all_known_sales_says_at_least():
    figure = dso("1000.00", sale("300.00", date(2026, 10, 3)))
    assert (figure.days, figure.at_least) == (Decimal("15.0"), True)


@pytest.mark.parametrize("balance", ["0.00", "-40.00"])
def test_nothing_owed_is_zero_days(balance):
    figure = dso(balance, sale("300.00", date(2026, 10, 3)))
    assert (figure.days, figure.at_least, figure.months) == (Decimal("0.0"), False, ())


def test_sales_after_the_day_do_not_count():
    assert dso("100.00", sale("300.00", date(2026, 10, 3)), sale("900.00", date(2026, 10, 16))).days == Decimal("5.0")


@given(
    st.decimals(0, 100_000, places=2),
    st.lists(st.tuples(AMOUNTS, st.integers(0, 700)), min_size=1, max_size=20),
)
def test_the_count_absorbs_the_balance_and_never_more(balance, sold):
    sales = [sale(str(amount), TODAY - timedelta(days=ago)) for amount, ago in sold]
    (figure,) = count_back([item(str(balance))], sales, TODAY)
    absorbed = sum(month.absorbed for month in figure.months)
    assert absorbed <= balance
    assert figure.at_least is (absorbed < balance)
    assert 0 <= figure.days <= (TODAY - date(2024, 11, 1)).days + 1
    assert all(0 <= month.counted_days <= month.days for month in figure.months)


@given(st.decimals(0, 1000, places=2), st.decimals(0, 1000, places=2))
def test_owing_more_never_lowers_the_dso(one, other):
    sales = [sale("400.00", date(2026, month, 5)) for month in (8, 9, 10)]
    less, more = sorted((one, other))
    assert dso(str(less), *sales).days <= dso(str(more), *sales).days
