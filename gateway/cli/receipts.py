"""`gateway receipts add|list|declare|reverse`: money received, told by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.cli.ingest import chosen_organisation
from gateway.cli.receivables import amount_given, receivable_named
from gateway.database.paging import LONGEST_PAGE
from gateway.flows.declaring import declare_receipt
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, Text, printable
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource
from gateway.treasury.receipt_rows import receipt_by_id, receipts_page
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.views import ReceiptView, views_of

receipts_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="L’argent reçu des clients. / Money received from customers."
)
#: Who told a receipt through this command.
_OPERATOR = "operator"
_EVERYTHING = Scope.everything()
_KNOWN = Text("déjà enregistré", "recorded already")
_UNALLOCATED = Text("non affecté", "unallocated")
_UNDECLARED = Text("non déclaré", "not declared")
_REVERSED = Text("annulé par", "reversed by")
_REVERSES = Text("annule", "reverses")

OrganisationOption = Annotated[
    str | None,
    typer.Option("--organisation", metavar="SIREN", help="L’organisation, si la base en tient plusieurs."),
]
DeclareOption = Annotated[
    bool, typer.Option("--declare", help="Poser le statut 212 qu’il appelle. / Give the 212 it calls for.")
]


@receipts_app.command("add")
def add_receipt(
    amount: Annotated[
        Decimal, typer.Argument(parser=amount_given, help="Montant TTC reçu. / Amount received, with VAT.")
    ],
    reference: Annotated[str, typer.Option(help="Son nom à vous ; dit deux fois, c’est un seul encaissement.")],
    invoice: Annotated[
        list[str] | None,
        typer.Option(
            "--for", metavar="INVOICE[=AMOUNT]", help="Numéro ou identifiant ; sans montant, tout l’encaissement."
        ),
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Jour de l’encaissement ; aujourd’hui par défaut.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Devise (BT-5).")] = "EUR",
    payer: Annotated[str, typer.Option(help="Ce que le payeur a écrit. / What the payer wrote.")] = "",
    comment: Annotated[str, typer.Option(help="Pourquoi l’argent est rendu. / Why money goes back.")] = "",
    declare: DeclareOption = False,
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer de l’argent reçu (négatif : rendu). / Record money received (negative: given back)."""
    with _transaction(organisation) as (services, session):
        now = services.clock()
        new = NewReceipt(
            amount=amount,
            currency=currency,
            received_on=on.date() if on else paris_date(now),
            reference=printable(reference),
            payer_reference=printable(payer),
            comment=printable(comment),
            allocations=dict(_allocation(session, each, amount) for each in invoice or ()),
        )
        recorded = record_receipt(session, _EVERYTHING, new, source=ReceiptSource.PERSON, by=_OPERATOR, now=now)
        view = _view(services, session, recorded.receipt, declare, now)
    if recorded.known:
        typer.echo(_KNOWN.in_language(services.settings.language))
    typer.echo(_as_text(view, services.settings.language))


@receipts_app.command("declare")
def declare(
    receipt: Annotated[UUID, typer.Argument(help="Identifiant (gateway receipts list). / Identifier.")],
    organisation: OrganisationOption = None,
) -> None:
    """Poser le statut 212 de ce qui n’est pas déclaré. / Give the 212 of what no 212 tells."""
    with _transaction(organisation) as (services, session):
        view = _view(services, session, receipt_by_id(session, receipt), True, services.clock())
    typer.echo(_as_text(view, services.settings.language))


@receipts_app.command("reverse")
def reverse(
    receipt: Annotated[UUID, typer.Argument(help="Identifiant (gateway receipts list). / Identifier.")],
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")],
    declare: DeclareOption = False,
    organisation: OrganisationOption = None,
) -> None:
    """Annuler un encaissement par une contre-écriture. / Undo a receipt by a counter-entry."""
    with _transaction(organisation) as (services, session):
        now = services.clock()
        counter = reverse_receipt(session, _EVERYTHING, receipt, reason=printable(reason), by=_OPERATOR, now=now)
        view = _view(services, session, counter, declare, now)
    typer.echo(_as_text(view, services.settings.language))


@receipts_app.command("list")
def list_receipts(
    invoice: Annotated[str | None, typer.Option("--for", metavar="INVOICE", help="Numéro ou identifiant.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Lister l’argent reçu, le plus récent d’abord. / List the money received, the latest day first."""
    with _transaction(organisation) as (services, session):
        invoice_id = receivable_named(session, invoice) if invoice else None
        cursor = None
        while True:
            page = receipts_page(session, _EVERYTHING, invoice_id=invoice_id, cursor=cursor, limit=LONGEST_PAGE)
            for view in views_of(session, _EVERYTHING, page.items):
                typer.echo(_as_text(view, services.settings.language))
            cursor = page.next_cursor
            if cursor is None:
                return


@contextmanager
def _transaction(organisation: str | None) -> Iterator[tuple[Services, Session]]:
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "warning", "log_format": "console"}))
    services = build_services(settings)
    try:
        with services.database.transaction(chosen_organisation(services.database, organisation)) as session:
            yield services, session
    finally:
        services.close()


def _allocation(session: Session, text: str, whole: Decimal) -> tuple[UUID, Decimal]:
    name, equals, amount = text.rpartition("=")
    return (
        (receivable_named(session, name), amount_given(amount)) if equals else (receivable_named(session, text), whole)
    )


def _view(services: Services, session: Session, receipt: Receipt, declare: bool, now: datetime) -> ReceiptView:
    """The receipt as recorded, told by its 212 when that is asked for."""
    if declare:
        declare_receipt(session, services.flows, receipt, now=now)
    session.flush()
    return views_of(session, _EVERYTHING, [receipt])[0]


def _as_text(view: ReceiptView, language: Language) -> str:
    def money(amount: Decimal) -> str:
        return Sayer(language).money(amount, view.currency)

    lines = [f"{view.id}  {view.received_on}  {money(view.amount)}  {view.reference}"]
    if view.payer_reference:
        lines.append(f"    {view.payer_reference}")
    for word, other in ((_REVERSES, view.reverses), (_REVERSED, view.reversed_by)):
        if other:
            lines.append(f"    {word.in_language(language)} {other}")
    for each in view.allocations:
        untold = f"  {_UNDECLARED.in_language(language)} {money(each.undeclared)}" if each.undeclared else ""
        lines.append(f"    {each.number}  {money(each.amount)}{untold}")
    rest = view.amount - sum(each.amount for each in view.allocations)
    if rest:
        lines.append(f"    {_UNALLOCATED.in_language(language)} {money(rest)}")
    return "\n".join(lines)
