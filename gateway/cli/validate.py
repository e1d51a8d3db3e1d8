"""`gateway validate`: verdicts and explanations for files, folders or standard input."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.kernel.clock import paris_date, system_clock
from gateway.kernel.configuration import is_configured
from gateway.kernel.text import DEFAULT_LANGUAGE, Language, Text
from gateway.validation.batch import Order, collect_garbage_rarely, find_inputs, present_paths
from gateway.validation.catalog import load_catalog
from gateway.validation.layers import RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report, Verdict

if TYPE_CHECKING:
    from rich.text import Text as RichText

#: From so many documents on, a progress bar is welcome.
LONG_RUN = 50

_VALIDATING = Text("Validation", "Validating")
_IGNORED = Text(
    "{count} fichier(s) ignoré(s) dans les dossiers : ni .xml ni .pdf.",
    "{count} file(s) ignored in the folders: neither .xml nor .pdf.",
)
_NOTHING = Text("Aucun document à valider.", "No document to validate.")


#: How reports are printed: for people, as one JSON array, or as one JSON object a line.
OutputFormat = Literal["text", "json", "jsonl"]
#: A verdict, and what is printed of its report: JSON for programs, a block of text for people.
Shown = tuple[Verdict, "str | RichText"]


def validate_command(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Fichiers, dossiers, ou - pour l’entrée standard.")
    ],
    rules: Annotated[
        str, typer.Option(help="auto, ou des noms de couches ou d’artefacts du catalogue, séparés par des virgules.")
    ] = "auto",
    output: Annotated[OutputFormat, typer.Option("--format", help="Forme des rapports.")] = "text",
    lang: Annotated[
        Language | None, typer.Option(help="Langue du texte ; par défaut celle des réglages, le français.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date dont les règles s’appliquent ; aujourd’hui par défaut."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Nombre de processus ; celui des cœurs par défaut.")] = None,
) -> None:
    """Valide des factures (UBL, CII, Factur-X), des messages de cycle de vie (CDAR) et des déclarations e-reporting.

    Code de sortie : 0 si tout est valide, 1 si un document est invalide, 2 si l’un d’eux est illisible ou si la
    commande est mal employée.
    """
    collect_garbage_rarely()
    configured_language, options = _configured()
    language = lang or configured_language
    selection = RuleSelection.parse(rules, load_catalog(options.catalog_file))
    inputs = find_inputs(paths)
    if inputs.ignored:
        typer.secho(_IGNORED.format(count=inputs.ignored).in_language(language), fg="yellow", err=True)
    if not inputs.paths:
        typer.secho(_NOTHING.in_language(language), fg="red", err=True)
        raise typer.Exit(2)
    day = on.date() if on else paris_date(system_clock())
    order = Order(rules=selection, on=day, options=options)
    shown = present_paths(inputs.paths, order, partial(_shown, output=output, language=language), jobs)
    raise typer.Exit(exit_code(_print(_tracked(shown, len(inputs.paths), language), output)))


def exit_code(verdicts: set[Verdict]) -> int:
    """0 when all documents are valid, 1 when some are invalid, 2 when some are unreadable."""
    if Verdict.UNREADABLE in verdicts:
        return 2
    return 1 if Verdict.INVALID in verdicts else 0


def _configured() -> tuple[Language, ValidationOptions]:
    """The language and the options that this installation sets. Raises SettingsError, UnknownOwnCheckError.

    Settings are loaded only where there are any: that takes longer than to validate ten documents.
    """
    if not is_configured():
        return DEFAULT_LANGUAGE, ValidationOptions()
    from gateway.kernel.settings import load_settings
    from gateway.validation.settings import options_from

    settings = load_settings()
    return settings.language, options_from(settings)


def _shown(report: Report, output: OutputFormat, language: Language) -> Shown:
    """The verdict, and what is printed of the report."""
    if output == "jsonl":
        return report.verdict, f"{report.to_json_line()}\n"
    if output == "json":
        return report.verdict, report.to_json()
    # Imported only for people: programs do not wait for it.
    from gateway.validation.rendering import render

    return report.verdict, render(report, language)


def _print(reports: Iterable[Shown], output: OutputFormat) -> set[Verdict]:
    """Print each report as soon as it is there; return the verdicts seen."""
    show: Callable[[Any], object] = sys.stdout.write
    if output == "text":
        from rich.console import Console

        show = Console(soft_wrap=True, highlight=False).print
    verdicts: set[Verdict] = set()
    for verdict, printed in reports:
        if output == "json":
            sys.stdout.write(",\n" if verdicts else "[\n")
        verdicts.add(verdict)
        show(printed)
    if output == "json":
        sys.stdout.write("\n]\n")
    return verdicts


def _tracked(reports: Iterator[Shown], total: int, language: Language) -> Iterator[Shown]:
    """`reports`, with a progress bar on a terminal when they are many."""
    if total < LONG_RUN or not sys.stderr.isatty():
        yield from reports
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    notes = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # The bar runs a thread: the processes behind `reports` start with the first report, before it.
    first = list(islice(reports, 1))
    # What goes to the same terminal passes above the bar; what goes to a file or a pipe must not be touched.
    with Progress(*columns, console=notes, transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        tracked = chain(first, reports)
        yield from progress.track(tracked, total=total, description=_VALIDATING.in_language(language))
