"""The official text of a rule, read from the installed artefacts."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.validation.catalog import Artefact, ArtefactKind

if TYPE_CHECKING:
    from gateway.schematron.stylesheet import Check

#: A rule id that stands only in the text of the rule, as in "[G1.104] …".
_ID_IN_TEXT = re.compile(r"\s*\[([A-Z][\w.-]+)\]")
#: What stands in an official text for a value of the document.
VALUE = "…"


@dataclass(frozen=True, slots=True)
class OfficialRule:
    """One assert or report of an artefact.

    Attributes:
        rule: its id; empty where neither the file nor the text gives one.
        context: XPath of the elements it is about.
        test: XPath that must hold (of an assert) or must not (of a report).
        flag: severity that the publisher sets, if any.
        message: official text, `…` in the place of values.
    """

    rule: str
    artefact: Artefact
    context: str
    test: str
    flag: str | None
    message: str


def id_in_text(message: str) -> str | None:
    """The rule id in brackets at the beginning of a text."""
    found = _ID_IN_TEXT.match(message)
    return found.group(1) if found else None


def official_rules(artefacts: Iterable[Artefact]) -> Iterator[OfficialRule]:
    """Every rule of the Schematron artefacts, in their order. Raises ArtefactMissingError, SchematronError."""
    # Only explaining and comparing rules reads their sources; validating does not wait for the reader.
    from gateway.schematron.stylesheet import read_stylesheet

    for artefact in artefacts:
        if artefact.kind is not ArtefactKind.SCHEMATRON:
            continue
        for pattern in read_stylesheet(artefact.file).patterns:
            for rule in pattern.rules:
                yield from (_official(check, rule.context, artefact) for check in rule.checks)


def _official(check: "Check", context: str, artefact: Artefact) -> OfficialRule:
    parts = (part if isinstance(part, str) else VALUE for part in check.message)
    message = " ".join("".join(parts).split())
    name = check.rule or id_in_text(message) or ""
    return OfficialRule(name, artefact, context, check.test, check.flag or check.role, message)
