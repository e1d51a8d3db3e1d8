"""`gateway claims` and `gateway orders`: limitation, insolvency, hand-over to litigation, order check."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.cli.receivables import amount_given, receivable_named
from gateway.cli.working import OPERATOR, FormatOption, OrganisationOption, OutputFormat, Working, print_json, working
from gateway.collection.evidence import evidence_maker
from gateway.collection.law import repository
from gateway.collection.law.dossier import dossier_name, write_dossier
from gateway.collection.law.handing_over import close_hand_over, hand_over
from gateway.collection.law.insolvency import InsolvencyKind
from gateway.collection.law.limitation import ActOnClaim
from gateway.collection.law.orders import block_orders, check_order, lift_block, set_order_policy
from gateway.collection.law.proceedings import declare_claim, end_insolvency, record_insolvency
from gateway.collection.law.views import (
    InsolvencyView,
    LimitationView,
    insolvency_view,
    limitation_view,
    order_check_view,
)
from gateway.collection.law.watching import ENDED, end_proceedings, limitation_of_invoice, record_act
from gateway.customers.model import Customer
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text, printable

claims_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Prescription, procédures collectives, contentieux. / Limitation, insolvency, litigation.",
)
orders_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Contrôle des commandes. / Check of orders.")
_EVERYTHING = Scope.everything()
_ENDS = Text("dernier jour pour agir : {day}", "last day to act: {day}")
_ENDED = Text("prescrite : le dernier jour pour agir était le {day}", "time-barred: the last day to act was {day}")
_HELD = Text("interrompue par une instance en cours", "held up by proceedings")
_FROM = Text("court depuis le {day} ({term})", "runs from {day} ({term})")
_ANEW = Text("court à nouveau depuis le {day}", "runs anew from {day}")
_INTERRUPTS = Text("interrompt", "interrupts")
_NOTHING = Text("n’interrompt pas", "does not interrupt")
_DECLARE = Text("à déclarer au plus tard le {day}", "to declare by {day}")
_DECLARED = Text("déclarée le {day}", "declared on {day}")

Invoice = Annotated[str, typer.Argument(metavar="FACTURE", help="Numéro ou identifiant. / Number or id.")]
Customer_ = Annotated[str, typer.Argument(metavar="CLIENT", help="Identifiant, clé ou SIREN. / Id, key or SIREN.")]
Day = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Jour. / Day.")]
Because = Annotated[str, typer.Option(help="Pourquoi. / Why.")]


@claims_app.command("limitation")
def limitation_command(
    invoice: Invoice, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Jusqu’à quand agir en justice. / Until when to go to court."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        law = work.services.law
        row = repository.receivable_by_id(session, _EVERYTHING, receivable_named(session, invoice))
        decision = limitation_of_invoice(session, row, law.read_start, law.law)
        view = limitation_view(session, row, decision, law.law)
        _print(view, output, _limitation_text(view, work.language, paris_date(work.services.clock())))


@claims_app.command("act")
def act_command(
    invoice: Invoice,
    kind: Annotated[str, typer.Argument(help="acknowledgement, court_claim, enforcement, registered_letter…")],
    on: Day,
    document: Annotated[str, typer.Option(help="Ce qui le prouve. / What proves it.")],
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer ce qui arrive à une créance. / Record what happens to a claim."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        law, act = work.services.law, ActOnClaim(kind, on.date())
        invoice_id = receivable_named(session, invoice)
        record_act(
            session,
            _EVERYTHING,
            invoice_id,
            act,
            law.read_start,
            law.law,
            document=printable(document),
            by=OPERATOR,
            now=work.services.clock(),
        )
        session.flush()
        typer.echo(_limitation_told(session, invoice_id, work))


@claims_app.command("outcome")
def outcome_command(
    act: Annotated[UUID, typer.Argument(metavar="ACTE", help="Identifiant (gateway claims limitation). / Its id.")],
    on: Day,
    ending: Annotated[str, typer.Option(help="ended, annulled, dismissed, withdrawn, lapsed.")] = ENDED,
    document: Annotated[str, typer.Option(help="La décision qui le dit. / The decision that says so.")] = "",
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer la fin d’une instance, et son issue. / Record that proceedings ended, and how."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row = end_proceedings(
            session,
            _EVERYTHING,
            act,
            on.date(),
            work.services.law.law,
            ending=ending,
            document=printable(document),
            by=OPERATOR,
            now=work.services.clock(),
        )
        session.flush()
        typer.echo(_limitation_told(session, row.invoice_id, work))


@claims_app.command("insolvent")
def insolvent_command(
    customer: Customer_,
    kind: Annotated[InsolvencyKind, typer.Argument(help="safeguard, receivership, liquidation.")],
    on: Annotated[datetime, typer.Option("--judgment", formats=["%Y-%m-%d"], help="Jugement. / Judgment.")],
    source: Annotated[str, typer.Option(help="Où on l’a lu. / Where it was read.")],
    published: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="BODACC.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer une procédure collective. / Record insolvency proceedings."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row = record_insolvency(
            session,
            _EVERYTHING,
            customer,
            kind,
            work.services.law.law,
            judgment_on=on.date(),
            published_on=published.date() if published else None,
            source=printable(source),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(_insolvency_text(insolvency_view(row), work.language))


@claims_app.command("declare")
def declare_command(
    insolvency: Annotated[UUID, typer.Argument(help="Identifiant de la procédure. / Its identifier.")],
    on: Day,
    amount: Annotated[Decimal, typer.Option(parser=amount_given, help="Montant déclaré. / Amount declared.")],
    reference: Annotated[str, typer.Option(help="Ce qui le prouve. / What proves it.")],
    currency: str = "EUR",
    organisation: OrganisationOption = None,
) -> None:
    """Enregistrer la déclaration de créance. / Record that the claim was declared."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row = declare_claim(
            session,
            _EVERYTHING,
            insolvency,
            work.services.law.law,
            on=on.date(),
            amount=amount,
            currency=currency,
            reference=printable(reference),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(_insolvency_text(insolvency_view(row), work.language))


