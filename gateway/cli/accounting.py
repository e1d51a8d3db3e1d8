"""`gateway accounting`: take the books of the company, and see what of them is not matched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.scope import Scope
from gateway.cli.receivables import amount_given
from gateway.cli.working import OPERATOR, FormatOption, OrganisationOption, OutputFormat, print_json, working
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text, printable
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.import_rows import imports_page
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.paying import pay_opening
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.accounting.views import AccountingReport, AccountView, EntryView, ImportView

accounting_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les écritures de la comptabilité. / The accounting entries."
)
_REFUSED_LINES = 1
_UNMATCHED = (
    Outcome.UNKNOWN_CUSTOMER,
    Outcome.UNKNOWN_INVOICE,
    Outcome.PAID_ALREADY,
    Outcome.OTHER_CURRENCY,
    Outcome.FUTURE,
)
_COUNTS = Text(
    "{entries} écritures, {lines} lignes de clients : {new} nouvelles, {relettered} lettrages modifiés ; "
    "{recorded} encaissements enregistrés, {reversed} annulés ; {written_off} passages en perte, {restored} annulés ; "
    "{refused} lignes refusées ({how})",
    "{entries} entries, {lines} customer lines: {new} new, {relettered} letterings changed; "
    "{recorded} receipts recorded, {reversed} reversed; {written_off} written off, {restored} undone; "
    "{refused} lines refused ({how})",
)
_WRITTEN = Text("écrit", "written")
_SHOWN_ONLY = Text("essai, rien n’est écrit", "dry run, nothing is written")
_REFUSED = Text("refusées", "refused")
_LEFT = Text("reste {left}", "{left} left")
_LINE = Text("ligne", "line")
_NOBODY = Text("client inconnu", "customer unknown")


@accounting_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", help="FEC, ou tableau avec les mêmes colonnes.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Montrer seulement, ne rien écrire. / Show only, write nothing.")
    ] = False,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Prendre un FEC. Code de sortie : 0 tout est pris, 1 des lignes sont refusées.

    Take a FEC. Exit code: 0 all taken, 1 some lines refused.
    """
    try:
        opened = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    with opened, working(organisation) as work:
        now, database = work.services.clock(), work.services.database
        result = import_entries(
            database, work.organisation_id, opened, file_name=file.name, dry_run=dry_run, by=OPERATOR, now=now
        )
        report, language = AccountingReport.of_result(result, work.language), work.language
    if output is OutputFormat.JSON:
        print_json(report)
    else:
        for line in _lines(report, language):
            typer.echo(printable(line))
    if report.refused:
        raise typer.Exit(_REFUSED_LINES)


@accounting_app.command("entries")
def entries_command(
    outcome: Annotated[
        list[Outcome] | None, typer.Option(help="Selon le résultat ; par défaut, ce qui n’est pas rapproché.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="D’un seul compte client. / Of one customer account.")] = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister les lignes gardées. / List the lines kept."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        kept = rows.lines_by_outcome(session, outcome or _UNMATCHED, account)
        views, language = [EntryView.model_validate(row) for row in kept], work.language
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    for each in views:
        says = Outcome(each.outcome).label.in_language(language) if each.outcome else ""
        facts = (
            each.id,
            each.day,
            f"{each.account:12}",
            f"{each.journal} {each.number}",
            each.piece,
            each.amount,
            says,
        )
        typer.echo(printable("  ".join(map(str, facts))))


@accounting_app.command("imports")
def imports_command(
    limit: Annotated[int, typer.Option("--limit", min=1, max=LONGEST_PAGE, help="Combien. / How many.")] = 20,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Les fichiers repris, le dernier d’abord. / The files taken, the latest first."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        page, language = imports_page(session, limit=limit), work.language
        views = [ImportView.of_row(row, language) for row in page.items]
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    for each in views:
        when = Sayer(language).moment(each.imported_at)
        refused = f"{each.counts['refused']} {_REFUSED.in_language(language)}"
        typer.echo(printable(f"{each.id}  {when}  {each.file_name}  {each.counts['entries']}  {refused}"))


@accounting_app.command("accounts")
def accounts_command(output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None) -> None:
    """Lister les comptes clients et à qui ils sont. / List the customer accounts and whose they are."""
    with working(organisation) as work:
        with work.services.database.transaction(work.organisation_id) as session:
            found = rows.accounts(session)
            views = [AccountView(account=name, name=label, customer_id=owner) for name, label, owner in found]
        language = work.language
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    for each in views:
        typer.echo(printable(f"{each.account:12}  {each.name:30}  {each.customer_id or _NOBODY.in_language(language)}"))


@accounting_app.command("assign")
def assign_command(
    account: Annotated[str, typer.Argument(metavar="COMPTE", help="Compte auxiliaire. / Customer account.")],
    customer: Annotated[str, typer.Argument(metavar="CLIENT", help="Identifiant, clé ou SIREN.")],
    organisation: OrganisationOption = None,
) -> None:
    """Dire à quel client est un compte. / Say whose an account is."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        assign_account(session, account, customer, by=OPERATOR, now=work.services.clock())


@accounting_app.command("pay")
def pay_command(
    entry: Annotated[UUID, typer.Argument(metavar="LIGNE", help="Identifiant (entries --outcome opening).")],
    receipt: Annotated[UUID, typer.Option("--receipt", metavar="ENCAISSEMENT", help="Identifiant (receipts list).")],
    amount: Annotated[str, typer.Option("--amount", metavar="MONTANT")],
    organisation: OrganisationOption = None,
) -> None:
    """Payer par un encaissement une créance connue des seuls livres. / Have a receipt pay what only the books know."""
    given = amount_given(amount)
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        left = pay_opening(session, Scope.everything(), entry, given, receipt, by=OPERATOR, now=work.services.clock())
        typer.echo(_LEFT.in_language(work.language).format(left=left))


def _lines(report: AccountingReport, language: Language) -> Iterator[str]:
    how = (_WRITTEN if report.written else _SHOWN_ONLY).in_language(language)
    yield _COUNTS.in_language(language).format(**report.model_dump(), how=how)
    for outcome, count in report.outcomes.items():
        yield f"    {count:8}  {Outcome(outcome).label.in_language(language)}"
    for each in report.refused_lines:
        yield f"{_LINE.in_language(language)} {each.line}, {each.column}: « {each.value} » {each.why}. {each.fix}"
