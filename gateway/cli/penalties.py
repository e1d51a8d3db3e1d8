"""`gateway penalties`: late-payment interest and the fixed indemnity: what has run, what is claimed, what is waived."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.access.scope import Scope
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
from gateway.collection.law.claiming import (
    agree_on_rate,
    choose_treatment,
    claim_penalties,
    pay_penalty,
    waive_penalty,
)
from gateway.collection.law.correcting import correct_claims
from gateway.collection.law.model import Treatment
from gateway.collection.law.positions import position_of, positions_of
from gateway.collection.law.repository import due_invoices
from gateway.collection.law.views import ClaimView, PenaltyView, claim_view, penalty_view
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text, printable

penalties_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les pénalités de retard. / Late-payment penalties."
)
_EVERYTHING = Scope.everything()
_INTEREST = Text("intérêts {interest} sur {days} jours", "interest {interest} over {days} days")
_INDEMNITY = Text("indemnité {amount}", "indemnity {amount}")
_PROVISIONAL = Text("taux provisoire", "provisional rate")
_CLAIMED = Text("réclamé {amount}, reste {left}", "claimed {amount}, {left} left")
_EXCESS = Text(
    "réclamé en trop : {interest} + {indemnity} (gateway penalties correct)",
    "claimed too much: {interest} + {indemnity} (gateway penalties correct)",
)
_CORRECTED = Text("corrigé de {amount}", "corrected by {amount}")
_TO_CLAIM = Text("à réclamer", "to claim")
_ONCE_PUBLISHED = Text(
    "intérêts {interest} : à réclamer une fois le taux publié",
    "interest {interest}: to claim once the rate is published",
)

InvoiceArgument = Annotated[str, typer.Argument(metavar="FACTURE", help="Numéro ou identifiant. / Number or id.")]
CustomerOption = Annotated[str | None, typer.Option("--customer", metavar="CLIENT", help="Identifiant, clé ou SIREN.")]
DayOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Dernier jour compté ; aujourd’hui sinon.")
]
PenaltyArgument = Annotated[UUID, typer.Argument(metavar="PENALITE", help="Identifiant (gateway penalties show).")]


@penalties_app.command("show")
def show_command(
    invoice: Annotated[str | None, typer.Argument(metavar="[FACTURE]", help="Numéro ou identifiant.")] = None,
    customer: CustomerOption = None,
    until: DayOption = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Les pénalités d’une facture, d’un client, ou de tous, jour par jour. / Penalties, down to days."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        found = _views(work, session, invoice, customer, _day(work, until))
        if output is OutputFormat.JSON:
            print_json(list(found))
            return
        for view in found:
            typer.echo(_as_text(view, work.language))


@penalties_app.command("claim")
def claim_command(invoice: InvoiceArgument, until: DayOption = None, organisation: OrganisationOption = None) -> None:
    """Réclamer ce qui a couru et ne l’est pas encore. / Claim what has run and was not claimed."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        day, law, invoice_id = _day(work, until), work.services.law.law, receivable_named(session, invoice)
        now = work.services.clock()
        claim_penalties(session, _EVERYTHING, invoice_id, law, until=day, by=OPERATOR, now=now)
        session.flush()
        view = penalty_view(position_of(session, _EVERYTHING, invoice_id, day, law))
        typer.echo(_as_text(view, work.language))


