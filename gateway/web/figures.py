"""Names for the treasury's figures, so that each can be followed down to the invoices it adds up.

A name is `aged:<currency>:<part>` or `dso:<currency>`; a part is the code of a bucket, `late`, `disputed` or `total`.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.kernel.text import Text
from gateway.treasury.aged_balance import AgedBalance, Figure
from gateway.treasury.service import aged_balance, days_sales_outstanding
from gateway.web.errors import PageNotFoundError
from gateway.web.i18n import texts


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """A figure with the name under which its invoices are found again."""

    name: str
    label: Text
    currency: str
    figure: Figure

    @property
    def title(self) -> Text:
        """The label with the currency, to stand alone."""
        return Text(f"{self.label.fr} ({self.currency})", f"{self.label.en} ({self.currency})")


@dataclass(frozen=True, slots=True)
class BalanceView:
    """The aged balance of one currency as the overview shows it."""

    currency: str
    total: NamedFigure
    late: NamedFigure
    disputed: NamedFigure
    buckets: tuple[NamedFigure, ...]


def balance_view(balance: AgedBalance) -> BalanceView:
    """Every figure of a balance, named. Pure."""

    def named(part: str, label: Text, figures: list[Figure]) -> NamedFigure:
        invoices = tuple(dict.fromkeys(invoice for each in figures for invoice in each.invoices))
        amount = sum((each.amount for each in figures), Figure().amount)
        books_only = sum((each.books_only for each in figures), Figure().books_only)
        figure = Figure(amount, invoices, books_only)
        return NamedFigure(f"aged:{balance.currency}:{part}", label, balance.currency, figure)

    columns = [column.figure for column in balance.columns]
    late = [column.figure for column in balance.columns if column.bucket.first is not None]
    return BalanceView(
        currency=balance.currency,
        total=named("total", texts()["overview.total"], [*columns, balance.disputed]),
        late=named("late", texts()["overview.late"], late),
        disputed=named("disputed", texts()["overview.disputed"], [balance.disputed]),
        buckets=tuple(named(each.bucket.code, each.bucket.label, [each.figure]) for each in balance.columns),
    )


def find_figure(session: Session, scope: Scope, name: str, today: date) -> NamedFigure:
    """The figure of a name, computed now. Raises PageNotFoundError for a name that is none."""
    kind, _, rest = name.partition(":")
    if kind == "dso":
        for dso in days_sales_outstanding(session, scope, today):
            if dso.currency == rest:
                return NamedFigure(name, texts()["overview.dso"], rest, dso.balance)
    for balance in aged_balance(session, scope, today) if kind == "aged" else ():
        view = balance_view(balance)
        for figure in (view.total, view.late, view.disputed, *view.buckets):
            if figure.name == name:
                return figure
    raise PageNotFoundError
