"""`gateway platforms`: the accredited platforms of an organisation, and which one takes what."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.cli.access import OrganisationOption, opened_database, organisation_named
from gateway.database import Database
from gateway.flows.hearing.repository import subscription_of
from gateway.flows.hearing.subscriptions import subscribe, unsubscribe
from gateway.flows.platforms import service
from gateway.flows.platforms.breaker import BreakerState
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.model import PlatformBreaker, PlatformConnection
from gateway.flows.platforms.repository import breaker_row, connections, routes
from gateway.flows.platforms.service import ConnectionOrder, RouteOrder
from gateway.flows.platforms.transport import Transport
from gateway.flows.terms import ProcessingRule
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import Settings, load_settings

platforms_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Les plateformes agréées et le routage. / Accredited platforms and routing.",
)
Change = Callable[[Session, datetime], PlatformConnection]
NameArgument = Annotated[str, typer.Argument(metavar="NOM", help="Nom de la connexion. / Name of the connection.")]
ClientOption = Annotated[str, typer.Option(help="Notre identifiant chez elle. / Our client id there.")]
SecretOption = Annotated[
    str, typer.Option(metavar="env:NOM|file:CHEMIN", help="Où lire le secret. / Where the secret is read.")
]
FlowUrlOption = Annotated[str | None, typer.Option(help="Flow Service, version comprise : …/v1.")]
TokenUrlOption = Annotated[str | None, typer.Option(help="Adresse des jetons. / Token endpoint.")]
DirectoryUrlOption = Annotated[str | None, typer.Option(help="Directory Service, version comprise.")]


@platforms_app.command("add")
def add_platform(
    name: NameArgument,
    platform: Annotated[str, typer.Option(help="Une de schemas/platforms.toml. / One of that file.")],
    client_id: ClientOption,
    secret: SecretOption,
    flow_url: FlowUrlOption = None,
    token_url: TokenUrlOption = None,
    directory_url: DirectoryUrlOption = None,
    remote_organisation: Annotated[str | None, typer.Option(help="Organization-Id chez elle. / There.")] = None,
    number: Annotated[str | None, typer.Option(help="Numéro à l’annuaire (0238). / Number in the directory.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Connecter une plateforme ; la première devient celle par défaut. / Connect one; the first is the default."""
    order = ConnectionOrder(
        name, platform, client_id, secret, flow_url, directory_url, token_url, remote_organisation, number
    )
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        row = service.connect(session, order, now=system_clock())
        typer.echo(_line(row))


@platforms_app.command("list")
def list_platforms(organisation: OrganisationOption = None) -> None:
    """Lister les plateformes, leur état et les routes. / List the platforms, how each stands, and the routes."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        for row in connections(session):
            typer.echo(_line(row))
            standing = _standing(breaker_row(session, row.id), system_clock())
            if standing:
                typer.echo(f"  {standing}")
            subscription = subscription_of(session, row.id)
            if subscription is not None:
                typer.echo(f"  appelle / calls {subscription.callback_url}  {subscription.webhook_id}")
        for rule, connection in routes(session):
            criteria = (rule.seller_siren, str(rule.agency_id) if rule.agency_id else None, rule.processing_rule)
            typer.echo(f"{rule.id}  {' '.join(each for each in criteria if each)} -> {connection.name}")


@platforms_app.command("test")
def check_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Vérifier qu’une plateforme répond et nous reconnaît. / Check that a platform answers and knows us."""
    with _opened_connections(load_settings()) as (database, clients):
        clients.client(organisation_named(database, organisation), name).check()
    typer.echo(f"{name}  ok")


@platforms_app.command("subscribe")
def subscribe_to_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Se faire appeler par la plateforme (GATEWAY_PUBLIC_URL). / Let the platform call us (GATEWAY_PUBLIC_URL)."""
    settings = load_settings()
    with _opened_connections(settings) as (database, clients):
        where = organisation_named(database, organisation)
        row = subscribe(database, system_clock, clients, where, name, settings.public_url)
    typer.echo(f"{name}  {row.callback_url}  {row.webhook_id}")


@platforms_app.command("unsubscribe")
def unsubscribe_from_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Ne plus se faire appeler par la plateforme. / Let the platform call us no more."""
    with _opened_connections(load_settings()) as (database, clients):
        row = unsubscribe(database, system_clock, clients, organisation_named(database, organisation), name)
    typer.echo(f"{name}  {row.webhook_id}")


