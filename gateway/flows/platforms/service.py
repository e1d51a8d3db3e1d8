"""Connect an organisation to platforms and say which one takes what."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session

from gateway.access.repository import agencies_by_siret
from gateway.database.engine import organisation_of
from gateway.flows.platforms.credentials import checked_reference
from gateway.flows.platforms.errors import InvalidConnectionError
from gateway.flows.platforms.model import PlatformConnection, PlatformRoute
from gateway.flows.platforms.profile import platform_profile
from gateway.flows.platforms.repository import connection_by_name, connection_of_name, connections, routes
from gateway.flows.simulator.platform import SIMULATOR
from gateway.flows.terms import ProcessingRule
from gateway.kernel.identifiers import is_siren
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NUMBER = re.compile(r"\d{4}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,128}")
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class ConnectionOrder:
    """A connection to make; addresses that are None are those of the platform's profile.

    Attributes:
        name: lower-case letters, digits and hyphens.
        kind: a platform of schemas/platforms.toml.
        client_id: our name at the platform.
        secret_reference: env:NAME or file:/path.
        remote_organisation: Organization-Id, for a client that acts for several organisations there.
        number: of the platform in the directory, four digits; it signs copies to the public portal.
    """

    name: str
    kind: str
    client_id: str
    secret_reference: str
    flow_url: str | None = None
    directory_url: str | None = None
    token_url: str | None = None
    remote_organisation: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class RouteOrder:
    """Documents that go to one connection; what is None does not matter. At least one criterion is given."""

    seller_siren: str | None = None
    agency_siret: str | None = None
    processing_rule: ProcessingRule | None = None


def connect(session: Session, order: ConnectionOrder, *, now: datetime) -> PlatformConnection:
    """Make a connection; the first one becomes the default. Raises InvalidConnectionError, UnknownPlatformKindError."""
    take_turn(session)
    profile = platform_profile(order.kind)
    _require(
        bool(_NAME.fullmatch(order.name)), "Minuscules, chiffres et tirets.", "Lower case, digits, hyphens.", "name"
    )
    taken = order.name == SIMULATOR or connection_of_name(session, order.name) is not None
    _require(not taken, "Ce nom est déjà pris.", "This name is taken.", "name")
    _require(bool(order.client_id.strip()), "L’identifiant est vide.", "The client id is empty.", "client-id")
    _require(
        order.remote_organisation is None or bool(_HEADER_VALUE.fullmatch(order.remote_organisation)),
        "Caractères ASCII sans espace, 128 au plus.",
        "ASCII characters without spaces, at most 128.",
        "remote-organisation",
    )
    directory_url = order.directory_url or profile.directory_url
    row = PlatformConnection(
        organisation_id=organisation_of(session),
        name=order.name,
        kind=order.kind,
        flow_url=_address(order.flow_url or profile.flow_url, "flow-url"),
        directory_url=_address(directory_url, "directory-url") if directory_url else None,
        token_url=_address(order.token_url or profile.token_url, "token-url"),
        client_id=order.client_id.strip(),
        secret_reference=checked_reference(order.secret_reference),
        remote_organisation=order.remote_organisation,
        number=_checked_number(order.number) if order.number else None,
        is_default=not connections(session),
        created_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, row, "platform.connected", now)
    return row


def change_credentials(
    session: Session, name: str, *, client_id: str, secret_reference: str, now: datetime
) -> PlatformConnection:
    """Replace the credentials of a connection; running processes take them with the next call.

    Raises UnknownPlatformError, InvalidConnectionError.
    """
    row = _held(session, name)
    _require(bool(client_id.strip()), "L’identifiant est vide.", "The client id is empty.", "client-id")
    row.client_id, row.secret_reference = client_id.strip(), checked_reference(secret_reference)
    _note(session, row, "platform.credentials_changed", now)
    return row


def change_addresses(
    session: Session,
    name: str,
    *,
    flow_url: str | None = None,
    directory_url: str | None = None,
    token_url: str | None = None,
    now: datetime,
) -> PlatformConnection:
    """Replace those addresses of a connection that are given; running processes take them with the next call.

    Raises UnknownPlatformError, InvalidConnectionError.
    """
    row = _held(session, name)
    given = {
        field: _address(url, field.replace("_", "-"))
        for field, url in (("flow_url", flow_url), ("directory_url", directory_url), ("token_url", token_url))
        if url is not None
    }
    _require(bool(given), "Donnez au moins une adresse.", "Give at least one address.", "flow-url")
    for field, url in given.items():
        setattr(row, field, url)
    _note(session, row, "platform.addresses_changed", now, **given)
    return row


def set_number(session: Session, name: str, number: str, *, now: datetime) -> PlatformConnection:
    """Tell the number of a platform in the directory. Raises UnknownPlatformError, InvalidConnectionError."""
    row = _held(session, name)
    row.number = _checked_number(number)
    _note(session, row, "platform.number", now, number=number)
    return row


def switch(session: Session, name: str, *, active: bool, now: datetime) -> PlatformConnection:
    """Switch a connection on or off: off, nothing is sent or read, and what is due to it waits.

    Raises UnknownPlatformError.
    """
    row = _held(session, name)
    if row.is_active != active:
        row.is_active = active
        _note(session, row, "platform.enabled" if active else "platform.disabled", now)
    return row


def make_default(session: Session, name: str, *, now: datetime) -> PlatformConnection:
    """Let a connection take what no route names. Raises UnknownPlatformError."""
    chosen = _held(session, name)
    for row in connections(session):
        row.is_default = False
        session.add(row)
    session.flush()  # there is never more than one
    chosen.is_default = True
    _note(session, chosen, "platform.default", now)
    return chosen


def add_route(session: Session, name: str, order: RouteOrder, *, now: datetime) -> PlatformRoute:
    """Send documents of one kind to a connection; the same kind goes to one alone.

    Raises UnknownPlatformError, InvalidConnectionError.
    """
    connection = _held(session, name)
    _require(order != RouteOrder(), "Donnez au moins un critère.", "Give at least one criterion.", "route")
    siren = order.seller_siren
    _require(siren is None or is_siren(siren), "Ce n’est pas un SIREN.", "This is no SIREN.", "seller")
    agency_id = _agency(session, order.agency_siret)
    rule = order.processing_rule.value if order.processing_rule else None
    for known, owner in routes(session):
        same = (known.seller_siren, known.agency_id, known.processing_rule) == (siren, agency_id, rule)
        _require(not same, f"{owner.name} les reçoit déjà.", f"{owner.name} gets them already.", "route")
    row = PlatformRoute(
        organisation_id=organisation_of(session),
        connection_id=connection.id,
        seller_siren=siren,
        agency_id=agency_id,
        processing_rule=rule,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, connection, "platform.routed", now, route=str(row.id))
    return row


def drop_route(session: Session, route_id: UUID, *, now: datetime) -> None:
    """Forget a route. Raises InvalidConnectionError when there is none of that identifier."""
    take_turn(session)
    found = next(((row, owner) for row, owner in routes(session) if row.id == route_id), None)
    if found is None:
        raise InvalidConnectionError(Text("Cette route n’existe pas.", "There is no such route."), str(route_id))
    session.delete(found[0])
    _note(session, found[1], "platform.unrouted", now, route=str(route_id))


def _held(session: Session, name: str) -> PlatformConnection:
    take_turn(session)
    return connection_by_name(session, name)


def _checked_number(number: str) -> str:
    _require(bool(_NUMBER.fullmatch(number)), "Quatre chiffres.", "Four digits.", "number")
    return number


def _agency(session: Session, siret: str | None) -> UUID | None:
    if siret is None:
        return None
    found = agencies_by_siret(session, [siret]).get(siret)
    if found is None:
        raise InvalidConnectionError(Text("Cette agence n’existe pas.", "There is no such agency."), siret)
    return found


def _address(url: str | None, where: str) -> str:
    """An address that our token may go to: HTTPS, or this machine."""
    parts = urlsplit(url or "")
    local = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    _require(
        bool(parts.hostname) and plain and (local or parts.scheme == "https"),
        "Donnez une adresse https://hôte/chemin.",
        "Give an address https://host/path.",
        where,
    )
    return (url or "").rstrip("/")


def _require(holds: bool, fr: str, en: str, where: str) -> None:
    if not holds:
        raise InvalidConnectionError(Text(fr, en), where)


def _note(session: Session, row: PlatformConnection, kind: str, now: datetime, **more: str) -> None:
    session.add(row)
    content = {"name": row.name, "kind": row.kind, "client_id": row.client_id, "secret": row.secret_reference, **more}
    append(session, at=now, kind=kind, subject=f"platform:{row.name}", content=content)
