"""`gateway deliveries`: what was not handed over, may have been, or was refused, and what a person decides about it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.cli.access import OrganisationOption, opened_database, organisation_named
from gateway.cli.try_text import lines_of_tries
from gateway.cli.working import working
from gateway.flows.emission.resending import refused_deliveries, resend
from gateway.flows.refusals import refused_reports
from gateway.jobs.model import OutboxMessage
from gateway.jobs.tries import tries_of
from gateway.jobs.undelivered import mark_arrived, send_again, undelivered
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import load_settings
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.deliveries import PLATFORM_FLOW, KeptAnswer, try_of

deliveries_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Les envois en échec, incertains ou refusés. / Deliveries that failed, are uncertain or were refused.",
)
DeliveryArgument = Annotated[UUID, typer.Argument(metavar="ENVOI", help="Identifiant donné par la liste.")]


@deliveries_app.command("list")
def list_deliveries(organisation: OrganisationOption = None) -> None:
    """Lister les envois qui attendent une décision. / List the deliveries that wait for a decision."""
    language = load_settings().language
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        messages = [*undelivered(session), *refused_deliveries(session)]
        tries = tries_of(session, [message.id for message in messages])
        for message in messages:
            to = message.payload.get("platform") or message.payload.get("to") or ""
            what = message.payload.get("name") or message.payload.get("subject") or message.idempotency_key
            state = "refused" if message.answer else message.state
            typer.echo(f"{message.id}  {state:9}  {message.kind}  {to}  {what}")
            typer.echo(f"  {message.attempts} x  {message.last_error or _refusal(message)}")
            for line in lines_of_tries([try_of(each) for each in tries.get(message.id, ())], language):
                typer.echo(line)
        for report in refused_reports(session, system_clock()):
            told = f"{report.status.code} {report.status.label.in_language(language)}" if report.status else ""
            typer.echo(f"{report.id}  refused    {PLATFORM_FLOW}  {report.platform}  {told}")
            typer.echo(f"  {report.outcome.label.in_language(language)}")


@deliveries_app.command("again")
def deliver_again(delivery: DeliveryArgument, organisation: OrganisationOption = None) -> None:
    """Renvoyer un envoi qui n’est pas arrivé. / Send again what did not arrive."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        now = system_clock()
        take_turn(session)
        _tell(session, send_again(session, delivery, now=now), "delivery.sent_again", now)


@deliveries_app.command("resend")
def resend_refused(delivery: DeliveryArgument, organisation: OrganisationOption = None) -> None:
    """Renvoyer ce que la plateforme ou le portail a refusé. / Send again what its platform or the portal refused."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        sent = resend(session, work.services.flows, delivery, by="cli", now=system_clock())
        typer.echo(f"{sent.id}  {sent.state}  {sent.idempotency_key}")


@deliveries_app.command("arrived")
def delivery_arrived(
    delivery: DeliveryArgument,
    remote_id: Annotated[str | None, typer.Option(help="Identifiant chez le destinataire.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Constater qu’un envoi est arrivé. / Record that a delivery arrived."""
    with opened_database() as database, database.transaction(organisation_named(database, organisation)) as session:
        now = system_clock()
        take_turn(session)
        _tell(session, mark_arrived(session, delivery, remote_id=remote_id, now=now), "delivery.found_arrived", now)


def _refusal(message: OutboxMessage) -> str:
    """What its platform says of a delivery that it refused; "" of any other."""
    remarks = KeptAnswer.model_validate(message.answer).remarks if message.answer else ()
    return " ; ".join(f"{remark.reason_code} {remark.message}" for remark in remarks)


def _tell(session: Session, message: OutboxMessage, kind: str, now: datetime) -> None:
    content = {"kind": message.kind, "key": message.idempotency_key, "remote_id": message.remote_id}
    append(session, at=now, kind=kind, subject=f"delivery:{message.id}", content=content)
    typer.echo(f"{message.id}  {message.state}")
