"""`gateway directory check`: can an invoice be sent to this address?"""

from datetime import datetime
from typing import Annotated, Literal

import typer

from gateway.app.logs import configure_logs
from gateway.app.services import build_services
from gateway.cli.access import OrganisationOption, organisation_named
from gateway.flows.directory.addresses_api import address_view
from gateway.flows.directory.checking import AddressCheck
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, printable

directory_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="L’annuaire des adresses de facturation électronique. / The directory of e-invoicing addresses.",
)
_ADDRESSABLE, _NOT_ADDRESSABLE, _NOT_CHECKED = 0, 1, 2


@directory_app.callback()
def _group() -> None:
    """Keep `check` a command of its own while it is alone."""


@directory_app.command("check")
def check_command(
    addresses: Annotated[
        list[str],
        typer.Argument(metavar="ADDRESS...", help="BT-49 : SIREN, SIREN_SIRET, SIREN_SIRET_code, SIREN_suffixe."),
    ],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Un jour à venir, AAAA-MM-JJ. / A day to come."),
    ] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="json : une ligne par adresse.")] = "text",
    organisation: OrganisationOption = None,
) -> None:
    """Dire si une facture peut être envoyée à ces adresses, et sinon pourquoi et que faire.

    Say whether an invoice can be sent to these addresses, and if not why and what to do. With `--on`, on that day, as
    far as the directory tells today. Exit code: 0 all addressable, 1 some not, 2 some not checked, because the
    directory did not answer.
    """
    settings = load_settings()
    configure_logs(settings)
    services = build_services(settings)
    try:
        organisation_id = organisation_named(services.database, organisation)
        day = on.date() if on else None
        checks = [services.directory.check(organisation_id, address, anew=True, on=day) for address in addresses]
    finally:
        services.close()
    for check in checks:
        if form == "json":
            typer.echo(address_view(check).model_dump_json())
        else:
            typer.echo(_lines(check, settings.language))
    raise typer.Exit(max(_exit_code(check) for check in checks))


def _lines(check: AddressCheck, language: Language) -> str:
    name = f"  {check.name}" if check.name else ""
    head = f"{check.address}  {check.verdict.value}{name}"
    lines = (head, check.says.in_language(language), check.to_do.in_language(language))
    return "\n  ".join(map(printable, lines))


def _exit_code(check: AddressCheck) -> int:
    if not check.is_checked:
        return _NOT_CHECKED
    return _ADDRESSABLE if check.is_addressable else _NOT_ADDRESSABLE
