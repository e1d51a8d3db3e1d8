"""Names for the treasury's figures, so that each can be followed down to the invoices it adds up.

A name is `aged:<currency>:<part>` or `dso:<currency>`; a part is the code of a bucket, `disputed` or `total`.
"""

from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.treasury.aged_balance import AgedBalance, Figure
from gateway.treasury.definitions import Bucket, definitions
from gateway.treasury.service import Behind, behind
from gateway.web.errors import PageNotFoundError
from gateway.web.i18n import texts


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """A figure with the name under which its invoices are found again."""

    name: str
    label: Text
    figure: Figure


@dataclass(frozen=True, slots=True)
class BalanceView:
    """The aged balance of one currency as the overview shows it."""

    currency: str
    total: NamedFigure
    disputed: NamedFigure
    buckets: tuple[NamedFigure, ...]


@dataclass(frozen=True, slots=True)
class OpenedFigure:
    """A figure as its list of invoices names it, and what it adds up."""

    title: Text
    behind: Behind


def balance_view(balance: AgedBalance) -> BalanceView:
    """Every figure of a balance, named. Pure."""

    def named(part: str, label: Text, figure: Figure) -> NamedFigure:
        return NamedFigure(f"aged:{balance.currency}:{part}", label, figure)

    return BalanceView(
        currency=balance.currency,
        total=named("total", texts()["overview.aged_total"], balance.balance),
        disputed=named("disputed", texts()["overview.aged_disputed"], balance.disputed),
        buckets=tuple(named(each.bucket.code, each.bucket.label, each.figure) for each in balance.columns),
    )


def open_figure(session: Session, scope: Scope, name: str, today: date) -> OpenedFigure:
    """What the figure of a name adds up today. Raises PageNotFoundError for a name that is none."""
    kind, _, rest = name.partition(":")
    currency, _, part = rest.partition(":")
    buckets = definitions(today).buckets
    parts: dict[tuple[str, str], tuple[Text, tuple[Bucket, ...], bool]] = {
        ("dso", ""): (texts()["overview.dso"], buckets, True),
        ("aged", "total"): (texts()["overview.aged_total"], buckets, True),
        ("aged", "disputed"): (texts()["overview.aged_disputed"], (), True),
        **{("aged", each.code): (each.label, (each,), False) for each in buckets},
    }
    if (kind, part) not in parts:
        raise PageNotFoundError
    label, columns, disputed = parts[kind, part]
    found = behind(session, scope, today, currency, columns, disputed=disputed)
    if kind == "dso":  # its balance is that of the gateway's own sales
        found = replace(found, books_only=ZERO)
    return OpenedFigure(Text(f"{label.fr} ({currency})", f"{label.en} ({currency})"), found)
