"""`gateway reminders`: what would be sent to customers and why not, what was, and what a person decides about it."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from gateway.access.scope import Scope
from gateway.app.reminders import round_of
from gateway.cli.reminders_text import decision_text, exclusion_text, reminder_text
from gateway.cli.working import (
    OPERATOR,
    FormatOption,
    OrganisationOption,
    OutputFormat,
    print_json,
    read_table,
    working,
)
from gateway.collection import confirming, exclusions, scenario_books
from gateway.collection.dispatching import dispatch
from gateway.collection.errors import InvalidScenariosError
from gateway.collection.foreseeing import claimed_in_all, most_urgent_first
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reminder_rows import ReminderFilter, reminder_by_id, reminders_page
from gateway.collection.reminder_views import ExclusionView, decision_view, reminder_views
from gateway.collection.reminding import instant_of, preview
from gateway.collection.returning import came_back
from gateway.collection.scenarios import default_book
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Text, printable

reminders_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les relances des clients. / Reminders sent to customers."
)
scenarios_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Les scénarios de relance. / Scenarios of reminders."
)
reminders_app.add_typer(scenarios_app, name="scenarios")
_EVERYTHING = Scope.everything()
_IN_ALL = Text("Réclamé en tout : ", "Claimed in all: ")
ReminderArgument = Annotated[UUID, typer.Argument(metavar="RELANCE", help="Identifiant (gateway reminders list).")]
CustomerArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="Identifiant, clé ou SIREN.")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Un jour. / A day.")]


@reminders_app.command("preview")
def preview_command(
    on: DayOption = None,
    customer: Annotated[str | None, typer.Option(metavar="CLIENT", help="Identifiant, clé ou SIREN.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Aussi les comptes pour lesquels rien n’est fait.")] = False,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """
    Montrer ce que la prochaine ronde ferait, sans rien faire, le plus pressant d’abord. / Show what the next round
    would do, doing nothing, the most urgent first.
    """
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock() if on is None else instant_of(session, on.date())
        customers = [find_customer(session, _EVERYTHING, customer).id] if customer else None
        wanted = every or customer is not None
        found = preview(session, now, customers)
        decided = most_urgent_first(each for each in found if wanted or each.step is not None)
        if output is OutputFormat.JSON:
            print_json([decision_view(each) for each in decided])
            return
        for each in decided:
            typer.echo(decision_text(each, work.language))
        say = Sayer(work.language)
        for currency, total in claimed_in_all(decided).items():
            typer.echo(f"{say.say(_IN_ALL)}{say.money(total, currency)}")


@reminders_app.command("run")
def run_command(organisation: OrganisationOption = None) -> None:
    """Faire une ronde maintenant : décider, enregistrer, laisser partir. / Make a round now."""
    with working(organisation) as work:
        done = round_of(work.services.reminders, work.services.settings).run(work.organisation_id)
        dispatch(work.services.reminders, work.organisation_id)
        for state, count in sorted(done.recorded.items()):
            typer.echo(f"{count}  {state.label.in_language(work.language)}")
        if done.withdrawn:
            typer.echo(f"{done.withdrawn}  {ReminderState.WITHDRAWN.label.in_language(work.language)}")


@reminders_app.command("list")
def list_command(
    state: Annotated[list[ReminderState] | None, typer.Option(help="Où elles en sont. / Where they stand.")] = None,
    customer: Annotated[str | None, typer.Option(metavar="CLIENT", help="Identifiant, clé ou SIREN.")] = None,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister les relances, la plus récente d’abord. / List the reminders, the latest first."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        customer_id = find_customer(session, _EVERYTHING, customer).id if customer else None
        wanted = ReminderFilter(states=tuple(state or ()), customer_id=customer_id)
        found, cursor = [], None
        while True:
            page = reminders_page(session, _EVERYTHING, wanted, cursor=cursor, limit=LONGEST_PAGE)
            found += reminder_views(session, _EVERYTHING, page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        if output is OutputFormat.JSON:
            print_json(list(found))
            return
        for each in found:
            typer.echo(reminder_text(each, work.language))


@reminders_app.command("show")
def show_command(
    reminder: ReminderArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Montrer une relance et son texte. / Show a reminder and its text."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        (view,) = reminder_views(session, _EVERYTHING, [reminder_by_id(session, _EVERYTHING, reminder)])
        if output is OutputFormat.JSON:
            print_json(view)
            return
        typer.echo(reminder_text(view, work.language))
        if view.text:
            typer.echo(f"\n{view.subject}\n\n{view.text}")


@reminders_app.command("confirm")
def confirm_command(
    reminder: ReminderArgument,
    note: Annotated[str, typer.Option(help="Quelques mots à ajouter. / Words to add.")] = "",
    email: Annotated[str, typer.Option(help="Une autre adresse du client. / Another address.")] = "",
    organisation: OrganisationOption = None,
) -> None:
    """Laisser partir une relance. / Let a reminder leave."""
    _decide(organisation, confirming.confirm, reminder, note=printable(note), email=email)


@reminders_app.command("refuse")
def refuse_command(
    reminder: ReminderArgument,
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")],
    organisation: OrganisationOption = None,
) -> None:
    """Ne pas laisser partir une relance. / Let a reminder not leave."""
    _decide(organisation, confirming.refuse, reminder, reason=printable(reason))


@reminders_app.command("done")
def done_command(
    reminder: ReminderArgument,
    outcome: Annotated[str, typer.Option(help="Ce qu’il en est sorti, ou le numéro du recommandé.")],
    organisation: OrganisationOption = None,
) -> None:
    """Dire qu’une lettre est postée, un appel passé, une tâche faite. / Say that it was posted, called or done."""
    _decide(organisation, confirming.complete, reminder, outcome=printable(outcome))


@reminders_app.command("settle")
def settle_command(
    reminder: ReminderArgument,
    arrived: Annotated[bool, typer.Option("--arrived/--not-arrived", help="Sinon, elle repart. / Else it is resent.")],
    email: Annotated[str, typer.Option(help="À la bonne adresse. / To the right address.")] = "",
    organisation: OrganisationOption = None,
) -> None:
    """Trancher un envoi incertain ou en échec. / Settle a message in doubt or failed."""
    _decide(organisation, confirming.settle, reminder, arrived=arrived, email=email)


@reminders_app.command("bounced")
def bounced_command(
    reminder: ReminderArgument,
    words: Annotated[str, typer.Option(help="Ce que dit le message de retour. / What the returned message says.")],
    organisation: OrganisationOption = None,
) -> None:
    """Dire qu’un e-mail est revenu : son adresse n’est plus utilisée. / Say that an e-mail came back."""
    _decide(organisation, came_back, reminder, words=printable(words))


@reminders_app.command("exclude")
def exclude_command(
    customer: CustomerArgument,
    reason: Annotated[str, typer.Option(help="Pourquoi. / Why.")],
    invoice: Annotated[UUID | None, typer.Option(help="Cette facture seulement. / This invoice only.")] = None,
    entry: Annotated[
        UUID | None, typer.Option(help="Cette créance des seuls livres. / This receivable of the books alone.")
    ] = None,
    until: DayOption = None,
    organisation: OrganisationOption = None,
) -> None:
    """Exclure un client ou une facture des relances. / Spare a customer or an invoice."""
    last_day = until.date() if until else None
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        made = exclusions.exclude(
            session,
            _EVERYTHING,
            customer,
            invoice_id=invoice,
            entry_id=entry,
            until=last_day,
            reason=printable(reason),
            by=OPERATOR,
            now=work.services.clock(),
        )
        typer.echo(exclusion_text(ExclusionView.of(made), work.language))


@reminders_app.command("lift")
def lift_command(
    exclusion: Annotated[UUID, typer.Argument(metavar="EXCLUSION", help="Identifiant (gateway reminders exclusions).")],
    organisation: OrganisationOption = None,
) -> None:
    """Lever une exclusion. / Lift an exclusion."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        lifted = exclusions.lift(session, _EVERYTHING, exclusion, by=OPERATOR, now=work.services.clock())
        typer.echo(exclusion_text(ExclusionView.of(lifted), work.language))


