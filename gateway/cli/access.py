"""`gateway organisations|agencies|users`: who exists and what each may do, for the operator's terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer

from gateway.access import repository, service
from gateway.access.errors import UnknownOrganisationError, UnknownUserError
from gateway.access.model import User
from gateway.access.roles import Role
from gateway.app.own_data import use_own_data
from gateway.database import Database, open_database
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language

organisations_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les organisations (entités légales). / Legal entities."
)
agencies_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les agences d’une organisation. / Agencies of an organisation."
)
users_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les personnes et leurs rôles. / People and their roles."
)

OrganisationOption = Annotated[
    str | None,
    typer.Option("--organisation", metavar="SIREN", help="L’organisation, si la base en tient plusieurs."),
]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Lire le mot de passe sur l’entrée standard, sans le demander.")
]


@organisations_app.command("add")
def add_organisation(siren: str, name: str) -> None:
    """Créer une organisation. / Create an organisation."""
    with opened_database() as database, database.system_transaction() as session:
        service.create_organisation(session, siren=siren, name=name, now=system_clock())
    typer.echo(f"{siren}  {name}")


@organisations_app.command("list")
def list_organisations() -> None:
    """Lister les organisations. / List the organisations."""
    with opened_database() as database:
        for organisation in repository.organisations(database):
            typer.echo(f"{organisation.siren}  {organisation.name}")


@agencies_app.command("add")
def add_agency(siret: str, name: str, code: str = "", organisation: OrganisationOption = None) -> None:
    """Créer une agence. / Create an agency."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        service.create_agency(session, siret=siret, code=code or siret[-5:], name=name)
    typer.echo(f"{siret}  {name}")


@agencies_app.command("list")
def list_agencies(organisation: OrganisationOption = None) -> None:
    """Lister les agences. / List the agencies."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        for agency in repository.agencies(session):
            typer.echo(f"{agency.siret}  {agency.code}  {agency.name}")


@users_app.command("add")
def add_user(
    email: str,
    role: Annotated[Role, typer.Option(help="Ce que la personne peut faire.")],
    name: Annotated[str, typer.Option(help="Nom affiché.")],
    organisation: OrganisationOption = None,
    agency: Annotated[list[str] | None, typer.Option(metavar="SIRET", help="Limiter à cette agence.")] = None,
    key_account: Annotated[list[str] | None, typer.Option(metavar="SIREN", help="Ajouter ce grand compte.")] = None,
    language: Annotated[Language, typer.Option(help="Langue des pages et des messages.")] = "fr",
    password_stdin: PasswordOption = False,
) -> None:
    """Créer une personne ; la première est un administrateur. / Create a person; the first one is an administrator."""
    with opened_database() as database:
        organisation_id = organisation_named(database, organisation)
        password = _password(password_stdin)
        with database.transaction(organisation_id) as session:
            user = service.create_user(
                session,
                email=email,
                name=name,
                password=password,
                role=role,
                now=system_clock(),
                agencies=agency or (),
                key_accounts=key_account or (),
                language=language,
            )
    typer.echo(f"{user.email}  {role.label.fr} / {role.label.en}")


@users_app.command("password")
def change_password(email: str, password_stdin: PasswordOption = False) -> None:
    """Changer un mot de passe et fermer les sessions. / Change a password and end the person’s sessions."""
    with opened_database() as database:
        user = _user(database, email)
        password = _password(password_stdin)
        with database.transaction(user.organisation_id) as session:
            service.change_password(session, session.get_one(User, user.id), password)
    typer.echo(user.email)


@users_app.command("deactivate")
def deactivate_user(email: str) -> None:
    """Fermer tout accès à une personne, tout de suite. / End a person’s access, at once."""
    with opened_database() as database:
        user = _user(database, email)
        with database.transaction(user.organisation_id) as session:
            service.deactivate_user(session, session.get_one(User, user.id))
    typer.echo(user.email)


@contextmanager
def opened_database() -> Iterator[Database]:
    """The database of the settings, closed at the end; the installation's own data files count."""
    settings = load_settings()
    use_own_data(settings)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


def organisation_named(database: Database, siren: str | None) -> UUID:
    """The named organisation, or the only one. Raises UnknownOrganisationError."""
    known = repository.organisations(database)
    chosen = [row for row in known if row.siren == siren] if siren else known
    if len(chosen) != 1:
        raise UnknownOrganisationError(siren)
    return chosen[0].id


def _user(database: Database, email: str) -> User:
    """The person of an address, in whatever organisation. Raises InvalidEmailError or UnknownUserError."""
    with database.system_transaction() as session:
        user = repository.user_by_email(session, service.normal_email(email))
    if user is None:
        raise UnknownUserError(email)
    return user


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = typer.prompt("Mot de passe / Password", hide_input=True, confirmation_prompt=True)
    return answer
