"""`gateway rebuild` and `gateway ledger`: prove that what is shown is what happened."""

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.cli.ledger_retention import documents_app, hold_command, purge_command, release_command
from gateway.cli.ledger_room import Invoice, Output, Room, Since, Siren, open_room, progress_bar, subject_of
from gateway.collection.evidence import subjects_of
from gateway.kernel.clock import system_clock
from gateway.ledger.checkpoints import Checkpoint, checkpoint_of
from gateway.ledger.clock_proof import SetBack, set_back
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.evidence import make_evidence
from gateway.ledger.key_changes import change_key
from gateway.ledger.service import START, ChainStart, Verification, verify
from gateway.lifecycle.events_proof import verify_events
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.story import story_of
from gateway.lifecycle.timeline import timeline_of
from gateway.treasury.write_off_rows import left_of

ledger_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Le registre : preuve, dossiers, conservation. / The ledger: proof, evidence, retention.",
)


@ledger_app.command("verify")
def verify_command(
    documents: Annotated[
        bool, typer.Option("--documents", help="Relire aussi chaque document. / Read every document again, too.")
    ] = False,
    events: Annotated[
        bool,
        typer.Option("--events", help="Comparer aussi chaque statut au registre. / Compare every status with it, too."),
    ] = False,
    since: Since = None,
    organisation: Siren = None,
) -> None:
    """Recalcule la chaîne de chaque organisation ; code 1 et premier maillon rompu si elle ne tient pas.

    Recompute the chain of every organisation; exit code 1 and the first broken link when it does not hold.
    """
    holds = True
    with open_room() as room:
        known = room.checkpoints(since)
        for one in room.organisations(organisation):
            start = known[one.id].chain_start if one.id in known else START
            with room.database.transaction(one.id) as session, progress_bar(one.name) as progress:
                proof = verify(session, progress, since=start)
                back = set_back(session, since=start)
            typer.echo(f"{one.siren} {one.name}: {_said(proof, start)}")
            if back is not None:
                typer.echo(f"  {_said_of_time(back)}")
            holds &= proof.holds
            if events:
                holds &= _events_hold(room, one, start)
            if documents:
                holds &= _documents_hold(room, one, start)
    raise typer.Exit(0 if holds else 1)


@ledger_app.command("checkpoint")
def checkpoint_command(since: Since = None, output: Output = None, organisation: Siren = None) -> None:
    """Prouve la chaîne et signe jusqu’où : une ligne JSON par organisation, pour « verify --since ».

    Prove the chain and sign how far: one JSON line for each organisation, for `verify --since`.
    """
    lines = []
    with open_room() as room:
        known = room.checkpoints(since)
        for one in room.organisations(organisation):
            with room.database.transaction(one.id) as session:
                lines.append(_checkpoint(room, session, one, known.get(one.id)).model_dump_json() + "\n")
    if output is None:
        typer.echo("".join(lines), nl=False)
    else:
        output.write_text("".join(lines), encoding="utf-8")


@ledger_app.command("export")
def export_command(invoice: Invoice, since: Since = None, output: Output = None, organisation: Siren = None) -> None:
    """Dossier de preuve d’une facture : documents, messages, histoire, preuve de la chaîne et vérificateur (zip).

    Evidence of an invoice: documents, messages, story, chain proof and verifier (zip). With --since it proves as well
    that the chain goes on from that checkpoint. / Avec --since, il prouve aussi la suite de ce point de contrôle.
    """
    with open_room() as room:
        known = room.checkpoints(since)
        for number, (one, invoice_id) in enumerate(room.invoices(invoice, organisation)):
            with room.database.transaction(one.id) as session:
                checkpoint = _checkpoint(room, session, one, known.get(one.id))
                record = session.get_one(InvoiceRecord, invoice_id)
                timeline = timeline_of(session, Scope.everything(), record, system_clock(), left=left_of)
                with progress_bar(one.name) as progress:
                    data = make_evidence(
                        session,
                        room.store,
                        story=story_of(timeline, subject_of(record), room.settings.language),
                        subjects=subjects_of(session, record, timeline),
                        checkpoint=checkpoint,
                        key=room.key(),
                        since=known.get(one.id),
                        progress=progress,
                    )
            file = output or Path(_file_name(record))
            if number:
                file = file.with_stem(f"{file.stem}-{number + 1}")
            file.write_bytes(data)
            typer.echo(str(file))


