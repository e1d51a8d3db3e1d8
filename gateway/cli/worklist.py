"""`gateway worklist`: what to do today so that cash comes in, the most expected cash first."""

from typing import Annotated

import typer

from gateway.access.scope import Scope
from gateway.cli.working import OPERATOR, FormatOption, OrganisationOption, OutputFormat, print_json, working
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import worklist_policy
from gateway.collection.worklist.ranking import Ranked
from gateway.collection.worklist.views import WorklistView
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Text

_COUNTS = Text(
    "{total} à faire, {overdue} en retard, {later} à reprendre plus tard",
    "{total} to do, {overdue} overdue, {later} to come back later",
)


def worklist_command(
    search: Annotated[str, typer.Option(metavar="TEXTE", help="Texte cherché. / Text sought.")] = "",
    customer: Annotated[str | None, typer.Option(metavar="CLIENT", help="Identifiant, clé ou SIREN.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="ar, sales, logistics, billing, treasury, order_desk.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Nature : call, answer_dispute… / Kind.")] = None,
    key_accounts: Annotated[bool, typer.Option("--key-accounts", help="Grands comptes seulement.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Ce qui revient un autre jour, après un appel.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LONGEST_PAGE, help="Nombre de lignes. / Number of lines.")] = 50,
    output: FormatOption = OutputFormat.TEXT,
    organisation: OrganisationOption = None,
) -> None:
    """Lister ce qu’il y a à faire, le plus utile d’abord. / List what to do, the most useful first."""
    with working(organisation) as work, work.services.database.transaction(work.organisation_id) as session:
        today, everything = paris_date(work.services.clock()), Scope.everything()
        wanted = WorklistFilter(
            customer_id=find_customer(session, everything, customer).id if customer else None,
            key_accounts_only=key_accounts,
            teams=tuple(team or ()),
            kinds=tuple(kind or ()),
            later=later,
            text=search,
        )
        found = worklist_of(
            matters(session, Viewer(everything, OPERATOR)), wanted, today, worklist_policy(today), limit=limit
        )
    if output is OutputFormat.JSON:
        print_json(WorklistView.of(found))
        return
    for line in found.page.items:
        typer.echo(_line_text(line, Sayer(work.language)))
    counts = _COUNTS.format(total=found.total, overdue=found.overdue, later=found.later)
    typer.echo(counts.in_language(work.language))


def _line_text(line: Ranked, say: Sayer) -> str:
    """What is to be done, about whom, and why it stands there."""
    matter = line.matter
    parts = [say.say(matter.title)]
    if matter.amount is not None and matter.currency:
        parts.append(say.money(matter.amount, matter.currency))
    if matter.due_on is not None:
        parts.append(say.short_day(matter.due_on))
    return f"{'  '.join(parts)}\n    {say.say(line.why)}"
