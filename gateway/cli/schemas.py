"""`gateway schemas`: the official artefacts that verdicts rest on: list them, prove them, compare two packs of them."""

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from gateway.kernel.clock import paris_date, system_clock
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import Settings, load_settings
from gateway.kernel.text import Language, Text
from gateway.schematron import load_rules
from gateway.validation.batch import STANDARD_INPUT, Order, find_inputs
from gateway.validation.catalog import Artefact, ArtefactKind, Catalog, installed_catalog, load_catalog
from gateway.validation.comparing import Change, Pack, compare, orders
from gateway.validation.errors import ReadTwiceError
from gateway.validation.report import LayerReport, LayerStatus, Report, Verdict
from gateway.validation.settings import options_from
from gateway.validation.xsd import compiled_schema

schemas_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Les règles officielles : liste, preuve, comparaison. / Official rules: list, proof, comparison.",
)

Format = Literal["text", "json"]
LangOption = Annotated[Language | None, typer.Option(help="Langue ; par défaut celle des réglages. / Language.")]
FormatOption = Annotated[Format, typer.Option("--format", help="Forme de la réponse. / Form of the answer.")]

#: Width of a table that goes to a file or a pipe: cut to a narrow screen it would lose ids.
_WIDE = 200
_COLUMNS = (
    Text("Artefact", "Artefact"),
    Text("Couche", "Layer"),
    Text("Version", "Version"),
    Text("En vigueur du", "In force from"),
    Text("au", "to"),
    Text("Syntaxes", "Syntaxes"),
    Text("Profils", "Profiles"),
)
#: What JSON does not list of an artefact: where it lies is said by `file`, what else it needs is proved by `verify`.
_NOT_SHOWN = frozenset({"folder", "parts", "parts_sha256"})
_INTACT = Text("intact", "intact")
_UNKNOWN_FILE = Text("absent du catalogue", "not in the catalogue")
_ALL_WELL = Text("{count} artefacts conformes au catalogue.", "{count} artefacts are those of the catalogue.")
_VERDICTS = {
    Verdict.VALID: Text("valide", "valid"),
    Verdict.INVALID: Text("invalide", "invalid"),
    Verdict.UNREADABLE: Text("illisible", "unreadable"),
}
_STATUSES = {
    LayerStatus.PASSED: Text("respectée", "passed"),
    LayerStatus.FAILED: Text("en échec", "failed"),
    LayerStatus.NOT_RUN: Text("non exécutée", "not run"),
}
_SUMMARY = Text(
    "{changed} document(s) jugé(s) autrement sur {total}.", "{changed} of {total} document(s) judged differently."
)


@schemas_app.callback()
def _schemas() -> None:
    """Les règles officielles : liste, preuve, comparaison. / Official rules: list, proof, comparison."""


@schemas_app.command("list")
def list_command(
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Seulement ce qui est en vigueur ce jour. / Only what is in force."),
    ] = None,
    output: FormatOption = "text",
    lang: LangOption = None,
) -> None:
    """Liste les artefacts : couche, version, dates, syntaxes, profils.

    List the artefacts: layer, version, dates, syntaxes, profiles.
    """
    _, language, catalog = _started(lang)
    day = on.date() if on else None
    artefacts = [artefact for artefact in catalog.artefacts if artefact.is_in_force(day)]
    if output == "json":
        typer.echo(json.dumps([_as_json(artefact) for artefact in artefacts], ensure_ascii=False, indent=2))
        return
    table = Table(*(column.in_language(language) for column in _COLUMNS), box=None, pad_edge=False)
    for artefact in artefacts:
        table.add_row(*_row(artefact))
    Console(width=None if Console().is_terminal else _WIDE).print(table)


@schemas_app.command("verify")
def verify_command(lang: LangOption = None) -> None:
    """Compare chaque fichier installé à son empreinte et compile les vôtres ; code 1 si l’un manque, diffère ou échoue.

    Compare every installed file with its checksum and compile your own; exit code 1 when one is missing, differs or
    does not compile.
    """
    _, language, catalog = _started(lang)
    faults = 0
    for artefact in catalog.artefacts:
        try:
            artefact.verify()
            _compile_own(artefact)
        except GatewayError as error:
            faults += 1
            typer.echo(f"✗ {artefact.id} : {error.in_language(language)}")
        else:
            typer.echo(f"✓ {artefact.id} {artefact.version} : {_INTACT.in_language(language)}")
    # A file of the user's own may stand in for a shipped one, which is known all the same.
    for place in installed_catalog().uncatalogued():
        faults += 1
        typer.echo(f"✗ {place} : {_UNKNOWN_FILE.in_language(language)}")
    if faults:
        raise typer.Exit(1)
    typer.echo(_ALL_WELL.format(count=len(catalog.artefacts)).in_language(language))


