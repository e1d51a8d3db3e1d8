"""Days sales outstanding by the count-back method: how many days of the latest sales the balance stands for. Pure."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from gateway.kernel.money import ZERO
from gateway.treasury.aged_balance import Figure, OpenItem

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Sale:
    """Turnover of a day: the total with VAT (BT-112), negative for credit notes, of invoices issued on it (BT-2)."""

    currency: str
    issued_on: date
    amount: Decimal
    invoices: int = 1


@dataclass(frozen=True, slots=True)
class CountedMonth:
    """One step of the count-back: the month's sales, what of the balance they absorb, the days this adds."""

    first_day: date
    days: int
    sales: Figure
    absorbed: Decimal
    counted_days: Decimal


@dataclass(frozen=True, slots=True)
class Dso:
    """Days sales outstanding of one currency on a day.

    Attributes:
        currency: BT-5.
        as_of: the day; the current month counts up to it.
        days: to a tenth of a day.
        at_least: True when the balance outlasts every month of sales known: the true figure is higher.
        balance: the open items, credit notes deducted.
        months: the count, latest month first.
    """

    currency: str
    as_of: date
    days: Decimal
    at_least: bool
    balance: Figure
    months: tuple[CountedMonth, ...]


def count_back(items: Iterable[OpenItem], sales: Iterable[Sale], as_of: date) -> list[Dso]:
    """One figure for each currency met, in alphabetical order.

    Going back from `as_of`, a month whose sales the balance covers counts for all its days; the month that absorbs
    the rest counts in proportion. A month whose credit notes outweigh its sales absorbs nothing and counts whole.
    """
    open_items, sold = list(items), list(sales)
    currencies = sorted({each.currency for each in open_items} | {each.currency for each in sold})
    return [
        _of_currency(
            currency,
            [item for item in open_items if item.currency == currency],
            [sale for sale in sold if sale.currency == currency and sale.issued_on <= as_of],
            as_of,
        )
        for currency in currencies
    ]


def _of_currency(currency: str, items: list[OpenItem], sales: list[Sale], as_of: date) -> Dso:
    balance = Figure.of((item.amount, item.invoices) for item in items)
    by_month: dict[date, list[Sale]] = {}
    for sale in sales:
        by_month.setdefault(sale.issued_on.replace(day=1), []).append(sale)
    oldest = min(by_month, default=None)
    left, month, months = balance.amount, as_of.replace(day=1), list[CountedMonth]()
    while left > 0 and oldest is not None and month >= oldest:
        counted = _count(month, by_month.get(month, []), left, as_of)
        months.append(counted)
        left -= counted.absorbed
        month = (month - timedelta(days=1)).replace(day=1)
    days = sum((counted.counted_days for counted in months), Decimal(0))
    return Dso(currency, as_of, days.quantize(_TENTH, ROUND_HALF_UP), left > 0, balance, tuple(months))


def _count(month: date, sales: list[Sale], left: Decimal, as_of: date) -> CountedMonth:
    last_day = month.replace(day=monthrange(month.year, month.month)[1])
    days = (min(last_day, as_of) - month).days + 1
    sold = Figure.of((sale.amount, sale.invoices) for sale in sales)
    absorbed = min(left, max(sold.amount, ZERO))
    share = absorbed / sold.amount if 0 < absorbed < sold.amount else Decimal(1)
    return CountedMonth(month, days, sold, absorbed, days * share)
