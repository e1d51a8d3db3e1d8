"""Everything that is known of a rule: our plain words, and the official text of each artefact that has it."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.kernel.text import Text
from gateway.validation.catalog import Artefact, ArtefactKind, Catalog
from gateway.validation.errors import UnknownRuleError
from gateway.validation.notices import FAMILIES, NOTICES
from gateway.validation.official import OfficialRule, official_rules
from gateway.validation.own.checker import OWN_CHECKS
from gateway.validation.rulebook import RuleExplanation, Who, explained_rules, explanation_of

#: What may follow the beginning of an id by which people call a family of rules: BR-FR-05 for BR-FR-05_BT-22-1.
_JOINTS = ("_", "-")


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of one rule.

    Attributes:
        wants: what it asks of a document.
        why: why it is there, for the gateway's own checks.
        official: its official texts, none for an own check; one in each artefact that has the rule.
    """

    rule: str
    wants: Text
    terms: tuple[str, ...]
    who: Who
    fix: Text
    why: Text | None = None
    official: tuple[OfficialRule, ...] = ()


def accounts_of(name: str, catalog: Catalog) -> list[Account]:
    """The account of a rule, or of each rule whose id begins with `name`; case does not matter.

    A name that the gateway gives to what has no official id is explained too. Raises UnknownRuleError.
    """
    own = {
        check.id: Account(check.id, check.wants, check.terms, check.who, check.fix, check.why) for check in OWN_CHECKS
    } | {notice.rule: _known(notice) for notice in (*NOTICES, *FAMILIES)}
    ids = _meant(name, [*own, *explained_rules()]) or _family(name)
    if not ids:
        raise UnknownRuleError(name)
    official = _official_texts([each for each in ids if each not in own], catalog)
    return [own.get(each) or _account(each, official[each]) for each in ids]


def _meant(name: str, known: Iterable[str]) -> list[str]:
    wanted = name.strip().casefold()
    by_name = {each.casefold(): each for each in known}
    if wanted in by_name:
        return [by_name[wanted]]
    family = tuple(wanted + joint for joint in _JOINTS)
    return sorted(each for folded, each in by_name.items() if folded.startswith(family))


def _family(name: str) -> list[str]:
    wanted = name.strip().casefold()
    return [family.rule for family in FAMILIES if wanted.startswith(f"{family.rule.casefold()}-")]


def _official_texts(ids: list[str], catalog: Catalog) -> dict[str, list[OfficialRule]]:
    texts: dict[str, list[OfficialRule]] = {each: [] for each in ids}
    for official in official_rules(artefact for artefact in catalog.artefacts if _mentions(artefact, ids)):
        if official.rule in texts:
            texts[official.rule].append(official)
    return texts


def _mentions(artefact: Artefact, ids: list[str]) -> bool:
    """False when an artefact cannot have any of the rules: reading one takes a tenth of a second."""
    if artefact.kind is not ArtefactKind.SCHEMATRON:
        return False
    content = artefact.file.read_bytes()
    return any(each.encode() in content for each in ids)


def _account(rule: str, official: list[OfficialRule]) -> Account:
    known = explanation_of(rule)
    if known is None:
        raise UnknownRuleError(rule)
    return _known(known, official)


def _known(known: RuleExplanation, official: Iterable[OfficialRule] = ()) -> Account:
    return Account(known.rule, known.wants, known.terms, known.who, known.fix, official=tuple(official))
