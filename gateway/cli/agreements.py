"""`gateway promises|disputes|plans`: what was agreed with customers or is contested by them, told and read by hand."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.cli.agreements_text import dispute_text, plan_text, promise_text
from gateway.cli.receivables import amount_given, receivable_named
from gateway.cli.working import (
    OPERATOR,
    FormatOption,
    OrganisationOption,
    OutputFormat,
    Working,
    print_json,
    working,
)
from gateway.collection.agreements import disputing, planning, promising, repository
from gateway.collection.agreements.disputing import NewDispute
from gateway.collection.agreements.model import Dispute, Plan, Promise, PromiseOrigin, Settlement
from gateway.collection.agreements.planning import EvenSpread, NewPlan
from gateway.collection.agreements.plans import NewInstalment
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promising import NewPromise
from gateway.collection.agreements.repository import DisputeFilter, PlanFilter, PromiseFilter, PromiseList
from gateway.collection.agreements.views import dispute_views, plan_views, promise_views
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE, Page
from gateway.kernel.clock import paris_date
from gateway.kernel.text import printable
from gateway.notifications.service import channels_of

promises_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les promesses de paiement. / Promises to pay."
)
disputes_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Les litiges. / Disputes.")
plans_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Les échéanciers. / Instalment plans.")

_EVERYTHING = Scope.everything()
_DAY = ["%Y-%m-%d"]

CustomerArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="Identifiant, clé ou SIREN.")]
CustomerOption = Annotated[str | None, typer.Option("--customer", metavar="CLIENT", help="Identifiant, clé ou SIREN.")]
InvoicesOption = Annotated[
    list[str] | None,
    typer.Option("--for", metavar="FACTURE", help="Numéro ou identifiant ; sans rien, tout ce qui est dû."),
]
EntriesOption = Annotated[
    list[UUID] | None,
    typer.Option("--for-entry", metavar="LIGNE", help="Créance des seuls livres. / Receivable of the books alone."),
]
CurrencyOption = Annotated[str, typer.Option(help="Devise (BT-5). / Currency.")]
CommentOption = Annotated[str, typer.Option(help="Ce qui s’est dit. / What was said.")]
BecauseOption = Annotated[str, typer.Option("--because", help="Pourquoi. / Why.")]
PromiseArgument = Annotated[UUID, typer.Argument(metavar="PROMESSE", help="Identifiant (gateway promises list).")]
DisputeArgument = Annotated[UUID, typer.Argument(metavar="LITIGE", help="Identifiant (gateway disputes list).")]
PlanArgument = Annotated[UUID, typer.Argument(metavar="ECHEANCIER", help="Identifiant (gateway plans list).")]


def _instalment(text: str) -> NewInstalment:
    day, _, amount = text.partition("=")
    try:
        return NewInstalment(date.fromisoformat(day), amount_given(amount))
    except ValueError as error:
        raise typer.BadParameter(text) from error


@promises_app.command("add")
def add_promise(
    customer: CustomerArgument,
    amount: Annotated[Decimal, typer.Argument(parser=amount_given, help="Montant TTC promis. / Promised, with VAT.")],
    due: Annotated[datetime, typer.Option("--due", formats=_DAY, help="Jour promis. / Day promised.")],
    invoices: InvoicesOption = None,
    entries: EntriesOption = None,
    contact: Annotated[str, typer.Option(help="Qui a promis. / Who promised.")] = "",
    reply: Annotated[bool, typer.Option("--reply", help="Par réponse du client. / By the customer’s reply.")] = False,
    comment: CommentOption = "",
    currency: CurrencyOption = "EUR",
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer une promesse de paiement. / Record a promise to pay."""
    with working(organisation) as work, _session(work) as session:
        new = NewPromise(
            customer_id=find_customer(session, _EVERYTHING, customer).id,
            amount=amount,
            due_on=due.date(),
            currency=currency,
            invoice_ids=_named(session, invoices),
            entry_ids=tuple(entries or ()),
            contact=printable(contact),
            comment=printable(comment),
            origin=PromiseOrigin.REPLY if reply else PromiseOrigin.PERSON,
        )
        made = promising.make_promise(session, _EVERYTHING, new, by=OPERATOR, now=work.services.clock())
        _print_promises(work, session, [made], output)