@claims_app.command("end")
def end_command(
    insolvency: Annotated[UUID, typer.Argument(help="Identifiant de la procédure. / Its identifier.")],
    on: Day,
    organisation: OrganisationOption = None,
) -> None:
    """La procédure collective est close. / The proceedings are over."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        law, now = work.services.law.law, work.services.clock()
        row = end_insolvency(session, _EVERYTHING, insolvency, law, ended_on=on.date(), by=OPERATOR, now=now)
        typer.echo(_insolvency_text(insolvency_view(row), work.language))


@claims_app.command("hand-over")
def hand_over_command(
    customer: Customer_,
    invoices: Annotated[list[str], typer.Argument(metavar="FACTURE…", help="Numéros ou identifiants.")],
    to: Annotated[str, typer.Option(help="Avocat, huissier, service. / Lawyer, bailiff, team.")],
    reference: Annotated[str, typer.Option(help="Du dossier. / Of the case.")] = "",
    whole: Annotated[bool, typer.Option("--whole-customer", help="Ne plus rien relancer du client.")] = False,
    organisation: OrganisationOption = None,
) -> None:
    """Remettre des factures au contentieux ; leurs relances s’arrêtent. / Hand invoices over to litigation."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        row, readiness = hand_over(
            session,
            _EVERYTHING,
            customer,
            [receivable_named(session, each) for each in invoices],
            work.services.law.law,
            whole_customer=whole,
            handed_to=printable(to),
            reference=printable(reference),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(str(row.id))
        for each in readiness.missing:
            typer.echo(f"    {each.says.in_language(work.language)}")


@claims_app.command("file")
def file_command(
    case: Annotated[UUID, typer.Argument(metavar="DOSSIER", help="Identifiant (hand-over). / Identifier.")],
    output: Annotated[Path | None, typer.Option(dir_okay=False, help="Fichier à écrire. / File to write.")] = None,
    organisation: OrganisationOption = None,
) -> None:
    """Écrire le dossier de contentieux (zip). / Write the hand-over file."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        law, now = work.services.law, work.services.clock()
        row = repository.hand_over_by_id(session, _EVERYTHING, case)
        file = output or Path(dossier_name(session.get_one(Customer, row.customer_id), row))
        evidence_of = evidence_maker(session, law.store, law.key, work.language, now)
        with file.open("wb") as written:
            write_dossier(written, session, _EVERYTHING, row, law, evidence_of, now)
        typer.echo(str(file))


@claims_app.command("close")
def close_command(
    case: Annotated[UUID, typer.Argument(metavar="DOSSIER", help="Identifiant (hand-over). / Identifier.")],
    because: Because,
    organisation: OrganisationOption = None,
) -> None:
    """Clore un dossier : ce qui reste ouvert peut être relancé. / Close a case."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        close_hand_over(
            session, _EVERYTHING, case, on=paris_date(now), because=printable(because), by=OPERATOR, now=now
        )
    typer.echo(str(case))


