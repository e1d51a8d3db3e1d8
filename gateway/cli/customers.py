"""`gateway customers` and `gateway receivables`: who owes, what, and what is known of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import col, select

from gateway.access.scope import Scope
from gateway.cli.working import OPERATOR, FormatOption, OrganisationOption, OutputFormat, Working, print_json, working
from gateway.collection.receivables import Books, names_of
from gateway.collection.receivables_views import EncoursView
from gateway.customers import service
from gateway.customers.knowledge import DirectoryState
from gateway.customers.model import Customer
from gateway.customers.repository import (
    CustomerFilter,
    contact_rows,
    cover_rows,
    customers_page,
    find_customer,
    notes_of,
)
from gateway.customers.taking import import_customers
from gateway.customers.values import ContactRole
from gateway.customers.views import CustomerView, ImportReport, WholeCustomerView, whole_view
from gateway.database.ordering import dictionary_order
from gateway.database.paging import LONGEST_PAGE
from gateway.flows.directory.checking import AddressCheck, AddressVerdict
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text, printable
from gateway.treasury.receivables import Dimension

customers_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les clients : qui doit. / Customers: who owes."
)
_EVERYTHING = Scope.everything()
_REFUSED_ROWS = 1
_WRITTEN = Text("écrit", "written")
_SHOWN_ONLY = Text("essai, rien n’est écrit", "dry run, nothing is written")
_LINE = Text("ligne", "line")
_CREDIT = Text("limite de crédit {limit}, garanti {covered}", "credit limit {limit}, covered {covered}")
_UNKNOWN = Text("non attribué", "not attributed")
_COUNTS = Text(
    "{rows} lignes : {created} créés, {changed} modifiés, {unchanged} inchangés, {refused} lignes refusées ({how})",
    "{rows} rows: {created} created, {changed} changed, {unchanged} unchanged, {refused} rows refused ({how})",
)
CustomerArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="Identifiant, clé ou SIREN.")]


@customers_app.command("list")
def list_customers(
    q: Annotated[str, typer.Argument(metavar="[TEXTE]", help="Partie du nom, de la clé ou du groupe.")] = "",
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister les clients par nom. / List the customers, by name."""
    with working(organisation) as work:
        found = [CustomerView.model_validate(row) for row in _customers(work, q)]
    if output is OutputFormat.JSON:
        print_json(list(found))
        return
    for each in found:
        typer.echo(printable(f"{each.key:24}  {each.name}"))


