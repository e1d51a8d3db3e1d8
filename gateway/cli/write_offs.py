"""`gateway write-offs`: what is not awaited any more of invoices."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.access.scope import Scope
from gateway.cli.receivables import amount_given, receivable_named
from gateway.cli.working import OPERATOR, FormatOption, OrganisationOption, OutputFormat, print_json, working
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text, printable
from gateway.treasury.model import WriteOffKind
from gateway.treasury.write_off_rows import write_offs_page
from gateway.treasury.write_off_views import WriteOffView, write_off_views
from gateway.treasury.writing_off import undo_write_off, write_off

write_offs_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les passages en perte. / What is written off."
)
_EVERYTHING = Scope.everything()
_UNDONE = Text("annulé", "undone")
_UNDOES = Text("annulation", "undoes")

ReasonOption = Annotated[str, typer.Option("--reason", metavar="MOTIF", help="Pourquoi. / Why.")]


@write_offs_app.command("make")
def make_command(
    invoice: Annotated[str, typer.Argument(metavar="FACTURE", help="Numéro ou identifiant. / Number or id.")],
    reason: ReasonOption,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="MONTANT", help="Tout ce qui reste sinon. / All that is left.")
    ] = None,
    kind: Annotated[WriteOffKind, typer.Option("--kind", help="Perte ou petit écart. / Loss or small difference.")] = (
        WriteOffKind.LOSS
    ),
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Passer en perte ce qui reste d’une facture. / Write off what is left of an invoice."""
    given = amount_given(amount) if amount is not None else None
    with working(organisation) as work:
        now, language = work.services.clock(), work.language
        with work.services.database.transaction(work.organisation_id) as session:
            invoice_id = receivable_named(session, invoice)
            row = write_off(session, _EVERYTHING, invoice_id, given, kind=kind, reason=reason, by=OPERATOR, now=now)
            session.flush()
            (view,) = write_off_views(session, [row])
    _show([view], output, language)


@write_offs_app.command("undo")
def undo_command(
    write_off_id: Annotated[UUID, typer.Argument(metavar="PASSAGE", help="Identifiant (gateway write-offs list).")],
    reason: ReasonOption,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Attendre de nouveau ce montant. / Await the amount again."""
    with working(organisation) as work:
        now, language = work.services.clock(), work.language
        with work.services.database.transaction(work.organisation_id) as session:
            row = undo_write_off(session, _EVERYTHING, write_off_id, reason=reason, by=OPERATOR, now=now)
            session.flush()
            (view,) = write_off_views(session, [row])
    _show([view], output, language)


@write_offs_app.command("list")
def list_command(
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="CLIENT", help="Identifiant, clé, SIREN.")
    ] = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Les passages en perte, le dernier d’abord. / Write-offs, the latest first."""
    views: list[WriteOffView] = []
    with working(organisation) as work:
        language = work.language
        with work.services.database.transaction(work.organisation_id) as session:
            owner = find_customer(session, _EVERYTHING, customer).id if customer else None
            cursor: str | None = None
            while True:
                page = write_offs_page(session, _EVERYTHING, customer_id=owner, cursor=cursor, limit=LONGEST_PAGE)
                views += write_off_views(session, page.items)
                cursor = page.next_cursor
                if cursor is None:
                    break
    _show(views, output, language)


def _show(views: list[WriteOffView], output: OutputFormat, language: Language) -> None:
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    say = Sayer(language)
    for each in views:
        what = say.say(_UNDOES if each.reverses else each.kind.label)
        mark = f"  ({say.say(_UNDONE)})" if each.reversed_by else ""
        facts = (each.id, each.written_off_on, each.number, say.money(each.amount, each.currency), what, each.reason)
        typer.echo(printable("  ".join(map(str, facts)) + mark))
