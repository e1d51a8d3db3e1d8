"""`gateway rebuild` and `gateway ledger`: prove that what is shown is what happened; keep and purge its documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlmodel import Session, select

from gateway.access.errors import UnknownOrganisationError
from gateway.access.model import Organisation
from gateway.access.repository import organisations
from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.cli.ledger_story import story_of
from gateway.collection.model import CollectionAction
from gateway.database import Database, open_database
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import Settings, load_settings
from gateway.ledger.checkpoints import Checkpoint, checkpoint_of, load_key, read_checkpoints
from gateway.ledger.documents import PURGE_GRACE, DocumentStore
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.errors import CheckpointUnreadableError
from gateway.ledger.evidence import make_evidence
from gateway.ledger.retention import (
    PurgeDecision,
    delete_purged_bytes,
    lift_hold,
    place_hold,
    plan_purge,
    record_purge,
)
from gateway.ledger.service import START, ChainStart, Verification, verify
from gateway.ledger.service import Progress as Report
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.repository import invoices_by_number
from gateway.lifecycle.timeline import timeline_of

ledger_app = typer.Typer(
    no_args_is_help=True,
    help="Le registre : preuve, dossiers, conservation. / The ledger: proof, evidence, retention.",
)

Invoice = Annotated[str, typer.Argument(help="Numéro de facture (BT-1). / Invoice number (BT-1).")]
Siren = Annotated[
    str | None, typer.Option("--organisation", metavar="SIREN", help="L'organisation, s'il y en a plusieurs.")
]
Reason = Annotated[str, typer.Option(help="Pourquoi ; le registre le garde. / Why; the ledger keeps it.")]
Since = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", dir_okay=False, help="Point de contrôle d'où partir. / Checkpoint to start from.", exists=True
    ),
]
Output = Annotated[Path | None, typer.Option("--output", dir_okay=False, help="Fichier à écrire. / File to write.")]


@dataclass(frozen=True, slots=True)
class _Room:
    """What the commands work with."""

    settings: Settings
    database: Database
    store: DocumentStore

    def organisations(self, siren: str | None) -> list[Organisation]:
        """All, or the one of a SIREN. Raises UnknownOrganisationError."""
        found = [one for one in organisations(self.database) if siren in (None, one.siren)]
        if siren is not None and not found:
            raise UnknownOrganisationError(siren)
        return found

    def checkpoints(self, file: Path | None) -> dict[UUID, Checkpoint]:
        """The authentic checkpoints of a file, by organisation; none without a file."""
        if file is None:
            return {}
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointUnreadableError(str(file)) from error
        return read_checkpoints(lines, load_key(self.settings.data_dir), str(file))


@ledger_app.command("verify")
def verify_command(
    documents: Annotated[
        bool, typer.Option("--documents", help="Relire aussi chaque document. / Read every document again, too.")
    ] = False,
    since: Since = None,
    organisation: Siren = None,
) -> None:
    """Recalcule la chaîne de chaque organisation ; code 1 et premier maillon rompu si elle ne tient pas.

    Recompute the chain of every organisation; exit code 1 and the first broken link when it does not hold.
    """
    holds = True
    with _room() as room:
        known = room.checkpoints(since)
        for one in room.organisations(organisation):
            start = known[one.id].chain_start if one.id in known else START
            with room.database.transaction(one.id) as session, _progress(one.name) as progress:
                proof = verify(session, progress, since=start)
            typer.echo(f"{one.siren} {one.name}: {_said(proof, start)}")
            holds &= proof.holds
            if documents:
                holds &= _documents_hold(room, one, start)
    raise typer.Exit(0 if holds else 1)


@ledger_app.command("checkpoint")
def checkpoint_command(since: Since = None, output: Output = None, organisation: Siren = None) -> None:
    """Prouve la chaîne et signe jusqu'où : une ligne JSON par organisation, pour « verify --since ».

    Prove the chain and sign how far: one JSON line for each organisation, for `verify --since`.
    """
    lines = []
    with _room() as room:
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
    """Dossier de preuve d'une facture : documents, messages, histoire, preuve de la chaîne et vérificateur (zip).

    Evidence of an invoice: documents, messages, story, chain proof and verifier (zip).
    """
    with _room() as room:
        known = room.checkpoints(since)
        found = list(_invoices(room, invoice, organisation))
        for number, (one, invoice_id) in enumerate(found):
            with room.database.transaction(one.id) as session:
                checkpoint = _checkpoint(room, session, one, known.get(one.id))
                record = session.get_one(InvoiceRecord, invoice_id)
                timeline = timeline_of(session, Scope.everything(), record)
                data = make_evidence(
                    session,
                    room.store,
                    story=story_of(timeline, _subject(record), room.settings.language),
                    subjects=_subjects(session, record, [entry.flow_id for entry in timeline.entries]),
                    checkpoint=checkpoint,
                )
            file = output or Path(_file_name(record))
            if number:
                file = file.with_stem(f"{file.stem}-{number + 1}")
            file.write_bytes(data)
            typer.echo(str(file))


@ledger_app.command("hold")
def hold_command(invoice: Invoice, reason: Reason, organisation: Siren = None) -> None:
    """Gel légal : aucun document de la facture n'est purgé avant « release ».

    Legal hold: no document of the invoice is purged before `release`.
    """
    with _room() as room:
        for session, subject in _each_subject(room, invoice, organisation):
            place_hold(session, subject, reason=reason, now=system_clock())
            typer.echo(f"{subject}: gelée / held")


@ledger_app.command("release")
def release_command(invoice: Invoice, reason: Reason, organisation: Siren = None) -> None:
    """Lève le gel légal d'une facture. / Lift the legal hold of an invoice."""
    with _room() as room:
        for session, subject in _each_subject(room, invoice, organisation):
            lift_hold(session, subject, reason=reason, now=system_clock())
            typer.echo(f"{subject}: gel levé / hold lifted")


