"""`gateway timeline`: what happened to an invoice, who said it, when, and what is expected next."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from babel.dates import format_datetime

from gateway.access.repository import organisations
from gateway.access.scope import Scope
from gateway.app.own_data import use_own_data
from gateway.cli.try_text import lines_of_tries
from gateway.database import open_database
from gateway.flows.awaiting import awaited_of
from gateway.kernel.clock import PARIS, system_clock
from gateway.kernel.sayer import Sayer
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, Text
from gateway.lifecycle.deliveries import Delivery, Report
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.event_text import details_of
from gateway.lifecycle.expectations import Expectation
from gateway.lifecycle.links import LinkedInvoice
from gateway.lifecycle.repository import invoices_by_number
from gateway.lifecycle.statuses import StateLine
from gateway.lifecycle.timeline import Timeline, TimelineEntry, timeline_of
from gateway.treasury.write_off_rows import left_of

_HEADINGS = {
    StateLine.INVOICE: Text("la facture", "the invoice"),
    StateLine.TRANSMISSION: Text("remises à la plateforme", "handed over to the platform"),
    StateLine.REPORTING: Text("déclarations au portail public", "reports to the public portal"),
}


class TimelineFormat(StrEnum):
    """How a timeline is printed."""

    TEXT = "text"
    JSON = "json"


def timeline_command(
    invoice: Annotated[str, typer.Argument(help="Numéro de facture (BT-1). / Invoice number (BT-1).")],
    form: Annotated[TimelineFormat, typer.Option("--format", help="text ou json.")] = TimelineFormat.TEXT,
    organisation: Annotated[
        str | None, typer.Option(metavar="SIREN", help="L’organisation, s’il y en a plusieurs.")
    ] = None,
) -> None:
    """L’histoire d’une facture : ce qui s’est passé, qui l’a dit, quand, et la suite attendue.

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
        Sayer(language).money(amount, timeline.currency) for amount in (timeline.total_with_vat, timeline.remaining)
    )
    head = [
        f"{timeline.number}  {timeline.seller_name} → {timeline.buyer_name}",
        f"{timeline.issue_date}{due}  {total}, reste / remaining {remaining}",
    ]
    head += [f"rectifie / corrects: {_link(one, timeline, language)}" for one in timeline.corrects]
    head += [f"rectifiée par / corrected by: {_link(one, timeline, language)}" for one in timeline.corrected_by]
    return "\n".join([*head, *_lines(timeline, language), *_following(timeline, language)])


def _lines(timeline: Timeline, language: Language) -> Iterator[str]:
    """The three state lines, each under its name; a line on which nothing happened is left out."""
    deliveries: dict[StateLine, tuple[Delivery, ...]] = {
        StateLine.INVOICE: (),
        StateLine.TRANSMISSION: timeline.transmission,
        StateLine.REPORTING: timeline.reporting,
    }
    for line, attempts in deliveries.items():
        entries = [entry for entry in timeline.entries if entry.line is line]
        if line is not StateLine.INVOICE and (attempts or entries):
            yield _HEADINGS[line].in_language(language)
        yield from (_delivery(each, language) for each in attempts)
        yield from (_line(entry, language) for entry in entries)


def _following(timeline: Timeline, language: Language) -> Iterator[str]:
    usual = ", ".join(f"{one.code} {one.label.in_language(language)}" for one in timeline.expected_next)
    if usual:
        yield f"attendu / expected next: {usual}"
    yield from (_awaited(each, language) for each in timeline.awaited)


def _awaited(awaited: Expectation, language: Language) -> str:
    late, then = ("en retard / late: ", awaited.next_step) if awaited.is_late else ("", awaited.otherwise)
    return f"  {late}{awaited.expected.in_language(language)}\n      {then.in_language(language)}"


def _delivery(delivery: Delivery, language: Language) -> str:
    """What left, how it went, under which identifier, what the platform made of it, of a report the portal too."""
    told = delivery.status
    what = (
        f"{told.code} {told.label.in_language(language)}"
        if told
        else _HEADINGS[StateLine.INVOICE].in_language(language)
    )
    state = delivery.state.label.in_language(language)
    outcome = delivery.outcome.label.in_language(language) if isinstance(delivery, Report) else ""
    said = delivery.acknowledgement.status.label.in_language(language) if delivery.acknowledgement else ""
    facts = (what, f"{state} ({delivery.platform})", delivery.remote_id or "", said, outcome, delivery.problem or "")
    line = f"  {_moment(delivery.sent_at or delivery.asked_at)}  " + "  ".join(filter(None, facts))
    return "\n".join([line, *lines_of_tries(delivery.history, language), *_remarks(delivery)])


def _remarks(delivery: Delivery) -> Iterator[str]:
    """What the platform says of the file, in its words."""
    for remark in delivery.acknowledgement.remarks if delivery.acknowledgement else ():
        yield "      " + "  ".join(filter(None, (remark.reason_code, remark.item, remark.message)))


def _moment(instant: datetime) -> str:
    return format_datetime(instant.astimezone(PARIS), "yyyy-MM-dd HH:mm:ss", locale="en")


def _line(entry: TimelineEntry, language: Language) -> str:
    said_by = entry.issuer_name or (entry.issuer.label.in_language(language) if entry.issuer else "")
    details = details_of(entry, language)
    label = entry.status.label.in_language(language)
    return f"  {_moment(entry.at)}  {entry.status.code} {label}  {said_by}" + (f"\n      {details}" if details else "")


def _link(linked: LinkedInvoice, timeline: Timeline, language: Language) -> str:
    """The linked invoice, the one that links it when it is not direct, its type, amount and status."""
    through = f"← {linked.through}" if linked.through != timeline.number else ""
    total = linked.total_with_vat
    amount = "" if total is None else Sayer(language).money(total, linked.currency or "")
    state = f"{linked.status} {linked.status_label.in_language(language)}" if linked.status_label else ""
    return "  ".join(filter(None, (linked.number, through, linked.type_code, amount, state)))


def _timelines(number: str, siren: str | None) -> list[Timeline]:
    settings = load_settings()
    use_own_data(settings)
    database = open_database(settings)
    found: list[Timeline] = []
    try:
        for organisation in organisations(database):
            if siren is None or organisation.siren == siren:
                with database.transaction(organisation.id) as session:
                    for invoice in invoices_by_number(session, Scope.everything(), number):
                        everything = Scope.everything()
                        found.append(timeline_of(session, everything, invoice, system_clock(), awaited_of, left_of))
    finally:
        database.close()
    if not found:
        raise InvoiceNotFoundError(number)
    return found
