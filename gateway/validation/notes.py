"""The findings of a report by business term, to be shown where the reader looks."""

import re
from collections.abc import Mapping

from gateway.invoices.annotating import TermNote
from gateway.kernel.text import Language
from gateway.validation.report import Finding, Report

#: The repeated parts that a readable page shows one by one, each by the steps of a location that lead to it, with its
#: rank where there are several.
_PARTS = {
    "BG-25": "(?:InvoiceLine|CreditNoteLine|IncludedSupplyChainTradeLineItem)",
    "BG-1": "(?:Invoice/Note|CreditNote/Note|ExchangedDocument/IncludedNote)",
    "BG-23": r"(?:TaxTotal(?:\[\d+\])?/TaxSubtotal|ApplicableHeaderTradeSettlement/ApplicableTradeTax)",
}
_PREFIX = re.compile("(?<=/)[^/:]+:")
_RANKED = {group: re.compile(rf"/{steps}(?:\[(\d+)\])?(?:/|$)") for group, steps in _PARTS.items()}


def findings_by_term(report: Report) -> Mapping[str, tuple[Finding, ...]]:
    """The findings on each business term, in the order of the report; those without a term are left out."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        for term in finding.terms:
            found.setdefault(term, []).append(finding)
    return {term: tuple(findings) for term, findings in found.items()}


def term_notes(report: Report, language: Language) -> list[TermNote]:
    """The findings as remarks for `gateway.invoices.rendering.render_html`."""
    return [_note(finding, language) for finding in report.findings if finding.terms]


def _note(finding: Finding, language: Language) -> TermNote:
    explanation = finding.explanation if language == "fr" else finding.explanation_en
    return TermNote(finding.terms, finding.severity.value, f"{finding.rule} : {explanation}", _part(finding.location))


def _part(location: str) -> tuple[str, int] | None:
    """The repeated part in which a location lies; a tax or a note of a line belongs to the line."""
    steps = _PREFIX.sub("", location)
    for group, ranked in _RANKED.items():
        if found := ranked.search(steps):
            return group, int(found.group(1) or 1)
    return None