@ledger_app.command("purge")
def purge_command(
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Seulement ceux d'avant ce jour. / Only those from before that day."),
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
    with _room() as room:
        for one in room.organisations(organisation):
            with room.database.transaction(one.id) as session:
                act = plan_purge if dry_run else record_purge
                decisions = act(session, now=now, before=day)
            for each in decisions:
                typer.echo(_decided(each))
            gone = [each for each in decisions if not each.is_held]
            typer.echo(
                f"{one.siren} {one.name}: {len(gone)} {'à purger / to purge' if dry_run else 'purgés / purged'}, "
                f"{len(decisions) - len(gone)} gelés / held, {sum(each.size for each in gone)} octets / bytes"
            )
        if not dry_run:
            delete_purged_bytes(room.database, room.store, unless_kept_since=now - PURGE_GRACE)


def rebuild_command() -> None:
    """Recalcule tous les états à partir des événements, qui ne changent jamais.

    Recompute every state from the events, which never change.
    """
    with _room() as room:
        for one in room.organisations(None):
            with room.database.transaction(one.id) as session, _progress(one.name) as progress:
                done = rebuild(session, lambda count, progress=progress: progress(count, count))  # type: ignore[misc]
            typer.echo(
                f"{one.siren} {one.name}: {done.invoices} factures / invoices, "
                f"{len(done.corrected)} corrigées / corrected"
            )


def _said(proof: Verification, start: ChainStart) -> str:
    if not proof.holds:
        return f"chaîne rompue à l'entrée / chain broken at entry {proof.broken_at}: {proof.reason}"
    since = f" depuis / since {start.position}" if start.position else ""
    return f"{proof.entries} entrées{since}, la chaîne tient / it holds"


def _documents_hold(room: _Room, one: Organisation, start: ChainStart) -> bool:
    with room.database.transaction(one.id) as session, _progress(one.name) as progress:
        proof = verify_documents(session, room.store, progress, since=start)
    typer.echo(
        f"{one.siren} {one.name}: {proof.intact} documents intacts / intact, {proof.purged} purgés / purged, "
        f"{proof.faulty} manquants ou altérés / missing or changed"
    )
    for fault in proof.first_faults:
        typer.echo(f"  {fault.sha256} (entrée / entry {fault.position}): {fault.reason}")
    return proof.holds


def _checkpoint(room: _Room, session: Session, one: Organisation, since: Checkpoint | None) -> Checkpoint:
    with _progress(one.name) as progress:
        return checkpoint_of(
            session, load_key(room.settings.data_dir), now=system_clock(), since=since, progress=progress
        )


def _decided(each: PurgeDecision) -> str:
    held = ", gelé / held" if each.is_held else ""
    return f"  {each.sha256} conservé jusqu'au / kept until {each.kept_until} ({each.rule}){held}"


def _subject(record: InvoiceRecord) -> str:
    return f"invoice:{InvoiceKey(record.number, record.seller_siren, record.year)}"


def _subjects(session: Session, record: InvoiceRecord, flows: list[UUID | None]) -> list[str]:
    """The invoice, the flows that brought it and its messages, its alerts and its actions."""
    alerts = session.exec(select(Alert.id).where(Alert.invoice_id == record.id))
    actions = session.exec(select(CollectionAction.id).where(CollectionAction.invoice_id == record.id))
    return [
        _subject(record),
        *sorted({f"flow:{flow}" for flow in (record.flow_id, *flows) if flow}),
        *(f"alert:{each}" for each in alerts),
        *(f"action:{each}" for each in actions),
    ]


def _file_name(record: InvoiceRecord) -> str:
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in record.number)
    return f"preuve-{safe}.zip"


def _each_subject(room: _Room, number: str, siren: str | None) -> Iterator[tuple[Session, str]]:
    """What the ledger calls the invoices of that number, each once: one key may be a receivable and a payable."""
    seen: set[tuple[UUID, str]] = set()
    for one, invoice_id in list(_invoices(room, number, siren)):
        with room.database.transaction(one.id) as session:
            subject = _subject(session.get_one(InvoiceRecord, invoice_id))
            if (one.id, subject) not in seen:
                seen.add((one.id, subject))
                yield session, subject


def _invoices(room: _Room, number: str, siren: str | None) -> Iterator[tuple[Organisation, UUID]]:
    """Every invoice of that number. Raises InvoiceNotFoundError when there is none."""
    found = False
    for one in room.organisations(siren):
        with room.database.transaction(one.id) as session:
            ids = [record.id for record in invoices_by_number(session, Scope.everything(), number)]
        found |= bool(ids)
        yield from ((one, each) for each in ids)
    if not found:
        raise InvoiceNotFoundError(number)


@contextmanager
def _room() -> Iterator[_Room]:
    settings = load_settings()
    database = open_database(settings)
    try:
        yield _Room(settings, database, DocumentStore(settings.data_dir / "documents"))
    finally:
        database.close()


@contextmanager
def _progress(name: str) -> Iterator[Report]:
    """A bar on a terminal's standard error, gone when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
