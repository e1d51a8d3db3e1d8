"""`gateway ledger hold`, `release`, `purge`, `documents copy`: how long documents are kept, and where."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.ledger_room import Invoice, Reason, Siren, open_room, progress_bar
from gateway.kernel.clock import system_clock
from gateway.ledger.copying import copy_documents
from gateway.ledger.opening import open_documents
from gateway.ledger.purging import delete_purged_bytes, record_purge
from gateway.ledger.retention import PurgeDecision, lift_hold, place_hold, plan_purge


def hold_command(invoice: Invoice, reason: Reason, organisation: Siren = None) -> None:
    """Gel légal : aucun document de la facture n’est purgé avant « release ».

    Legal hold: no document of the invoice is purged before `release`.
    """
    with open_room() as room:
        for session, subject in room.each_subject(invoice, organisation):
            place_hold(session, subject, reason=reason, now=system_clock())
            typer.echo(f"{subject}: gelée / held")


def release_command(invoice: Invoice, reason: Reason, organisation: Siren = None) -> None:
    """Lève le gel légal d’une facture. / Lift the legal hold of an invoice."""
    with open_room() as room:
        for session, subject in room.each_subject(invoice, organisation):
            lift_hold(session, subject, reason=reason, now=system_clock())
            typer.echo(f"{subject}: gel levé / hold lifted")


def purge_command(
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Seulement ceux d’avant ce jour. / Only those from before that day."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Montrer sans rien purger. / Show, purge nothing.")
    ] = False,
    organisation: Siren = None,
) -> None:
    """Supprime les documents dont la conservation est échue et qui ne sont pas gelés ; le registre en garde la trace.

    Delete the documents past their retention that no hold keeps; the ledger keeps the trace.
    """
    now, day = system_clock(), before.date() if before else None
    with open_room() as room:
        for one in room.organisations(organisation):
            going, held, size = 0, 0, 0
            with room.database.transaction(one.id) as session, progress_bar(one.name) as progress:
                plan = plan_purge(session, now=now, before=day, progress=progress)
                for each in plan.decisions if dry_run else record_purge(room.database, one.id, plan, now=now):
                    typer.echo(_decided(each))
                    going, held = going + (not each.is_held), held + each.is_held
                    size += 0 if each.is_held else each.size
            typer.echo(
                f"{one.siren} {one.name}: {going} {'à purger / to purge' if dry_run else 'purgés / purged'}, "
                f"{held} gelés / held, {size} octets / bytes"
            )
        if not dry_run:
            with progress_bar(room.store.place) as progress:
                delete_purged_bytes(room.database, room.store, now=now, progress=progress)


documents_app = typer.Typer(no_args_is_help=True, help="L’entrepôt de documents. / The document store.")


@documents_app.callback()
def documents() -> None:
    """L’entrepôt de documents. / The document store."""


@documents_app.command("copy")
def copy_command(
    to: Annotated[str, typer.Option(metavar="URL", help="s3://compartiment/préfixe ou / or file:///dossier")],
) -> None:
    """Copie tous les documents vers un autre entrepôt et les relit ; code 1 si l’un manque. À refaire sans risque.

    Copy every document to another store and read it back; exit code 1 when one is missing. Safe to repeat.
    """
    with open_room() as room:
        target = open_documents(room.settings, to)
        with progress_bar(target.place) as progress:
            copied = copy_documents(room.database, room.store, target, progress)
    typer.echo(
        f"{room.store.place} -> {target.place}: {copied.intact} documents copiés / copied, "
        f"{copied.purged} purgés / purged, {len(copied.faulty)} manquants ou altérés / missing or changed"
    )
    for sha256 in copied.faulty:
        typer.echo(f"  {sha256}")
    raise typer.Exit(1 if copied.faulty else 0)


def _decided(each: PurgeDecision) -> str:
    held = ", gelé / held" if each.is_held else ""
    return f"  {each.sha256} conservé jusqu’au / kept until {each.kept_until} ({each.rule}){held}"
