"""`gateway timeline`: what happened to an invoice, who said it, when, and what is expected next."""

from enum import StrEnum
from typing import Annotated

import typer
from babel.dates import format_datetime
from babel.numbers import format_currency

from gateway.access.repository import organisations
from gateway.access.scope import Scope
from gateway.database import open_database
from gateway.kernel.clock import PARIS
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.links import LinkedInvoice
from gateway.lifecycle.repository import invoices_by_number
from gateway.lifecycle.timeline import Timeline, TimelineEntry, timeline_of


class TimelineFormat(StrEnum):
    """How a timeline is printed."""

    TEXT = "text"
    JSON = "json"


def timeline_command(
    invoice: Annotated[str, typer.Argument(help="Numéro de facture (BT-1). / Invoice number (BT-1).")],
    form: Annotated[TimelineFormat, typer.Option("--format", help="text ou json.")] = TimelineFormat.TEXT,
    organisation: Annotated[
        str | None, typer.Option(metavar="SIREN", help="L'organisation, s'il y en a plusieurs.")
    ] = None,
) -> None:
    """L'histoire d'une facture : ce qui s'est passé, qui l'a dit, quand, et la suite attendue.

    The story of an invoice: what happened, who said it, when, and what is expected next.
    """
    settings = load_settings()
    timelines = _timelines(invoice, organisation)
    if form is TimelineFormat.JSON:
        for timeline in timelines:
            typer.echo(timeline.model_dump_json())
    else:
        typer.echo("\n\n".join(as_text(timeline, settings.language) for timeline in timelines))


def as_text(timeline: Timeline, language: Language) -> str:
    """A timeline as lines people read, times in Paris."""
    due = f", échéance / due {timeline.due_date}" if timeline.due_date else ""
    total, remaining = (
        format_currency(amount, timeline.currency, locale=language)
        for amount in (timeline.total_with_vat, timeline.remaining)
    )
    head = [
        f"{timeline.number}  {timeline.seller_name} → {timeline.buyer_name}",
        f"{timeline.issue_date}{due}  {total}, reste / remaining {remaining}",
    ]
    head += [f"rectifie / corrects: {_link(one, timeline, language)}" for one in timeline.corrects]
    head += [f"rectifiée par / corrected by: {_link(one, timeline, language)}" for one in timeline.corrected_by]
    lines = [_line(entry, language) for entry in timeline.entries]
    following = ", ".join(f"{one.code} {one.label.in_language(language)}" for one in timeline.expected_next)
    tail = [f"attendu / expected next: {following}"] if following else []
    return "\n".join([*head, *lines, *tail])


def _line(entry: TimelineEntry, language: Language) -> str:
    when = format_datetime(entry.at.astimezone(PARIS), "yyyy-MM-dd HH:mm:ss", locale=language)
    said_by = entry.issuer_name or (entry.issuer.label.in_language(language) if entry.issuer else "")
    reasons = "; ".join(f"{reason.code} {reason.label.in_language(language)}" for reason in entry.reasons)
    details = " — ".join(part for part in (reasons, entry.comment) if part)
    label = entry.status.label.in_language(language)
    return f"  {when}  {entry.status.code} {label}  {said_by}" + (f"\n      {details}" if details else "")


def _link(linked: LinkedInvoice, timeline: Timeline, language: Language) -> str:
    """The linked invoice, the one that links it when it is not direct, its type, amount and status."""
    through = f"← {linked.through}" if linked.through != timeline.number else ""
    total = linked.total_with_vat
    amount = "" if total is None else format_currency(total, linked.currency or "", locale=language)
    state = f"{linked.status} {linked.status_label.in_language(language)}" if linked.status_label else ""
    return "  ".join(filter(None, (linked.number, through, linked.type_code, amount, state)))


def _timelines(number: str, siren: str | None) -> list[Timeline]:
    database = open_database(load_settings())
    found: list[Timeline] = []
    try:
        for organisation in organisations(database):
            if siren is None or organisation.siren == siren:
                with database.transaction(organisation.id) as session:
                    for invoice in invoices_by_number(session, Scope.everything(), number):
                        found.append(timeline_of(session, Scope.everything(), invoice))
    finally:
        database.close()
    if not found:
        raise InvoiceNotFoundError(number)
    return found
