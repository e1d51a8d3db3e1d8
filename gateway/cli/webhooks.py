"""`gateway webhooks`: who is called about what, how the calls went, and how to start again what was given up."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.access.model import ApiClient
from gateway.cli.access import OrganisationOption, opened_database, organisation_named
from gateway.flows.webhooks.model import Webhook
from gateway.flows.webhooks.repository import all_webhooks, calls_of
from gateway.flows.webhooks.service import start_again
from gateway.kernel.clock import system_clock

webhooks_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les webhooks et leurs appels. / Webhooks and their calls."
)
WebhookArgument = Annotated[UUID, typer.Argument(metavar="WEBHOOK", help="Identifiant donné par la liste.")]


@webhooks_app.command("list")
def list_webhooks(organisation: OrganisationOption = None) -> None:
    """Lister les webhooks et leur état. / List the webhooks and how each stands."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        for webhook in all_webhooks(session):
            owner = session.get(ApiClient, webhook.api_client_id)
            typer.echo(f"{webhook.id}  {webhook.kind:5}  {webhook.callback_url}  {owner.name if owner else ''}")
            typer.echo(f"  {_standing(webhook)}")


@webhooks_app.command("deliveries")
def list_calls(
    webhook: WebhookArgument,
    organisation: OrganisationOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Nombre d’appels montrés.")] = 20,
) -> None:
    """Montrer les derniers appels d’un webhook. / Show the latest calls of a webhook."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        for call in calls_of(session, webhook, limit):
            said = f"  {call.last_error}" if call.last_error else ""
            typer.echo(f"{call.created_at:%Y-%m-%dT%H:%M:%SZ}  {call.state:9}  {call.payload['message_id']}{said}")


@webhooks_app.command("retry")
def retry(webhook: WebhookArgument, organisation: OrganisationOption = None) -> None:
    """Relancer un webhook arrêté et ses appels en échec. / Start a stopped webhook and its failed calls again."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        calls = start_again(session, webhook, now=system_clock())
    typer.echo(f"{webhook}  {calls} appel(s) relancé(s) / call(s) started again")


def _standing(webhook: Webhook) -> str:
    if webhook.disabled_at:
        return f"arrêté / stopped {webhook.disabled_at:%Y-%m-%dT%H:%M:%SZ}: {webhook.last_error}"
    if webhook.failing_since:
        since = f"{webhook.failing_since:%Y-%m-%dT%H:%M:%SZ}"
        return f"en échec / failing since {since}, {webhook.failures}: {webhook.last_error}"
    return (
        f"actif / active, {webhook.last_success_at:%Y-%m-%dT%H:%M:%SZ}" if webhook.last_success_at else "actif / active"
    )