@orders_app.command("check")
def check_command(
    customer: Customer_,
    amount: Annotated[Decimal, typer.Argument(parser=amount_given, help="Montant TTC. / Amount, VAT included.")],
    currency: str = "EUR",
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Autorisée (code 0), à surveiller (0) ou bloquée (1), et pourquoi. / Allowed, warned (0) or blocked (1)."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now, law = work.services.clock(), work.services.law.law
        decision = check_order(session, _EVERYTHING, customer, amount, currency, law, now)
        said = [decision.verdict.label, *(each.says for each in decision.reasons)]
        view = order_check_view(decision, currency)
        _print(view, output, "\n    ".join(each.in_language(work.language) for each in said))
    raise typer.Exit(1 if decision.verdict == "blocked" else 0)


@orders_app.command("block")
def block_command(customer: Customer_, because: Because, organisation: OrganisationOption = None) -> None:
    """Bloquer les commandes d’un client. / Block a customer’s orders."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        block_orders(session, _EVERYTHING, customer, reason=printable(because), by=OPERATOR, now=now)
    typer.echo(customer)


@orders_app.command("unblock")
def unblock_command(customer: Customer_, because: Because, organisation: OrganisationOption = None) -> None:
    """Lever le blocage. / Lift the block."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        lift_block(session, _EVERYTHING, customer, because=printable(because), by=OPERATOR, now=now)
    typer.echo(customer)


@orders_app.command("policy")
def policy_command(
    thresholds: Annotated[list[str], typer.Argument(metavar="NOM=VALEUR…", help="exposure_blocked=120…")],
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour. / First day.")],
    organisation: OrganisationOption = None,
) -> None:
    """Changer les seuils à partir d’un jour ; 0 en désactive un. / Change thresholds from a day on."""
    if wrong := next((each for each in thresholds if "=" not in each), None):
        raise typer.BadParameter(wrong)
    given: dict[str, Any] = dict(each.split("=", 1) for each in thresholds)
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now, law = work.services.clock(), work.services.law.law
        print_json(set_order_policy(session, law, given, since.date(), by=OPERATOR, now=now))


def _print(view: Any, output: OutputFormat, text: str) -> None:
    if output is OutputFormat.JSON:
        print_json(view)
    else:
        typer.echo(text)


def _limitation_told(session: Session, invoice_id: UUID, work: Working) -> str:
    law = work.services.law
    row = repository.receivable_by_id(session, _EVERYTHING, invoice_id)
    decision = limitation_of_invoice(session, row, law.read_start, law.law)
    view = limitation_view(session, row, decision, law.law)
    return _limitation_text(view, work.language, paris_date(work.services.clock()))


def _limitation_text(view: LimitationView, language: Language, today: date) -> str:
    say = Sayer(language)
    lines = [f"{view.number}  {say.say(_FROM).format(day=say.day(view.started_on), term=view.term)}  ({view.law})"]
    if view.counted_from != view.started_on:
        lines.append(f"    {say.say(_ANEW).format(day=say.day(view.counted_from))}")
    if view.ends_on:
        ends = _ENDED if view.ends_on < today else _ENDS
        lines.append(f"    {say.say(ends).format(day=say.day(view.ends_on))}")
    else:
        lines.append(f"    {say.say(_HELD)}")
    for act in view.acts:
        effect = _INTERRUPTS if act.interrupts else _NOTHING
        label = act.label_fr if language == "fr" else act.label_en
        identifier = f"  {act.id}" if act.may_end else ""
        lines.append(f"    {act.on}  {label}  {say.say(effect)}  ({act.law})  {act.document}{identifier}")
        for each in act.endings:
            label = each.label_fr if language == "fr" else each.label_en
            lines.append(f"        {each.on}  {label}  ({each.law})  {each.document}")
    return "\n".join(lines)


def _insolvency_text(view: InsolvencyView, language: Language) -> str:
    kind = InsolvencyKind(view.kind).label.in_language(language)
    day = Sayer(language).day(view.declared_on or view.declare_by)
    told = (_DECLARED if view.declared_on else _DECLARE).in_language(language).format(day=day)
    return f"{view.id}  {kind}  {view.judgment_on}  {told}"