@customers_app.command("show")
def show_customer(
    customer: CustomerArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Montrer un client et ce qu’il doit. / Show a customer and what it owes."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        today = paris_date(work.services.clock())
        row = find_customer(session, _EVERYTHING, customer)
        view = whole_view(
            row,
            contact_rows(session, [row.id]).get(row.id, ()),
            cover_rows(session, [row.id]).get(row.id, ()),
            notes_of(session, row.id),
            on=today,
            law=work.services.law.law,
            language=work.language,
        )
        cells = Books.read(session, _EVERYTHING, today, [row.id]).cells(Dimension.CUSTOMER)
        language = work.language
    if output is OutputFormat.JSON:
        print_json(view)
        return
    for line in (*_as_text(view, language), *(_figures(EncoursView.of_cell(cell, {}), language) for cell in cells)):
        typer.echo(printable(line))


@customers_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", help="CSV ou Excel ; - pour l’entrée standard.")],
    write: Annotated[
        bool, typer.Option("--write", help="Écrire ; sinon, montrer seulement. / Write; else show only.")
    ] = False,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Importer des clients. Code de sortie : 0 tout est pris, 1 des lignes sont refusées.

    Import customers. Exit code: 0 all taken, 1 some rows refused.
    """
    data = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    with working(organisation) as work:
        with work.services.database.transaction(work.organisation_id) as session:
            result = import_customers(
                session, data, work.services.law.law, dry_run=not write, by=OPERATOR, now=work.services.clock()
            )
        report, language = ImportReport.of_result(result, work.language), work.language
    if output is OutputFormat.JSON:
        print_json(report)
    else:
        for line in _report(report, language):
            typer.echo(printable(line))
    if report.refused:
        raise typer.Exit(_REFUSED_ROWS)


@customers_app.command("change")
def change_command(
    customer: CustomerArgument,
    facts: Annotated[list[str], typer.Argument(metavar="CHAMP=VALEUR...", help="credit_limit=5000, payment_terms=…")],
    organisation: OrganisationOption = None,
) -> None:
    """Changer des faits d’un client ; une valeur vide efface. / Change facts; an empty value erases."""
    told = {name: value for name, _, value in (fact.partition("=") for fact in facts)}
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row = find_customer(session, _EVERYTHING, customer)
        service.change_customer(session, _EVERYTHING, row.id, told, by=OPERATOR, now=work.services.clock())


@customers_app.command("note")
def note_command(
    customer: CustomerArgument,
    text: Annotated[str, typer.Argument(metavar="TEXTE")],
    organisation: OrganisationOption = None,
) -> None:
    """Écrire une note sur un client. / Write a note on a customer."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row = find_customer(session, _EVERYTHING, customer)
        now = work.services.clock()
        service.add_note(session, _EVERYTHING, row.id, text, by=OPERATOR, author_name=OPERATOR, now=now)


@customers_app.command("check")
def check_command(
    customer: Annotated[str | None, typer.Argument(metavar="[CLIENT]", help="Un seul ; tous par défaut.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Demander à l’annuaire où en sont les clients. / Ask the directory about the customers."""
    with working(organisation) as work:
        for siren, customer_id, name in _with_siren(work, customer):
            state = _state(work.services.directory.check(work.organisation_id, siren))
            if state is not None:
                with work.services.database.transaction(work.organisation_id) as session:
                    service.record_directory_state(session, customer_id, state, work.services.clock())
            typer.echo(printable(f"{siren}  {state.value if state else '?':16}  {name}"))


def receivables_command(
    by: Annotated[Dimension, typer.Option(help="Selon quoi l’encours est additionné.")] = Dimension.CUSTOMER,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Montrer ce qui est dû, par client, agence, entité ou groupe. / Show what is owed."""
    with working(organisation) as work:
        with work.services.database.transaction(work.organisation_id) as session:
            cells = Books.summed(session, _EVERYTHING, paris_date(work.services.clock()), by).cells(by)
            names = names_of(session, by, (cell.of for cell in cells))
        views, language = [EncoursView.of_cell(cell, names) for cell in cells], work.language
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    for view in views:
        typer.echo(printable(view.name or view.of or _UNKNOWN.in_language(language)))
        typer.echo(printable(_figures(view, language)))


def _customers(work: Working, text: str) -> Iterator[Customer]:
    with work.services.database.transaction(work.organisation_id) as session:
        cursor = None
        while True:
            page = customers_page(session, _EVERYTHING, CustomerFilter(text), cursor=cursor, limit=LONGEST_PAGE)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return


def _with_siren(work: Working, customer: str | None) -> list[tuple[str, UUID, str]]:
    with work.services.database.transaction(work.organisation_id) as session:
        if customer:
            rows = [find_customer(session, _EVERYTHING, customer)]
        else:
            rows = list(session.exec(select(Customer).order_by(dictionary_order(Customer.name), col(Customer.id))))
        return [(row.siren, row.id, row.name) for row in rows if row.siren]


def _state(check: AddressCheck) -> DirectoryState | None:
    """What an answer of the directory means for the customer; None without an answer."""
    if not check.is_checked:
        return None
    if check.is_addressable or check.others:
        return DirectoryState.ADDRESSABLE
    if check.verdict is AddressVerdict.UNKNOWN:
        return DirectoryState.ABSENT
    return DirectoryState.CEASED if check.verdict is AddressVerdict.CEASED else DirectoryState.NOT_ADDRESSABLE


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _report(report: ImportReport, language: Language) -> Iterator[str]:
    how = _WRITTEN if report.written else _SHOWN_ONLY
    counts = {name: getattr(report, name) for name in ("rows", "created", "changed", "unchanged", "refused")}
    yield _COUNTS.in_language(language).format(**counts, how=how.in_language(language))
    for change in report.changes:
        yield f"{change.change}  {change.key}  {change.name}"
        for field in change.fields:
            yield f"    {field.field}: {field.before or '∅'} → {field.after or '∅'}"
        for told in (*change.contacts, *change.covers):
            yield f"    + {told}"
        for remark in change.remarks:
            yield f"    ! {remark}"
    for row in report.refused_rows:
        yield f"{_LINE.in_language(language)} {row.line}, {row.column}: « {row.value} » {row.why}. {row.fix}"


def _as_text(view: WholeCustomerView, language: Language) -> Iterator[str]:
    say = Sayer(language)
    yield f"{view.name}  ({view.key})"
    if view.terms:
        yield f"    {view.terms.label} : {say.say(view.terms.lawfulness.label)}. {view.terms.reason}"
    if view.credit_limit is not None:
        limit, covered = (say.money(each, view.credit_currency) for each in (view.credit_limit, view.covered))
        yield "    " + _CREDIT.in_language(language).format(limit=limit, covered=covered)
    for fact in view.facts:
        yield f"    {say.say(fact.confidence.label):10} {fact.says}"
    for contact in view.contacts:
        role = say.say(ContactRole(contact.role).label)
        yield "    " + "  ".join(filter(None, (role, contact.name, contact.email, contact.phone)))
    for note in view.notes:
        yield f"    {note.at:%Y-%m-%d}  {note.author_name}: {note.text}"


def _figures(view: EncoursView, language: Language) -> str:
    say = Sayer(language)
    return "    " + " · ".join(
        f"{say.say(family.label)} {say.money(figure.amount, view.currency)}" for family, figure in view.figures.items()
    )