@penalties_app.command("waive")
def waive_command(
    penalty: PenaltyArgument,
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")],
    amount: Annotated[
        Decimal | None, typer.Option(parser=amount_given, help="Tout le reste sinon. / All that is left otherwise.")
    ] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Abandonner une pénalité réclamée. / Give up a claimed penalty."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        waived = waive_penalty(
            session,
            _EVERYTHING,
            penalty,
            amount,
            reason=printable(reason),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(_claim_text(claim_view(waived), work.language))


@penalties_app.command("correct")
def correct_command(
    invoice: InvoiceArgument,
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")],
    organisation: OrganisationOption = None,
) -> None:
    """Ramener à ce qui est dû ce qui est réclamé en trop. / Lower claims to what is due."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        corrected = correct_claims(
            session,
            _EVERYTHING,
            receivable_named(session, invoice),
            work.services.law.law,
            reason=printable(reason),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(_as_text(penalty_view(corrected), work.language))


@penalties_app.command("pay")
def pay_command(
    penalty: PenaltyArgument,
    receipt: Annotated[UUID, typer.Option(help="L’encaissement (gateway receipts list). / The receipt.")],
    amount: Annotated[Decimal, typer.Option(parser=amount_given, help="Ce qui la paie. / What pays it.")],
    organisation: OrganisationOption = None,
) -> None:
    """Payer une pénalité par l’argent non affecté d’un encaissement. / Pay a penalty from a receipt."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        paid = pay_penalty(session, _EVERYTHING, penalty, amount, receipt, by=OPERATOR, now=now)
        typer.echo(_claim_text(claim_view(paid), work.language))


@penalties_app.command("choose")
def choose_command(
    treatment: Annotated[Treatment, typer.Argument(help="announced, claimed, waived.")],
    customer: CustomerOption = None,
    invoice: Annotated[str | None, typer.Option("--invoice", metavar="FACTURE", help="Numéro ou identifiant.")] = None,
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")] = "",
    organisation: OrganisationOption = None,
) -> None:
    """Choisir ce que deviennent les pénalités : d’une facture, d’un client, de tous. / Choose what becomes of them."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        choose_treatment(
            session,
            treatment,
            customer_id=find_customer(session, _EVERYTHING, customer).id if customer and not invoice else None,
            invoice_id=receivable_named(session, invoice) if invoice else None,
            reason=printable(reason),
            by=OPERATOR,
            now=work.services.clock(),
        )
    typer.echo(treatment.label.in_language(work.language))


@penalties_app.command("rate")
def rate_command(
    percent: Annotated[str, typer.Argument(help="Pour cent par an ; « law » : le taux de la loi. / A year.")],
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour. / First day.")],
    source: Annotated[str, typer.Option(help="Contrat ou conditions de vente. / Contract or terms of sale.")],
    customer: CustomerOption = None,
    organisation: OrganisationOption = None,
) -> None:
    """Dire le taux convenu, au moins trois fois l’intérêt légal. / Tell the agreed rate."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        agree_on_rate(
            session,
            work.services.law.law,
            None if percent == "law" else amount_given(percent),
            since.date(),
            customer_id=find_customer(session, _EVERYTHING, customer).id if customer else None,
            source=printable(source),
            by=OPERATOR,
            now=work.services.clock(),
        )
    typer.echo(percent)


def _views(
    work: Working, session: Session, invoice: str | None, customer: str | None, day: date
) -> Iterator[PenaltyView]:
    law = work.services.law.law
    if invoice is not None:
        yield penalty_view(position_of(session, _EVERYTHING, receivable_named(session, invoice), day, law))
        return
    customer_id = find_customer(session, _EVERYTHING, customer).id if customer else None
    cursor = None
    while True:
        page = due_invoices(session, _EVERYTHING, day, customer_id=customer_id, cursor=cursor, limit=LONGEST_PAGE)
        for position in positions_of(session, page.items, day, law):
            if not position.is_nothing:
                yield penalty_view(position)
        cursor = page.next_cursor
        if cursor is None:
            return


def _day(work: Working, until: datetime | None) -> date:
    return until.date() if until else paris_date(work.services.clock())


def _as_text(view: PenaltyView, language: Language) -> str:
    say = Sayer(language)

    def money(amount: Decimal, currency: str = view.currency) -> str:
        return say.money(amount, currency)

    parts = [_INTEREST.in_language(language).format(interest=money(view.interest), days=view.days)]
    if view.indemnity:
        amount = money(view.indemnity, view.indemnity_currency)
        parts.append(_INDEMNITY.in_language(language).format(amount=amount))
    treatment = view.treatment.label.in_language(language)
    lines = [f"{view.number}  {view.due_date} → {view.until}  {', '.join(parts)}  ({treatment})"]
    for line in view.lines:
        percent, exact = say.number(line.percent), say.number(line.amount, decimals=4)
        mark = f"  {_PROVISIONAL.in_language(language)}" if line.provisional else ""
        lines.append(
            f"    {line.first} → {line.last}  {line.days:>4} × {money(line.base)} × {percent} %  = {exact}{mark}"
        )
    lines += [f"    {_claim_text(each, language)}" for each in view.claimed]
    if view.interest_excess or view.indemnity_excess:
        excess = money(view.interest_excess), money(view.indemnity_excess, view.indemnity_currency)
        lines.append("    " + _EXCESS.in_language(language).format(interest=excess[0], indemnity=excess[1]))
    interest, left = money(view.interest_to_claim), [money(view.indemnity_to_claim, view.indemnity_currency)]
    if view.provisional_from is None:
        left.insert(0, interest)
    elif view.interest_to_claim:
        lines.append("    " + _ONCE_PUBLISHED.in_language(language).format(interest=interest))
    lines.append(f"    {_TO_CLAIM.in_language(language)} {' + '.join(left)}")
    return "\n".join(lines)


def _claim_text(view: ClaimView, language: Language) -> str:
    say = Sayer(language)
    amounts = {"amount": say.money(view.amount, view.currency), "left": say.money(view.left, view.currency)}
    corrected = _CORRECTED.in_language(language).format(amount=say.money(view.corrected, view.currency))
    told = f"{view.id}  {say.say(view.kind.label)}  {say.say(_CLAIMED).format(**amounts)}"
    return f"{told}, {corrected}" if view.corrected else told