@ledger_app.command("key")
def key_command(
    change: Annotated[
        bool,
        typer.Option("--change", help="En faire une nouvelle ; l’ancienne reste reconnue. / Make a new one."),
    ] = False,
) -> None:
    """Affiche la clé publique (PEM) qui vérifie les signatures du registre : donnez-la à qui doit les vérifier.

    Print the public key (PEM) that checks the ledger’s signatures: give it to whoever must check them.
    """
    with open_room() as room:
        key = room.key()
        if change:
            everyone = [one.id for one in room.organisations(None)]
            key = change_key(room.database, everyone, room.key_file, now=system_clock())
        typer.echo(key.public_pem(), nl=False)


ledger_app.command("hold")(hold_command)
ledger_app.command("release")(release_command)
ledger_app.command("purge")(purge_command)
ledger_app.add_typer(documents_app, name="documents")


def rebuild_command() -> None:
    """Recalcule tous les états à partir des événements, qui ne changent jamais.

    Recompute every state from the events, which never change.
    """
    with open_room() as room:
        for one in room.organisations(None):
            with progress_bar(one.name) as progress:
                done = rebuild(room.database, one.id, now=system_clock(), progress=progress)
            typer.echo(
                f"{one.siren} {one.name}: {done.invoices} factures / invoices, "
                f"{len(done.corrected)} corrigées / corrected"
            )


def _said(proof: Verification, start: ChainStart) -> str:
    if not proof.holds:
        return f"chaîne rompue à l’entrée / chain broken at entry {proof.broken_at}: {proof.reason}"
    since = f" depuis / since {start.position}" if start.position else ""
    return f"{proof.entries} entrées{since}, la chaîne tient / it holds"


def _said_of_time(back: SetBack) -> str:
    return (
        f"{back.entries} datées d’avant une précédente / dated before an earlier one ; "
        f"première / first: {back.position}, {back.at:%Y-%m-%d %H:%M} après / after {back.latest:%Y-%m-%d %H:%M} UTC"
    )


def _events_hold(room: Room, one: Organisation, start: ChainStart) -> bool:
    with room.database.transaction(one.id) as session, progress_bar(one.name) as progress:
        proof = verify_events(session, progress, since=start)
    typer.echo(
        f"{one.siren} {one.name}: {proof.intact} statuts tels qu’enregistrés / statuses as recorded, "
        f"{proof.faulty} différents / different"
    )
    for fault in proof.first_faults:
        where = f"entrée / entry {fault.position}" if fault.position else "sans entrée / no entry"
        number = f" {fault.number}" if fault.number else ""
        typer.echo(f"  {fault.event_id}{number} ({where}): {fault.reason.fr} / {fault.reason.en}")
    return proof.holds


def _documents_hold(room: Room, one: Organisation, start: ChainStart) -> bool:
    with room.database.transaction(one.id) as session, progress_bar(one.name) as progress:
        proof = verify_documents(session, room.store, progress, since=start)
    typer.echo(
        f"{one.siren} {one.name}: {proof.intact} documents intacts / intact, {proof.purged} purgés / purged, "
        f"{proof.faulty} manquants ou altérés / missing or changed"
    )
    for fault in proof.first_faults:
        typer.echo(f"  {fault.sha256} (entrée / entry {fault.position}): {fault.reason}")
    return proof.holds


def _checkpoint(room: Room, session: Session, one: Organisation, since: Checkpoint | None) -> Checkpoint:
    with progress_bar(one.name) as progress:
        return checkpoint_of(session, room.key(), now=system_clock(), since=since, progress=progress)


def _file_name(record: InvoiceRecord) -> str:
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in record.number)
    return f"preuve-{safe}.zip"