@promises_app.command("list")
def list_promises(
    view: Annotated[PromiseList, typer.Option(help="Lesquelles. / Which ones.")] = PromiseList.OPEN,
    customer: CustomerOption = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister les promesses, la plus proche d’abord. / List promises, the nearest day first."""
    with working(organisation) as work, _session(work) as session:
        today = paris_date(work.services.clock())
        until = agreement_policy(today).at_risk_until(today)
        wanted = PromiseFilter(today, until, view, _customer_id(session, customer))
        rows = _all(repository.promises_page, session, wanted)
        _print_promises(work, session, rows, output)


@promises_app.command("show")
def show_promise(
    promise: PromiseArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Montrer une promesse et son histoire. / Show a promise and its history."""
    with working(organisation) as work, _session(work) as session:
        row = repository.promise_by_id(session, _EVERYTHING, promise)
        _print_promises(work, session, [row], output, history=True)


@promises_app.command("cancel")
def cancel_promise(promise: PromiseArgument, because: BecauseOption, organisation: OrganisationOption = None) -> None:
    """Annuler une promesse. / Cancel a promise."""
    with working(organisation) as work, _session(work) as session:
        now = work.services.clock()
        row = promising.cancel_promise(session, _EVERYTHING, promise, because=printable(because), by=OPERATOR, now=now)
        _print_promises(work, session, [row], OutputFormat.TEXT)


@disputes_app.command("open")
def open_dispute(
    invoice: Annotated[str, typer.Argument(metavar="FACTURE", help="Numéro ou identifiant. / Number or id.")],
    reason: Annotated[str, typer.Option(help="Motif : price, quantity, delivery… ou un code (MDT-113).")],
    amount: Annotated[
        Decimal | None, typer.Option(parser=amount_given, help="Part contestée ; sans rien, toute la facture.")
    ] = None,
    deadline: Annotated[datetime | None, typer.Option(formats=_DAY, help="À régler pour ce jour.")] = None,
    comment: CommentOption = "",
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Ouvrir un litige. / Open a dispute."""
    with working(organisation) as work, _session(work) as session:
        new = NewDispute(
            invoice_id=receivable_named(session, invoice),
            reason=reason,
            amount=amount,
            comment=printable(comment),
            deadline=deadline.date() if deadline else None,
        )
        channels, now = channels_of(work.services.settings), work.services.clock()
        row = disputing.open_dispute(session, _EVERYTHING, new, channels, by=OPERATOR, now=now)
        _print_disputes(work, session, [row], output)


@disputes_app.command("list")
def list_disputes(
    every: Annotated[bool, typer.Option("--all", help="Les clos aussi. / Closed ones too.")] = False,
    team: Annotated[str, typer.Option(help="Équipe. / Team.")] = "",
    customer: CustomerOption = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister les litiges, l’échéance la plus proche d’abord. / List disputes, the nearest deadline first."""
    with working(organisation) as work, _session(work) as session:
        wanted = DisputeFilter(None if every else True, team, customer_id=_customer_id(session, customer))
        rows = _all(repository.disputes_page, session, wanted)
        _print_disputes(work, session, rows, output)


@disputes_app.command("show")
def show_dispute(
    dispute: DisputeArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Montrer un litige et son fil. / Show a dispute and its thread."""
    with working(organisation) as work, _session(work) as session:
        row = repository.dispute_by_id(session, _EVERYTHING, dispute)
        _print_disputes(work, session, [row], output, history=True)


@disputes_app.command("say")
def say(
    dispute: DisputeArgument,
    message: Annotated[str, typer.Argument(help="Le message. / The message.")],
    organisation: OrganisationOption = None,
) -> None:
    """Écrire dans le fil d’un litige. / Write in the thread of a dispute."""
    with working(organisation) as work, _session(work) as session:
        disputing.say(session, _EVERYTHING, dispute, printable(message), by=OPERATOR, now=work.services.clock())
        row = repository.dispute_by_id(session, _EVERYTHING, dispute)
        _print_disputes(work, session, [row], OutputFormat.TEXT, history=True)


@disputes_app.command("settle")
def settle(
    dispute: DisputeArgument,
    outcome: Annotated[Settlement, typer.Option(help="refused : contestation non fondée, on relance de nouveau.")],
    because: BecauseOption,
    organisation: OrganisationOption = None,
) -> None:
    """Clore un litige. / End a dispute."""
    with working(organisation) as work, _session(work) as session:
        text, now = printable(because), work.services.clock()
        row = disputing.settle(session, _EVERYTHING, dispute, outcome, text, by=OPERATOR, now=now)
        _print_disputes(work, session, [row], OutputFormat.TEXT)


@disputes_app.command("reopen")
def reopen(dispute: DisputeArgument, because: BecauseOption, organisation: OrganisationOption = None) -> None:
    """Rouvrir un litige. / Open a dispute again."""
    with working(organisation) as work, _session(work) as session:
        channels, now = channels_of(work.services.settings), work.services.clock()
        row = disputing.reopen(session, _EVERYTHING, dispute, printable(because), channels, by=OPERATOR, now=now)
        _print_disputes(work, session, [row], OutputFormat.TEXT)


@plans_app.command("add")
def add_plan(
    customer: CustomerArgument,
    invoices: InvoicesOption = None,
    entries: EntriesOption = None,
    instalments: Annotated[
        list[str] | None, typer.Option("--instalment", metavar="JOUR=MONTANT", help="Une échéance ; à répéter.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=120, help="Mensualités égales. / Equal monthly ones.")] = 3,
    first: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Jour de la première ; aujourd’hui sinon.")
    ] = None,
    suspends_penalties: Annotated[
        bool, typer.Option("--suspend-penalties", help="Les pénalités cessent tant qu’il court.")
    ] = False,
    comment: CommentOption = "",
    currency: CurrencyOption = "EUR",
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Échelonner ce qui reste à payer. / Spread what is left to pay."""
    told = [_instalment(each) for each in instalments or ()]
    with working(organisation) as work, _session(work) as session:
        now = work.services.clock()
        new = NewPlan(
            customer_id=find_customer(session, _EVERYTHING, customer).id,
            spread=told or EvenSpread(count, first.date() if first else paris_date(now)),
            currency=currency,
            invoice_ids=_named(session, invoices),
            entry_ids=tuple(entries or ()),
            suspends_penalties=suspends_penalties,
            comment=printable(comment),
        )
        made = planning.make_plan(session, _EVERYTHING, new, by=OPERATOR, now=now)
        _print_plans(work, session, [made], output)


@plans_app.command("list")
def list_plans(
    customer: CustomerOption = None, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Lister les échéanciers. / List instalment plans."""
    with working(organisation) as work, _session(work) as session:
        wanted = PlanFilter(customer_id=_customer_id(session, customer))
        rows = _all(repository.plans_page, session, wanted)
        _print_plans(work, session, rows, output)


@plans_app.command("show")
def show_plan(
    plan: PlanArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Montrer un échéancier et son histoire. / Show a plan and its history."""
    with working(organisation) as work, _session(work) as session:
        _print_plans(work, session, [repository.plan_by_id(session, _EVERYTHING, plan)], output, history=True)


@plans_app.command("cancel")
def cancel_plan(plan: PlanArgument, because: BecauseOption, organisation: OrganisationOption = None) -> None:
    """Annuler un échéancier. / Cancel a plan."""
    with working(organisation) as work, _session(work) as session:
        text, now = printable(because), work.services.clock()
        row = planning.cancel_plan(session, _EVERYTHING, plan, because=text, by=OPERATOR, now=now)
        _print_plans(work, session, [row], OutputFormat.TEXT)


def _session(work: Working) -> AbstractContextManager[Session]:
    return work.services.database.transaction(work.organisation_id)


def _named(session: Session, invoices: Sequence[str] | None) -> tuple[UUID, ...]:
    return tuple(receivable_named(session, each) for each in invoices or ())


def _customer_id(session: Session, customer: str | None) -> UUID | None:
    return find_customer(session, _EVERYTHING, customer).id if customer else None


def _all(page_of: Callable[..., Page[Any]], session: Session, wanted: object) -> list[Any]:
    """Every row of a list, page after page."""
    rows, cursor = [], None
    while True:
        page = page_of(session, _EVERYTHING, wanted, cursor=cursor, limit=LONGEST_PAGE)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows


def _print_promises(
    work: Working, session: Session, rows: Sequence[Promise], output: OutputFormat, *, history: bool = False
) -> None:
    views = promise_views(session, rows)
    _print(output, views, [promise_text(view, work.language, history=history) for view in views])


def _print_disputes(
    work: Working, session: Session, rows: Sequence[Dispute], output: OutputFormat, *, history: bool = False
) -> None:
    views = dispute_views(session, rows)
    _print(output, views, [dispute_text(view, work.language, history=history) for view in views])


def _print_plans(
    work: Working, session: Session, rows: Sequence[Plan], output: OutputFormat, *, history: bool = False
) -> None:
    views = plan_views(session, rows)
    _print(output, views, [plan_text(view, work.language, history=history) for view in views])


def _print(output: OutputFormat, views: Sequence[Any], texts: Sequence[str]) -> None:
    if output is OutputFormat.JSON:
        print_json(list(views))
        return
    for text in texts:
        typer.echo(text)
