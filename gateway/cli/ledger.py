"""`gateway rebuild` and `gateway ledger verify`: prove that what is shown is what happened."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.access.repository import organisations
from gateway.database import Database, open_database
from gateway.kernel.settings import load_settings
from gateway.ledger.service import verify
from gateway.lifecycle.rebuild import rebuild

ledger_app = typer.Typer(
    no_args_is_help=True, help="Le registre : preuve de la chaîne. / The ledger: proof of the chain."
)


@ledger_app.callback()
def _ledger() -> None:
    """Le registre : preuve de la chaîne. / The ledger: proof of the chain."""


@ledger_app.command("verify")
def verify_command() -> None:
    """Recalcule toute la chaîne de chaque organisation ; code 1 et premier maillon rompu si elle ne tient pas.

    Recompute the whole chain of every organisation; exit code 1 and the first broken link when it does not hold.
    """
    broken = False
    with _database() as database, _progress() as progress:
        for organisation in organisations(database):
            task = progress.add_task(organisation.name, total=None)
            with database.transaction(organisation.id) as session:
                proof = verify(session, lambda done, task=task: progress.update(task, completed=done))  # type: ignore[misc]
            if proof.holds:
                typer.echo(
                    f"{organisation.siren} {organisation.name}: {proof.entries} entrées, la chaîne tient / it holds"
                )
            else:
                broken = True
                typer.echo(
                    f"{organisation.siren} {organisation.name}: chaîne rompue à l'entrée / chain broken at entry "
                    f"{proof.broken_at}: {proof.reason}"
                )
    raise typer.Exit(1 if broken else 0)


def rebuild_command() -> None:
    """Recalcule tous les états à partir des événements, qui ne changent jamais.

    Recompute every state from the events, which never change.
    """
    with _database() as database, _progress() as progress:
        for organisation in organisations(database):
            task = progress.add_task(organisation.name, total=None)
            with database.transaction(organisation.id) as session:
                done = rebuild(session, lambda count, task=task: progress.update(task, completed=count))  # type: ignore[misc]
            typer.echo(
                f"{organisation.siren} {organisation.name}: {done.invoices} factures / invoices, "
                f"{len(done.corrected)} corrigées / corrected"
            )


@contextmanager
def _database() -> Iterator[Database]:
    database = open_database(load_settings())
    try:
        yield database
    finally:
        database.close()


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
