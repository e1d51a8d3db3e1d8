"""Queries on an organisation's platforms. Row-level security keeps organisations apart."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.flows.errors import UnknownPlatformError
from gateway.flows.platforms.breaker import Breaker, BreakerState
from gateway.flows.platforms.model import PlatformBreaker, PlatformConnection, PlatformRoute
from gateway.flows.platforms.routing import Platforms, RouteRule


def connections(session: Session) -> Sequence[PlatformConnection]:
    """Every connection, by name."""
    return session.exec(select(PlatformConnection).order_by(PlatformConnection.name)).all()


def connection_of_name(session: Session, name: str) -> PlatformConnection | None:
    """The connection of a name."""
    return session.exec(select(PlatformConnection).where(PlatformConnection.name == name)).one_or_none()


def connection_by_name(session: Session, name: str) -> PlatformConnection:
    """The connection of a name. Raises UnknownPlatformError."""
    found = connection_of_name(session, name)
    if found is None:
        raise UnknownPlatformError(name)
    return found


def routes(session: Session) -> Sequence[tuple[PlatformRoute, PlatformConnection]]:
    """Every route with its connection, the oldest first."""
    return session.exec(
        select(PlatformRoute, PlatformConnection)
        .where(PlatformRoute.connection_id == PlatformConnection.id)
        .order_by(col(PlatformRoute.created_at), col(PlatformRoute.id))
    ).all()


def platforms_of(session: Session, builtin: str) -> Platforms:
    """What routing knows of the organisation, in one query.

    `builtin`: the platform of an organisation that has no default connection: a platform of this process, such as the
    simulator, or the name of a connection.
    """
    rows = session.exec(
        select(PlatformConnection, PlatformRoute).outerjoin(
            PlatformRoute, col(PlatformRoute.connection_id) == PlatformConnection.id
        )
    ).all()
    known = {connection.name: connection for connection, _ in rows}
    default = next((connection for connection in known.values() if connection.is_default), known.get(builtin))
    active = frozenset(name for name, connection in known.items() if connection.is_active)
    rules = [
        RouteRule(
            connection.name, rule.seller_siren, rule.agency_id, rule.processing_rule, is_active=connection.is_active
        )
        for connection, rule in rows
        if rule is not None
    ]
    if default is None:
        return Platforms(active | {builtin}, rules, builtin)
    return Platforms(active, rules, default.name if default.is_active else None)


def breaker_row(session: Session, connection_id: UUID, *, lock: bool = False) -> PlatformBreaker | None:
    """The breaker of a connection, as it is now and kept from other writers when `lock`; None: it has never failed."""
    query = select(PlatformBreaker).where(PlatformBreaker.connection_id == connection_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one_or_none()


def breaker_of(row: PlatformBreaker | None) -> Breaker:
    """The state of a breaker as its rules see it."""
    return Breaker() if row is None else Breaker(BreakerState(row.state), row.failures, row.openings, row.until)
