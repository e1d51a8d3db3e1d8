"""What the commands of the ledger work with: the settings, the database, the documents, the key, a progress bar."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlmodel import Session

from gateway.access.errors import UnknownOrganisationError
from gateway.access.model import Organisation
from gateway.access.repository import organisations
from gateway.access.scope import Scope
from gateway.database import Database, open_database
from gateway.kernel.settings import Settings, load_settings
from gateway.ledger.checkpoints import Checkpoint, read_checkpoints, require_own
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import CheckpointUnreadableError
from gateway.ledger.opening import open_documents
from gateway.ledger.service import Progress as Report
from gateway.ledger.signing import KEY_FILE, SigningKey, load_key
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import invoices_by_number

Invoice = Annotated[str, typer.Argument(help="Numéro de facture (BT-1). / Invoice number (BT-1).")]
Siren = Annotated[
    str | None, typer.Option("--organisation", metavar="SIREN", help="L’organisation, s’il y en a plusieurs.")
]
Reason = Annotated[str, typer.Option(help="Pourquoi ; le registre le garde. / Why; the ledger keeps it.")]
Since = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", dir_okay=False, help="Point de contrôle d’où partir. / Checkpoint to start from.", exists=True
    ),
]
Output = Annotated[Path | None, typer.Option("--output", dir_okay=False, help="Fichier à écrire. / File to write.")]


@dataclass(frozen=True, slots=True)
class Room:
    """What the commands work with."""

    settings: Settings
    database: Database
    store: DocumentStore

    @property
    def key_file(self) -> Path:
        """Where the key that signs checkpoints is."""
        return self.settings.ledger_key_file or self.settings.data_dir / KEY_FILE

    def key(self) -> SigningKey:
        """That key. Raises LedgerKeyError."""
        return load_key(self.key_file)

    def organisations(self, siren: str | None) -> list[Organisation]:
        """All, or the one of a SIREN. Raises UnknownOrganisationError."""
        found = [one for one in organisations(self.database) if siren in (None, one.siren)]
        if siren is not None and not found:
            raise UnknownOrganisationError(siren)
        return found

    def checkpoints(self, file: Path | None) -> dict[UUID, Checkpoint]:
        """The checkpoints of a file that this installation signed, by organisation; none without a file.

        Raises CheckpointUnreadableError, CheckpointInvalidError.
        """
        if file is None:
            return {}
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointUnreadableError(str(file)) from error
        found = read_checkpoints(lines, str(file))
        for organisation, checkpoint in found.items():
            with self.database.transaction(organisation) as session:
                require_own(session, checkpoint, self.key(), str(file))
        return found

    def invoices(self, number: str, siren: str | None) -> list[tuple[Organisation, UUID]]:
        """Every invoice of that number. Raises InvoiceNotFoundError when there is none."""
        found = []
        for one in self.organisations(siren):
            with self.database.transaction(one.id) as session:
                found += [(one, record.id) for record in invoices_by_number(session, Scope.everything(), number)]
        if not found:
            raise InvoiceNotFoundError(number)
        return found

    def each_subject(self, number: str, siren: str | None) -> Iterator[tuple[Session, str]]:
        """What the ledger calls the invoices of that number, each once: one key may be a receivable and a payable."""
        seen: set[tuple[UUID, str]] = set()
        for one, invoice_id in self.invoices(number, siren):
            with self.database.transaction(one.id) as session:
                subject = subject_of(session.get_one(InvoiceRecord, invoice_id))
                if (one.id, subject) not in seen:
                    seen.add((one.id, subject))
                    yield session, subject


def subject_of(record: InvoiceRecord) -> str:
    """What the ledger calls an invoice."""
    return f"invoice:{InvoiceKey(record.number, record.seller_siren, record.year)}"


@contextmanager
def open_room() -> Iterator[Room]:
    """The room of this process's settings, closed at the end."""
    settings = load_settings()
    store = open_documents(settings)
    database = open_database(settings)
    try:
        yield Room(settings, database, store)
    finally:
        database.close()


@contextmanager
def progress_bar(name: str) -> Iterator[Report]:
    """A bar on a terminal's standard error, gone when done; lines printed meanwhile to that terminal go above it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