@reminders_app.command("exclusions")
def exclusions_command(
    customer: CustomerArgument, output: FormatOption = OutputFormat.TEXT, organisation: OrganisationOption = None
) -> None:
    """Lister les exclusions d’un client, levées comprises. / List the exclusions of a customer, lifted ones too."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        found = [ExclusionView.of(row) for row in exclusions.exclusions_of(session, _EVERYTHING, customer)]
        if output is OutputFormat.JSON:
            print_json(list(found))
            return
        for each in found:
            typer.echo(exclusion_text(each, work.language))


@scenarios_app.command("show")
def show_scenarios(
    default: Annotated[bool, typer.Option("--default", help="Ceux d’origine. / The original ones.")] = False,
    organisation: OrganisationOption = None,
) -> None:
    """Montrer les scénarios en vigueur (JSON, à modifier puis importer). / Show the scenarios in force."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        today = paris_date(work.services.clock())
        book = default_book(today) if default else scenario_books.book_in_force(session, today)
        typer.echo(json.dumps(scenario_books.book_content(book), ensure_ascii=False, indent=2))


@scenarios_app.command("list")
def list_scenarios(organisation: OrganisationOption = None) -> None:
    """Lister les versions enregistrées. / List the versions stored."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        for row in scenario_books.stored_books(session):
            typer.echo(f"{row.valid_from}  {row.stored_at:%Y-%m-%d %H:%M}  {row.stored_by}  {row.comment}")


@scenarios_app.command("import")
def import_scenarios(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML ou JSON.")],
    valid_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour ; aujourd’hui par défaut.")
    ] = None,
    comment: Annotated[str, typer.Option(help="Pourquoi ce changement. / Why.")] = "",
    organisation: OrganisationOption = None,
) -> None:
    """Suivre d’autres scénarios à partir d’un jour. / Follow other scenarios from a day on."""
    content = read_table(file, InvalidScenariosError)
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        now = work.services.clock()
        first: date = valid_from.date() if valid_from else paris_date(now)
        row = scenario_books.store_book(
            session, _EVERYTHING, content, valid_from=first, comment=printable(comment), by=OPERATOR, now=now
        )
        typer.echo(f"{row.valid_from}  {', '.join(each['key'] for each in row.content['scenario'])}")


def _decide(organisation: str | None, deed: Callable[..., Reminder], reminder: UUID, **named: object) -> None:
    """Do what a person decides, let what may leave leave, and print the reminder as it stands then."""
    with working(organisation) as work:
        services = work.services
        with services.database.transaction(work.organisation_id) as session:
            deed(session, _EVERYTHING, reminder, by=OPERATOR, now=services.clock(), **named)
        dispatch(services.reminders, work.organisation_id)
        with services.database.transaction(work.organisation_id) as session:
            (view,) = reminder_views(session, _EVERYTHING, [reminder_by_id(session, _EVERYTHING, reminder)])
        typer.echo(reminder_text(view, work.language))
