"""The layers written in Schematron: EN 16931 and its profiles, the French rules, CDAR messages, e-reporting.

The verdict is the engine's; here its findings get a line, business terms, plain words and a remedy.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import perf_counter

from gateway import schematron
from gateway.invoices.errors import quoted
from gateway.kernel.text import Text
from gateway.schematron import FINDING_LIMIT, TIME_LIMIT, Limits, Rules, load_rules
from gateway.validation.catalog import Artefact
from gateway.validation.layers import Outcome, Subject
from gateway.validation.notices import LIMIT_RULE, NOT_USED_RULE, STOPPED_RULE
from gateway.validation.official import id_in_text
from gateway.validation.places import Place
from gateway.validation.report import Finding, Severity, make_finding
from gateway.validation.rulebook import Who, explanation_of, remedy
from gateway.validation.terms import terms_at

#: Severity by the flag or the role that the publisher sets. An assert or a report without either is an error: that is
#: how Factur-X marks everything its profiles refuse, elements "not used in the given context" included.
_SEVERITIES = {
    "fatal": Severity.FATAL,
    "error": Severity.FATAL,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "info": Severity.INFO,
    "information": Severity.INFO,
}
_TERM = re.compile(r"\b(?:BT|BG|MDT|MDG)-\d+(?:-\d+)?\b")
_NOT_USED = re.compile(r"(?:Element|Attribute)\b.*\bmarked as not used in the given context")
_ATTRIBUTE_TEST = re.compile(r"@([\w:]+)")

_NOT_USED_HERE = Text("« {name} » n’est pas prévu à cet endroit par {rules}.", "'{name}' has no place here in {rules}.")
_NOT_USED_FIX = Text(
    "Retirez « {name} », ou déclarez un profil qui le prévoit (BT-24).",
    "Remove '{name}', or claim a profile that has it (BT-24).",
)
_UNEXPLAINED = Text("La règle {rule} n’est pas respectée : {message}", "Rule {rule} is broken: {message}")
_UNEXPLAINED_FIX = Text(
    "Corrigez l’élément indiqué comme le demande le texte de la règle.",
    "Correct the element named, as the text of the rule asks.",
)
_SEEN = Text(" Lu dans le document : {values}.", " Seen in the document: {values}.")
_LIMIT = Text(
    "limite atteinte ({limit}) : les règles suivantes n’ont pas été contrôlées",
    "limit reached ({limit}): the rules after it were not checked",
)
_LIMIT_FIX = Text(
    "Corrigez ce qui a été trouvé, ou relevez GATEWAY_VALIDATION_MAX_SECONDS ou GATEWAY_VALIDATION_MAX_FINDINGS.",
    "Mend what was found, or raise GATEWAY_VALIDATION_MAX_SECONDS or GATEWAY_VALIDATION_MAX_FINDINGS.",
)
_STOPPED = Text(
    "une règle ne peut pas être évaluée ({reason}) : les suivantes n’ont pas été contrôlées",
    "a rule cannot be evaluated ({reason}): those after it were not checked",
)
_STOPPED_FIX = Text(
    "Corrigez la valeur à l’endroit indiqué (type, ou élément répété), puis validez à nouveau.",
    "Correct the value at the place named (its type, or a repeated element), then validate again.",
)


class SchematronChecker:
    """Runs the Schematron artefacts of the catalogue; each is loaded once per process.

    A rule that cannot be evaluated, or a limit, ends the layer: one last fatal finding follows what was found so far.
    """

    def check(self, subject: Subject, artefact: Artefact) -> Outcome:
        """The findings in the order of the official report. Raises SchematronError when the rules cannot be loaded."""
        begun = perf_counter()
        rules = _loaded(artefact.file, subject.options.rules_cache)
        document = subject.prepared
        # What it took to be ready counts, too.
        left = max(subject.seconds_left - (perf_counter() - begun), 0.0)
        found = rules.check(document, Limits(max_findings=subject.findings_left, max_seconds=left))
        findings = [_finding(each, artefact, subject) for each in found if each.kind != "error"]
        if not found or found[-1].kind != "error":
            return Outcome(findings)
        last = found[-1]
        limit = _limit(last, subject)
        stopped = _why_stopped(last, limit)
        stop = _stop(last, stopped, artefact, subject, by_limit=limit is not None)
        return Outcome([*findings, stop], stopped)


_loading = Lock()


def _loaded(file: Path, cache_dir: Path | None) -> Rules:
    with _loading:
        return _load(file, cache_dir)


@cache
def _load(file: Path, cache_dir: Path | None) -> Rules:
    return load_rules(file, cache_dir)


def _finding(found: schematron.Finding, artefact: Artefact, subject: Subject) -> Finding:
    place = subject.places.find(found.location)
    message = " ".join(found.message.split())
    rule = rule_id(found, place, artefact)
    explanation, fix, terms = _said(rule, found, message, place, artefact)
    if place is not None:
        explanation = _with_values(explanation, terms, place, subject)
    return make_finding(
        rule=rule,
        layer=artefact.layer,
        severity=_severity(found),
        location=place.path if place else found.location or "/",
        line=place.line if place else None,
        terms=terms,
        message=message,
        explanation=explanation,
        fix=fix,
    )


def rule_id(found: schematron.Finding, place: Place | None, artefact: Artefact) -> str:
    """The official id; where the file gives none, one that stays the same from run to run and release to release.

    That is the id which the text names in brackets (Flux 10), else what a Factur-X profile refuses, by the last two
    names of its path (`FX-NOT-USED-DueDateDateTime/DateTimeString`), else the artefact with a digest of the test.
    """
    if found.rule:
        return found.rule
    if place is not None and _NOT_USED.search(found.message):
        return f"{NOT_USED_RULE}-{'/'.join(place.names[-2:])}{_attribute(found)}"
    return id_in_text(found.message) or f"{artefact.id}-{sha256(found.test.encode()).hexdigest()[:8]}"


def _attribute(found: schematron.Finding) -> str:
    attribute = _ATTRIBUTE_TEST.fullmatch(found.test)
    return f"@{attribute.group(1)}" if attribute else ""


def _severity(found: schematron.Finding) -> Severity:
    mark = (found.flag or found.role or "fatal").lower()
    return _SEVERITIES.get(mark, Severity.FATAL)


def _said(
    rule: str, found: schematron.Finding, message: str, place: Place | None, artefact: Artefact
) -> tuple[Text, Text, tuple[str, ...]]:
    """What is wrong, how to mend it, and the business terms it is about."""
    around = terms_at(place.names) if place else ()
    if place is not None and _NOT_USED.search(message):
        name = place.names[-1] + _attribute(found)
        fix = _NOT_USED_FIX.format(name=name)
        return _NOT_USED_HERE.format(name=name, rules=artefact.title), remedy(fix, Who.SOFTWARE), around
    known = explanation_of(rule)
    if known is not None:
        return known.wants, known.remedy, known.terms or around
    named = tuple(dict.fromkeys(_TERM.findall(message)))
    wrong = _UNEXPLAINED.format(rule=rule, message=message)
    return wrong, remedy(_UNEXPLAINED_FIX, Who.SOFTWARE), named or around


def _with_values(explanation: Text, terms: tuple[str, ...], place: Place, subject: Subject) -> Text:
    """The explanation with the values seen, so that nobody has to open the file."""
    values = subject.places.values(terms, place)
    if not values:
        return explanation
    listed = ", ".join(f"{term} = {quoted(value)}" for term, value in values.items())
    seen = _SEEN.format(values=listed)
    return Text(explanation.fr + seen.fr, explanation.en + seen.en)


def _limit(found: schematron.Finding, subject: Subject) -> Text | None:
    """The limit that stopped the rules, as set for the whole document; None when none did."""
    return {TIME_LIMIT: subject.time_limit, FINDING_LIMIT: subject.finding_limit}.get(found.rule)


def _why_stopped(found: schematron.Finding, limit: Text | None) -> Text:
    if limit is None:
        return _STOPPED.format(reason=found.message)
    return Text(_LIMIT.fr.format(limit=limit.fr), _LIMIT.en.format(limit=limit.en))


def _stop(found: schematron.Finding, why: Text, artefact: Artefact, subject: Subject, *, by_limit: bool) -> Finding:
    place = subject.places.find(found.location)
    return make_finding(
        rule=LIMIT_RULE if by_limit else STOPPED_RULE,
        layer=artefact.layer,
        location=place.path if place else found.location or "/",
        line=place.line if place else None,
        terms=terms_at(place.names) if place else (),
        message=_stop_message(found, why, by_limit=by_limit),
        explanation=Text(f"{artefact.title} : {why.fr}.", f"{artefact.title}: {why.en}."),
        fix=_LIMIT_FIX if by_limit else _STOPPED_FIX,
    )


def _stop_message(found: schematron.Finding, why: Text, *, by_limit: bool) -> str:
    if by_limit:  # the engine knows only what the layers before have left of it
        return why.en
    return f"{found.rule}: {found.message}" if found.rule else found.message