@platforms_app.command("route")
def route_platform(
    name: NameArgument,
    seller: Annotated[str | None, typer.Option(metavar="SIREN", help="Vendeur. / Seller.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="SIRET", help="Notre agence. / Our agency.")] = None,
    rule: Annotated[ProcessingRule | None, typer.Option(help="Règle de traitement. / Processing rule.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Confier à une plateforme les documents d’une sorte. / Give a platform the documents of one kind."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        row = service.add_route(session, name, RouteOrder(seller, agency, rule), now=system_clock())
        typer.echo(f"{row.id}  -> {name}")


@platforms_app.command("unroute")
def unroute_platform(
    route: Annotated[UUID, typer.Argument(metavar="ROUTE", help="Identifiant donné par la liste.")],
    organisation: OrganisationOption = None,
) -> None:
    """Oublier une route. / Forget a route."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        service.drop_route(session, route, now=system_clock())
    typer.echo(str(route))


@platforms_app.command("default")
def default_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Choisir celle qui prend ce qu’aucune route ne nomme. / Choose the one that takes what no route names."""
    _change(organisation, lambda session, now: service.make_default(session, name, now=now))


@platforms_app.command("enable")
def enable_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Remettre une plateforme en service. / Put a platform back into service."""
    _change(organisation, lambda session, now: service.switch(session, name, active=True, now=now))


@platforms_app.command("disable")
def disable_platform(name: NameArgument, organisation: OrganisationOption = None) -> None:
    """Suspendre une plateforme : ce qui doit partir attend. / Suspend a platform: what is due to it waits."""
    _change(organisation, lambda session, now: service.switch(session, name, active=False, now=now))


@platforms_app.command("credentials")
def change_platform_credentials(
    name: NameArgument, client_id: ClientOption, secret: SecretOption, organisation: OrganisationOption = None
) -> None:
    """Changer l’identifiant et le secret. / Change the client id and the secret."""
    _change(
        organisation,
        lambda session, now: service.change_credentials(
            session, name, client_id=client_id, secret_reference=secret, now=now
        ),
    )


@platforms_app.command("addresses")
def change_platform_addresses(
    name: NameArgument,
    flow_url: FlowUrlOption = None,
    token_url: TokenUrlOption = None,
    directory_url: DirectoryUrlOption = None,
    organisation: OrganisationOption = None,
) -> None:
    """Changer les adresses qui sont données. / Change the addresses that are given."""
    _change(
        organisation,
        lambda session, now: service.change_addresses(
            session, name, flow_url=flow_url, token_url=token_url, directory_url=directory_url, now=now
        ),
    )


@platforms_app.command("number")
def number_platform(
    name: NameArgument,
    number: Annotated[str, typer.Argument(metavar="NUMÉRO", help="Quatre chiffres (0238). / Four digits.")],
    organisation: OrganisationOption = None,
) -> None:
    """Donner le numéro de la plateforme à l’annuaire. / Give the platform’s number in the directory."""
    _change(organisation, lambda session, now: service.set_number(session, name, number, now=now))


@contextmanager
def _opened_connections(settings: Settings) -> Iterator[tuple[Database, Connections]]:
    """The database, and the clients of its connections for one command."""
    with opened_database() as database:
        transport = Transport.open(timeout_seconds=settings.platform_timeout_seconds)
        clients = Connections(database, system_clock, transport, max_file_bytes=settings.max_file_bytes)
        try:
            yield database, clients
        finally:
            clients.close()


def _change(organisation: str | None, change: Change) -> None:
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        typer.echo(_line(change(session, system_clock())))


def _line(row: PlatformConnection) -> str:
    state = "active" if row.is_active else "désactivée / switched off"
    default = "  par défaut / default" if row.is_default else ""
    return f"{row.name}  {row.kind}  {row.flow_url}  {state}{default}"


def _standing(breaker: PlatformBreaker | None, now: datetime) -> str:
    """Why a platform is not asked, or what failed last; "" when it is sound."""
    if breaker is None or not breaker.failures:
        return ""
    rests = breaker.state != BreakerState.CLOSED and breaker.until is not None and breaker.until > now
    pause = f"au repos jusqu’à / rests until {breaker.until:%Y-%m-%d %H:%M:%S} UTC  " if rests else ""
    return f"{pause}{breaker.failures} x  {breaker.last_error or ''}"
