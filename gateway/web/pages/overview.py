"""The first page: what presses, where invoices stand, what is still to come in; each figure opens its invoices."""

from fastapi import Response

from gateway.access.roles import Permission
from gateway.alerts.repository import AlertFilter, list_alerts
from gateway.collection.receivables import Books
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import Direction
from gateway.lifecycle.statuses import status
from gateway.treasury.receivables import Dimension, Family, totals_of
from gateway.treasury.service import Figures, figures
from gateway.web import repository
from gateway.web.figures import balance_view
from gateway.web.security import Reader

_ALERTS_SHOWN = 5
#: What the first line tells of receivables, as their own page does.
_TOLD = (Family.BALANCE, Family.OVERDUE, Family.DISPUTED)


def show(visit: Reader) -> Response:
    """Counts by status for everyone; receivables, aged balance and DSO for those who read the treasury."""
    scope, today = visit.principal.scope, paris_date(visit.context.clock())
    sees_treasury = visit.principal.may(Permission.READ_TREASURY)
    with visit.transaction() as session:
        counts = repository.status_counts(session, scope, Direction.RECEIVABLE)
        pressing = list_alerts(session, scope, AlertFilter(), limit=_ALERTS_SHOWN)
        money, cells = Figures([], []), []
        if sees_treasury:
            money = figures(session, scope, today)
            cells = Books.summed(session, scope, today, Dimension.ENTITY).cells(Dimension.ENTITY)
    return visit.render(
        "overview.html",
        counts=[(status(each.status) if each.status else None, each.invoices) for each in counts],
        most=max((each.invoices for each in counts), default=1),
        pressing=pressing.items,
        totals=totals_of(cells),
        told=_TOLD,
        balances=[balance_view(balance) for balance in money.balances],
        dsos=money.dsos,
    )
