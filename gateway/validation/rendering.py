"""The report as people read it in a terminal: one block per document, coloured where colours are shown."""

from rich.text import Text as RichText

from gateway.kernel.text import Language, Text
from gateway.validation.catalog import installed_catalog
from gateway.validation.report import Finding, LayerReport, LayerStatus, Report, Severity, Verdict

_VERDICTS = {
    Verdict.VALID: (Text("valide", "valid"), "bold green"),
    Verdict.INVALID: (Text("invalide", "invalid"), "bold red"),
    Verdict.UNREADABLE: (Text("illisible", "unreadable"), "bold magenta"),
}
_MARKS = {LayerStatus.PASSED: ("✓", "green"), LayerStatus.FAILED: ("✗", "red"), LayerStatus.NOT_RUN: ("–", "yellow")}
_SEVERITIES = {
    Severity.FATAL: (Text("erreur", "error"), "red"),
    Severity.WARNING: (Text("alerte", "warning"), "yellow"),
    Severity.INFO: (Text("information", "information"), "cyan"),
}
_NOT_RUN = Text("non exécutée", "not run")
_PARTIAL = Text("validation partielle", "partial validation")
_LINE = Text("ligne", "line")
_FIX = Text("À faire : ", "To do: ")


def render(report: Report, language: Language) -> RichText:
    """The block of one document: verdict, layers, findings. Values of the document are never read as markup."""
    verdict, style = _VERDICTS[report.verdict]
    block = RichText(no_wrap=False)
    block.append(verdict.in_language(language), style=style)
    block.append(f"  {report.path}", style="bold")
    kind = " ".join(part for part in (report.syntax, report.profile) if part)
    if kind:
        block.append(f"  {kind}", style="dim")
    if not report.complete and report.verdict is not Verdict.UNREADABLE:
        block.append(f"  ({_PARTIAL.in_language(language)})", style="yellow")
    block.append("\n  ")
    block.append_text(RichText(" · ").join(_layers(report, language)))
    for finding in report.findings:
        block.append("\n")
        block.append_text(_finding(finding, language))
    block.append("\n")
    return block


def _layers(report: Report, language: Language) -> list[RichText]:
    """Each layer that ran, then those that did not, gathered by reason."""
    ran = [_layer(layer, language) for layer in report.layers if layer.status is not LayerStatus.NOT_RUN]
    reasons: dict[str, list[str]] = {}
    for layer in report.layers:
        if layer.status is LayerStatus.NOT_RUN and layer.due:
            reason = (layer.reason if language == "fr" else layer.reason_en) or ""
            reasons.setdefault(reason, []).append(_title(layer, language))
    mark, style = _MARKS[LayerStatus.NOT_RUN]
    skipped = [
        RichText(f"{mark} {', '.join(titles)} : {_NOT_RUN.in_language(language)} ({reason})", style=style)
        for reason, titles in reasons.items()
    ]
    return ran + skipped


def _layer(layer: LayerReport, language: Language) -> RichText:
    mark, style = _MARKS[layer.status]
    version = f" {layer.version}" if layer.version else ""
    return RichText(f"{mark} {_title(layer, language)}{version}", style=style)


def _title(layer: LayerReport, language: Language) -> str:
    return installed_catalog().layer(layer.name).title.in_language(language)


def _finding(finding: Finding, language: Language) -> RichText:
    severity, style = _SEVERITIES[finding.severity]
    french = language == "fr"
    text = RichText("  ")
    text.append(f"{severity.in_language(language)} {finding.rule}", style=style)
    if finding.terms:
        text.append(f" {', '.join(finding.terms)}", style="bold")
    text.append(f"  {finding.explanation if french else finding.explanation_en}")
    # The place in a file that is no XML speaks for itself.
    line = f"{_LINE.in_language(language)} {finding.line}" if finding.line and finding.location.startswith("/") else ""
    place = f"{line} {finding.location}".strip()
    if place:
        text.append(f"\n    {place}", style="dim")
    text.append(f"\n    {_FIX.in_language(language)}{finding.fix if french else finding.fix_en}", style="italic")
    return text
