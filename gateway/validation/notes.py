"""The findings of a report by business term, to be shown where the reader looks."""

import re
from collections.abc import Mapping

from gateway.invoices.annotating import TermNote
from gateway.kernel.text import Language
from gateway.validation.report import Finding, Report

#: The step of a location that is an invoice line (BG-25), with its rank where there are several.
_LINE = re.compile(r"(?:InvoiceLine|CreditNoteLine|IncludedSupplyChainTradeLineItem)(?:\[(\d+)\])?(?:/|$)")


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
    line = _LINE.search(finding.location)
    rank = int(line.group(1) or 1) if line else None
    return TermNote(finding.terms, finding.severity.value, f"{finding.rule} : {explanation}", rank)
