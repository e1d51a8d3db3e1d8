"""`gateway ingest`: invoices and lifecycle messages from files, as if a billing system had pushed them."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text as RichText

from gateway.access.errors import UnknownOrganisationError
from gateway.access.repository import organisations
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.database import Database
from gateway.flows.errors import FileSizeExceededError
from gateway.flows.intake import PROCESS_TASK, Submission, accept_flow
from gateway.flows.model import FlowState
from gateway.flows.outcome import Outcome, outcome_of
from gateway.flows.terms import AckStatus
from gateway.jobs.queue import enqueue
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language, Text, printable
from gateway.lifecycle.statuses import status
from gateway.validation.batch import STANDARD_INPUT, find_inputs
from gateway.validation.errors import UnopenableFileError
from gateway.validation.rendering import render
from gateway.validation.report import Verdict

#: Source of what comes in through this command.
FILE_SOURCE = "file"
#: How long the command waits for flows that another process is working on, or that are tried again.
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2
_ACCEPTED, _REFUSED, _UNUSABLE = 0, 1, 2

_WAITING = Text("en attente de traitement", "waiting to be processed")
_QUARANTINED = Text("en quarantaine", "in quarantine")
_KNOWN = Text("déjà connu", "already known")
_FLOW = Text("flux", "flow")
_INVOICE = Text("facture", "invoice")
_UNKNOWN_INVOICE = Text("pas encore reçue", "not received yet")
_NO_STATUS = Text("aucun statut reçu", "no status received yet")
_ALERT = Text("alerte", "alert")
_NOT_TAKEN = Text("non pris", "not taken")
_IGNORED = Text(
    "{count} fichier(s) ignoré(s) dans les dossiers : ni .xml ni .pdf.",
    "{count} file(s) ignored in the folders: neither .xml nor .pdf.",
)
_NOTHING = Text("Aucun document à prendre.", "No document to take.")


class IngestFormat(StrEnum):
    """How the outcome is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file, by its path as it can be shown, and the flow that holds it, or the reason why none does."""

    path: str
    flow_id: UUID | None = None
    already_known: bool = False
    error: GatewayError | None = None


def ingest_command(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Fichiers, dossiers, ou - pour l’entrée standard.")
    ],
    organisation: Annotated[
        str | None, typer.Option(metavar="SIREN", help="L’organisation, si la base en tient plusieurs.")
    ] = None,
    output: Annotated[IngestFormat, typer.Option("--format", help="Forme du résultat.")] = IngestFormat.TEXT,
    lang: Annotated[Language | None, typer.Option(help="Langue du texte ; celle des réglages par défaut.")] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Prendre les fichiers sans attendre leur traitement.")
    ] = False,
) -> None:
    """Prend des factures et des messages de cycle de vie (CDAR), les traite et dit ce qu’ils deviennent.

    Take invoices and lifecycle messages, process them and say what becomes of them. Exit code: 0 all accepted, 1 some
    refused, 2 some unreadable, not processed, or bad usage.
    """
    settings = load_settings()
    # What becomes of each file is printed; on a terminal the log is for what went wrong.
    configure_logs(settings.model_copy(update={"log_level": "warning", "log_format": "console"}))
    language = lang or settings.language
    notes = Console(stderr=True)
    inputs = find_inputs(paths)
    if inputs.ignored:
        notes.print(_IGNORED.format(count=inputs.ignored).in_language(language), style="yellow", markup=False)
    if not inputs.paths:
        notes.print(_NOTHING.in_language(language), style="red", markup=False)
        raise typer.Exit(_UNUSABLE)
    services = build_services(settings)
    try:
        organisation_id = chosen_organisation(services.database, organisation)
        taken = [_take(services, organisation_id, path) for path in inputs.paths]
        if not no_wait:
            _work(services, organisation_id, taken)
        found = list(_outcomes(services, organisation_id, taken))
    finally:
        services.close()
    if output is IngestFormat.JSON:
        sys.stdout.write(json.dumps([_as_json(*pair) for pair in found], ensure_ascii=False, indent=2) + "\n")
    else:
        console = Console(soft_wrap=True, highlight=False)
        for file, outcome in found:
            console.print(_as_text(file, outcome, language))
    raise typer.Exit(max(_code(outcome, no_wait=no_wait) for _, outcome in found))


def chosen_organisation(database: Database, siren: str | None) -> UUID:
    """The organisation named, or the only one. Raises UnknownOrganisationError, which says how to name one."""
    known = [row for row in organisations(database) if siren in (None, row.siren)]
    if len(known) != 1:
        raise UnknownOrganisationError(siren)
    return known[0].id


def _take(services: Services, organisation_id: UUID, path: str) -> Taken:
    """Store one file in a transaction of its own; one that cannot be read is reported, and the others go on."""
    shown = printable(path)
    try:
        data = _read(path, services.limits.max_file_bytes)
        name = "stdin" if path == STANDARD_INPUT else printable(Path(path).name)
        submission = Submission(data=data, name=name, source=FILE_SOURCE)
        with services.database.transaction(organisation_id) as session:
            accepted = accept_flow(session, services.documents, submission, now=services.clock())
            return Taken(shown, accepted.flow.id, accepted.already_known)
    except GatewayError as error:
        return Taken(shown, error=error)


def _read(path: str, limit: int) -> bytes:
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise UnopenableFileError(printable(path), getattr(error, "strerror", None) or str(error)) from error
    if len(data) > limit:
        raise FileSizeExceededError(limit)
    return data


def _work(services: Services, organisation_id: UUID, taken: Sequence[Taken]) -> None:
    """Run the jobs until these flows are settled; some may be in other hands, or due again a little later."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        services.engine.run_until_idle()
        waiting = any(outcome and outcome.is_pending for _, outcome in _outcomes(services, organisation_id, taken))
        if not waiting or time.monotonic() > end:
            return
        time.sleep(_PAUSE_SECONDS)
        with services.database.transaction(organisation_id) as session:
            enqueue(session, PROCESS_TASK)