@schemas_app.command("compare")
def compare_command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Fichiers ou dossiers. / Files or folders.")],
    old: Annotated[str, typer.Option(help="Date ou artefact. / A date or an artefact.")],
    new: Annotated[str, typer.Option(help="Date ou artefact. / A date or an artefact.")],
    output: FormatOption = "text",
    lang: LangOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Nombre de processus. / Number of processes.")] = None,
) -> None:
    """Dit quels documents changent de verdict d’un jeu de règles à l’autre, et pourquoi ; code 1 s’il y en a.

    Say which documents change verdict between two packs of rules, and why; exit code 1 when some do.
    """
    settings, language, catalog = _started(lang)
    order = Order(options=options_from(settings))
    old_order, new_order = orders(Pack.parse(old, catalog), Pack.parse(new, catalog), order, catalog)
    if STANDARD_INPUT in paths:
        raise ReadTwiceError
    found = find_inputs(paths)
    changes = [each for each in compare(found.paths, old_order, new_order, jobs) if each is not None]
    if output == "json":
        typer.echo(json.dumps([_change_as_json(each) for each in changes], ensure_ascii=False, indent=2))
    else:
        for each in changes:
            typer.echo(_change_as_text(each, language))
        typer.echo(_SUMMARY.format(changed=len(changes), total=len(found.paths)).in_language(language))
    raise typer.Exit(1 if changes else 0)


def _compile_own(artefact: Artefact) -> None:
    """Compile a file of the user's own, so that none that the engines refuse waits for its day; tests do the shipped.

    Raises SchematronError, UnusableSchemaError.
    """
    if artefact.package:
        return
    if artefact.kind is ArtefactKind.XSD:
        compiled_schema(artefact.file)
    else:
        load_rules(artefact.file)


def _started(lang: Language | None) -> tuple[Settings, Language, Catalog]:
    settings = load_settings()
    return settings, lang or settings.language, load_catalog(settings.catalog_file)


def _row(artefact: Artefact) -> tuple[str, ...]:
    return (
        artefact.id,
        artefact.layer,
        artefact.version,
        _day(artefact.valid_from),
        _day(artefact.valid_to),
        ", ".join(artefact.syntaxes),
        ", ".join(artefact.profiles),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else "—"


def _as_json(artefact: Artefact) -> dict[str, object]:
    shown = {name: value for name, value in asdict(artefact).items() if name not in _NOT_SHOWN}
    days = {name: shown[name] and shown[name].isoformat() for name in ("valid_from", "valid_to")}
    today = paris_date(system_clock())
    return {**shown, **days, "file": str(artefact.file), "in_force": artefact.is_in_force(today)}


def _change_as_text(change: Change, language: Language) -> str:
    before, after = (_VERDICTS[report.verdict].in_language(language) for report in (change.old, change.new))
    lines = [f"{change.new.path} : {before} → {after}"]
    for old, new in change.layers:
        statuses = " → ".join(_STATUSES[layer.status].in_language(language) for layer in (old, new))
        reason = _reason(new, language) or _reason(old, language)
        versions = " → ".join(f"{layer.artefact} {layer.version}".strip() or "—" for layer in (old, new))
        lines.append(f"  {new.name} ({versions}) : {statuses}" + (f" ({reason})" if reason else ""))
    for sign, findings in (("+", change.appeared), ("-", change.gone)):
        for finding in findings:
            explanation = finding.explanation if language == "fr" else finding.explanation_en
            lines.append(f"  {sign} {finding.rule} {', '.join(finding.terms)} : {explanation}")
    return "\n".join(lines)


def _reason(layer: LayerReport, language: Language) -> str | None:
    return layer.reason if language == "fr" else layer.reason_en


def _change_as_json(change: Change) -> dict[str, object]:
    def side(report: Report) -> dict[str, object]:
        return {"verdict": report.verdict, "pack": [asdict(entry) for entry in report.pack]}

    return {
        "path": change.new.path,
        "old": side(change.old),
        "new": side(change.new),
        "appeared": [asdict(finding) for finding in change.appeared],
        "gone": [asdict(finding) for finding in change.gone],
    }
