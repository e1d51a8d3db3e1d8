"""Which checks fire: their names across engine and oracle, documents that make them fire, and why some never do."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lxml import etree

from gateway.schematron import Finding, Rules
from gateway.schematron.matching import Alternative, alternatives, conjuncts
from gateway.schematron.stylesheet import Check, Rule, Stylesheet
from gateway.schematron.xpath_ast import Call, Expression
from gateway.schematron.xpath_parser import parse
from tests.schematron.aiming import Marksman, Target
from tests.schematron.places import MissedError

#: A check among all of its artefact: context of its rule, kind, identifier and test, as the SVRL prints them.
Key = tuple[str, str, str, str]
Documents = list[tuple[str, bytes]]
_TEMPLATE = re.compile(r"\{([0-9, ]*)\}")
_ALWAYS = {"true()": "the test is `true()`", ".": "the test is the context itself, which is always there"}
_ONE_TYPE_CODE = "its context demands that type code; with a second one CII-SR-475 stops the document"
_KNOWN_REASONS = {
    "BR-FR-CDV-07_MDT-38_no": "the test counts `ge 0`, which every count is",
    "CII-SR-464": "the test is `(a or b) or (not(a) and not(b))`, which is always true",
    "FX-SCH-A-000349": "the test is `(a or b) or (not(a) and not(b))`, which is always true",
    "BR-EXT-CL-07": "the test asks the element for another name than its context gives it",
    **dict.fromkeys((f"FX-SCH-A-000{number}" for number in (558, 559, 561, 562, 564, 565)), _ONE_TYPE_CODE),
    **dict.fromkeys((f"FX-SCH-A-000{number}" for number in (640, 643, 647)), _ONE_TYPE_CODE),
}


def as_printed(text: str) -> str:
    """A text as an attribute value template prints it: `\\\\d{9}` becomes `\\\\d9`."""
    return _TEMPLATE.sub(lambda match: " ".join(part.strip() for part in match[1].split(",")), text)


def key_of(rule: Rule, check: Check) -> Key:
    """What tells a check from all others of its artefact."""
    return key(rule.context, check.kind, check.rule, check.printed_test)


def key(context: str, kind: str, rule: str, test: str) -> Key:
    return (" ".join(as_printed(context).split()), kind, rule, " ".join(as_printed(test).split()))


@dataclass(frozen=True)
class Silence:
    """A check that no document made fire, and why."""

    key: Key
    reason: str


def targets(stylesheet: Stylesheet) -> dict[Key, Target]:
    """Every check of an artefact."""
    return {
        key_of(rule, check): Target(rule, check)
        for pattern in stylesheet.patterns
        for rule in pattern.rules
        for check in rule.checks
    }


def aimed_documents(
    rules: Rules, stylesheet: Stylesheet, bases: Sequence[bytes], wanted: dict[Key, Target], rng: Random, tries: int
) -> tuple[Documents, list[Silence]]:
    """For each wanted check a document on which the engine says that it fires, or the reason why there is none."""
    marksman = Marksman(rng, stylesheet)
    unreachable = _unreachable(stylesheet)
    documents: Documents = []
    silent: list[Silence] = []
    for name, target in wanted.items():
        reason = _ALWAYS.get(target.check.test.replace(" ", "")) if target.check.kind == "assert" else None
        reason = reason or unreachable.get(target.rule) or _excluded(target)
        if reason is None:
            shot = _hit(marksman, rules, bases, target, rng, tries)
            if isinstance(shot, bytes):
                documents.append((f"aimed at {target.check.rule or target.check.test[:60]}", shot))
                continue
            reason = _KNOWN_REASONS.get(target.check.rule) or shot
        silent.append(Silence(name, reason))
    return documents, silent


def _hit(
    marksman: Marksman, rules: Rules, bases: Sequence[bytes], target: Target, rng: Random, tries: int
) -> bytes | str:
    """A document on which the check fires, or what came in the way most often."""
    stops: Counter[str] = Counter()
    for _ in range(tries):
        try:
            document, location = marksman.shot(rng.choice(bases), target)
        except MissedError:
            continue
        findings = rules.check(etree.fromstring(document))
        if findings and findings[-1].kind == "error":
            error = findings[-1]
            stops[f"{error.rule or error.test[:40]} stops the document first: {error.message.split(' (')[0]}"] += 1
        elif any(_is_of(finding, target.check) and finding.location == location for finding in findings):
            return document
    if stops.total() > tries * 0.5:
        return stops.most_common(1)[0][0]
    return f"none of {tries} documents aimed at it fires it"


def _is_of(finding: Finding, check: Check) -> bool:
    return (finding.kind, finding.rule, finding.test.split()) == (check.kind, check.rule, check.printed_test.split())


def _unreachable(stylesheet: Stylesheet) -> dict[Rule, str]:
    """Rules that no element reaches, because of the other rules of their pattern."""
    found: dict[Rule, str] = {}
    for pattern in stylesheet.patterns:
        last = [branch for rule in pattern.rules if not rule.descends for branch in _branches(rule)]
        earlier: list[Alternative] = []
        for rule in pattern.rules:
            branches = _branches(rule)
            if all(any(_covers(other, branch) for other in earlier) for branch in branches):
                found[rule] = "an earlier rule of its pattern takes every element of its context"
            elif all(any(_covers(other, above) for other in last for above in _above(branch)) for branch in branches):
                found[rule] = "the rule of an element above it ends the walk there"
            earlier.extend(branches)
    return found


def _branches(rule: Rule) -> list[Alternative]:
    return list(alternatives(parse(rule.context), rule.context))


def _above(branch: Alternative) -> list[Alternative]:
    """The patterns of the elements above."""
    return [
        Alternative(branch.anchored, branch.names[:count], branch.predicates[:count])
        for count in range(1, len(branch.names))
    ]


def _excluded(target: Target) -> str | None:
    denied = Call("not", (parse(target.check.test),))
    if target.check.kind == "report" and all(denied in branch.predicates[-1] for branch in _branches(target.rule)):
        return "its context excludes what it reports"
    return None


def _covers(other: Alternative, branch: Alternative) -> bool:
    """Whether one pattern matches whatever another matches."""
    count = len(other.names)
    if count > len(branch.names) or (other.anchored and (not branch.anchored or count != len(branch.names))):
        return False
    return other.names == branch.names[-count:] and all(
        _asked(mine) <= _asked(theirs)
        for mine, theirs in zip(other.predicates, branch.predicates[-count:], strict=True)
    )


def _asked(predicates: tuple[Expression, ...]) -> set[Expression]:
    return {part for predicate in predicates for part in conjuncts(predicate)}