def _outcomes(
    services: Services, organisation_id: UUID, taken: Sequence[Taken]
) -> Iterator[tuple[Taken, Outcome | None]]:
    with services.database.transaction(organisation_id) as session:
        for file in taken:
            yield file, outcome_of(session, file.flow_id) if file.flow_id else None


def _code(outcome: Outcome | None, *, no_wait: bool) -> int:
    if outcome is None or outcome.flow.state == FlowState.QUARANTINED.value:
        return _UNUSABLE
    if outcome.is_pending:
        return _ACCEPTED if no_wait else _UNUSABLE
    if outcome.report is not None and outcome.report.verdict is Verdict.UNREADABLE:
        return _UNUSABLE
    return _REFUSED if outcome.flow.ack_status == AckStatus.ERROR.value else _ACCEPTED


def _as_json(file: Taken, outcome: Outcome | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": file.path}
    if file.error is not None or outcome is None:
        return shown | {"flow": None, "error": file.error and _error_json(file.error)}
    flow = outcome.flow
    return shown | {
        "flow": str(flow.id),
        "already_known": file.already_known,
        "state": flow.state,
        "syntax": flow.flow_syntax,
        "verdict": outcome.report.verdict if outcome.report else None,
        "acknowledgement": flow.ack_status,
        "details": flow.ack_details,
        "problem": flow.problem,
        "invoices": [{"number": row.number, "status": row.status} for row in outcome.invoices],
        "numbers": list(outcome.numbers),
        "alerts": [
            {"condition": row.condition, "severity": row.severity, "title": row.title_fr, "title_en": row.title_en}
            for row in outcome.alerts
        ],
    }


def _error_json(error: GatewayError) -> dict[str, str]:
    return {"code": error.code, "message": error.in_language("fr"), "message_en": error.in_language("en")}


def _as_text(file: Taken, outcome: Outcome | None, language: Language) -> RichText:
    if outcome is None:
        reason = file.error.in_language(language) if file.error else ""
        return RichText.assemble((_NOT_TAKEN.in_language(language), "bold magenta"), f"  {file.path}\n  {reason}\n")
    block = RichText()
    if outcome.report is not None:
        block.append_text(render(outcome.report, language))
    else:
        block.append(f"{_WAITING.in_language(language)}  {file.path}\n", style="bold yellow")
    for line in _facts(file, outcome, language):
        block.append(f"  {line}\n")
    return block


def _facts(file: Taken, outcome: Outcome, language: Language) -> Iterator[str]:
    flow = outcome.flow
    known = f" ({_KNOWN.in_language(language)})" if file.already_known else ""
    yield f"{_FLOW.in_language(language)} {flow.id}{known} : {flow.ack_status}"
    if flow.state == FlowState.QUARANTINED.value and flow.problem:
        reason, fix = flow.problem[f"what_{language}"], flow.problem[f"fix_{language}"]
        yield f"{_QUARANTINED.in_language(language)} : {reason} {fix}"
    elif flow.ack_status == AckStatus.ERROR.value and outcome.report and outcome.report.verdict is Verdict.VALID:
        for detail in flow.ack_details:
            if detail["level"] == "Error":
                yield f"{detail['item']} : {detail[f'message_{language}']}"
    followed = {row.number: row for row in outcome.invoices}
    for number in outcome.numbers:
        row = followed.get(number)
        if row is None:
            where = _UNKNOWN_INVOICE.in_language(language)
        elif row.status is None:
            where = _NO_STATUS.in_language(language)
        else:
            where = f"{row.status} {status(row.status).label.in_language(language)}"
        yield f"{_INVOICE.in_language(language)} {number} : {where}"
    for alert in outcome.alerts:
        yield f"{_ALERT.in_language(language)} : {alert.title_fr if language == 'fr' else alert.title_en}"
