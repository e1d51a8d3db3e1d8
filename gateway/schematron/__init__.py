"""Official Schematron rules, run in process.

    from gateway.schematron import load_rules

    rules = load_rules(path_to_compiled_schematron)
    for finding in rules.check(lxml_tree):
        print(finding.rule, finding.location, finding.message)

The engine reads Schematron files compiled to XSLT 2.0 by the ISO skeleton and turns them, once, into Python. It knows
nothing of invoices. Verdicts, locations, tests, flags, roles and messages are those of Saxon, with one difference:
where one operand of `and` or `or` has no value and the other decides, XPath lets a processor stop or go on, and the two
may choose otherwise (seen only on documents that no XSD accepts, and on malformed dates in CII).
"""

from gateway.schematron.document import Document, prepare
from gateway.schematron.errors import (
    DynamicError,
    SchematronError,
    StylesheetError,
    UnsupportedConstructError,
)
from gateway.schematron.findings import FINDING_LIMIT, TIME_LIMIT, Finding, FindingKind, Limits
from gateway.schematron.loading import load_rules
from gateway.schematron.rules import Rules

__all__ = [
    "FINDING_LIMIT",
    "TIME_LIMIT",
    "Document",
    "DynamicError",
    "Finding",
    "FindingKind",
    "Limits",
    "Rules",
    "SchematronError",
    "StylesheetError",
    "UnsupportedConstructError",
    "load_rules",
    "prepare",
]
