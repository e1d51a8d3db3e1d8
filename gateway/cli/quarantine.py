"""`gateway quarantine`: the flows that wait for a person, what each waits for, and back to work with one."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.app.logs import configure_logs
from gateway.app.services import build_services
from gateway.cli.access import OrganisationOption, opened_database, organisation_named
from gateway.flows.processing import replay
from gateway.flows.releasing import is_held
from gateway.flows.repository import quarantined_flows
from gateway.kernel.settings import load_settings

quarantine_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Les flux en quarantaine ou retenus. / Flows in quarantine or held.",
)


@quarantine_app.command("list")
def list_quarantined(organisation: OrganisationOption = None) -> None:
    """Lister les flux en quarantaine et ce qu’ils attendent. / List the flows in quarantine and what they wait for."""
    language = load_settings().language
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        for flow in quarantined_flows(session):
            problem = flow.problem or {}
            looks = f"  ({flow.next_attempt_at:%Y-%m-%d %H:%M} UTC)" if is_held(flow) else ""
            typer.echo(f"{flow.id}  {problem.get('code', '')}  {flow.source}  {flow.name}{looks}")
            typer.echo(f"  {problem.get(f'what_{language}', '')} {problem.get(f'fix_{language}', '')}".rstrip())


@quarantine_app.command("replay")
def replay_quarantined(
    flow: Annotated[UUID, typer.Argument(metavar="FLUX", help="Identifiant donné par la liste.")],
    organisation: OrganisationOption = None,
) -> None:
    """Relancer un flux en quarantaine depuis le début. / Try a flow in quarantine again from the beginning."""
    settings = load_settings()
    configure_logs(settings)
    services = build_services(settings)
    try:
        with services.database.transaction(organisation_named(services.database, organisation)) as session:
            typer.echo(f"{flow}  {replay(session, flow, context=services.flows).state}")
    finally:
        services.close()
