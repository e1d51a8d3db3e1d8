"""`gateway clients`: the programs that call the API, their secrets, and the keys that sign their tokens."""

from typing import Annotated

import typer

from gateway.access import repository, service, signing_keys
from gateway.access.roles import ApiScope
from gateway.access.service import NewClient
from gateway.cli.access import opened_database, organisation_named
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import load_settings

clients_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les programmes qui appellent l’API. / Programs that call the API."
)
keys_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Les clés qui signent les jetons d’accès. / Keys that sign access tokens.",
)
clients_app.add_typer(keys_app, name="keys")


@clients_app.command("add")
def add_client(
    name: str,
    scope: Annotated[list[ApiScope] | None, typer.Option(help="Portée ; toutes celles possibles par défaut.")] = None,
    organisation: Annotated[
        list[str] | None,
        typer.Option(metavar="SIREN", help="Son organisation ; répétée : les autres pour lesquelles il agit aussi."),
    ] = None,
    agency: Annotated[list[str] | None, typer.Option(metavar="SIRET", help="Limiter à cette agence.")] = None,
) -> None:
    """Créer un client d’API ; son secret n’est montré qu’ici. / Create an API client; its secret is shown only here."""
    possible = [one for one in ApiScope if not (agency and one.shows_everything)]
    with opened_database() as database:
        own, *others = [organisation_named(database, siren) for siren in organisation or (None,)]
        with database.transaction(own) as session:
            created = service.create_client(
                session, name=name, scopes=scope or possible, now=system_clock(), agencies=agency or ()
            )
        with database.system_transaction() as session:
            service.grant_organisations(session, created.client, others)
    _show_secret(created)


@clients_app.command("list")
def list_clients() -> None:
    """Lister les clients d’API. / List the API clients."""
    with opened_database() as database, database.system_transaction() as session:
        for listed in repository.clients(session):
            client = listed.client
            state = "actif / active" if client.is_active else "révoqué / revoked"
            typer.echo(f"{client.client_id}  {state}  {client.name}")
            typer.echo(f"  organisations  {' '.join(listed.organisations)}")
            if listed.agencies:
                typer.echo(f"  agencies       {' '.join(listed.agencies)}")
            typer.echo(f"  scope          {' '.join(client.scopes)}")


@clients_app.command("rotate-secret")
def rotate_secret(client_id: str) -> None:
    """Donner un nouveau secret ; l’ancien et ses jetons sont nuls. / Give a new secret; the old one and its tokens end.

    Le secret n’est montré qu’ici. / The secret is shown only here.
    """
    with opened_database() as database, database.system_transaction() as session:
        renewed = service.rotate_client_secret(session, client_id)
    _show_secret(renewed)


@clients_app.command("revoke")
def revoke_client(client_id: str) -> None:
    """Fermer tout accès à un programme, tout de suite. / End a program’s access, at once."""
    with opened_database() as database, database.system_transaction() as session:
        client = service.revoke_client(session, client_id)
    typer.echo(f"{client.client_id}  {client.name}")


@keys_app.command("list")
def list_keys() -> None:
    """Lister les clés ; la première signe. / List the keys; the first one signs."""
    with opened_database() as database, database.system_transaction() as session:
        for key in signing_keys.known_keys(session, system_clock()):
            until = f"→ {key.valid_until:%Y-%m-%dT%H:%MZ}" if key.valid_until else "signe / signs"
            typer.echo(f"{key.kid}  {key.created_at:%Y-%m-%dT%H:%MZ}  {until}")


@keys_app.command("rotate")
def rotate_keys(
    void_previous: Annotated[
        bool, typer.Option("--void-previous", help="Une clé a fui : finir tous les jetons tout de suite.")
    ] = False,
) -> None:
    """Signer avec une clé neuve ; les jetons en cours restent valables. / Sign with a new key; tokens stay valid."""
    with opened_database() as database, database.system_transaction() as session:
        key = signing_keys.rotate(session, load_settings(), system_clock(), void_previous=void_previous)
    typer.echo(key.kid)


def _show_secret(made: NewClient) -> None:
    typer.echo(f"client_id      {made.client.client_id}")
    typer.echo(f"client_secret  {made.secret}")
    typer.echo(f"scope          {' '.join(made.client.scopes)}")
