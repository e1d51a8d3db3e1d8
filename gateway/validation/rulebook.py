"""What each rule wants, in plain words: `schemas/explanations/*.toml`, written beside the official texts."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from gateway.kernel.text import Text


class Who(StrEnum):
    """Who usually mends what a rule refuses."""

    SELLER = "seller"
    BUYER = "buyer"
    PLATFORM = "platform"
    SOFTWARE = "software"

    @property
    def label(self) -> Text:
        """The person, as a noun."""
        return _LABELS[self]


_LABELS = {
    Who.SELLER: Text("le vendeur", "the seller"),
    Who.BUYER: Text("l’acheteur", "the buyer"),
    Who.PLATFORM: Text("la plateforme", "the platform"),
    Who.SOFTWARE: Text("l’éditeur du logiciel de facturation", "the vendor of the billing software"),
}
#: What stands around the id in the line that opens the table of a rule.
_BEFORE_ID, _AFTER_ID = '\n["', '"]\n'
_UP_TO = Text("{fix} À corriger par {who}.", "{fix} To be mended by {who}.")


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """One rule in plain words.

    Attributes:
        wants: what the rule asks of the document.
        terms: the business terms it is about.
        who: who usually mends it.
        fix: how.
    """

    rule: str
    wants: Text
    terms: tuple[str, ...]
    who: Who
    fix: Text

    @property
    def remedy(self) -> Text:
        """How to mend it, and whose task that is."""
        return remedy(self.fix, self.who)


def remedy(fix: Text, who: Who) -> Text:
    """How to mend something, and whose task that is."""
    return Text(
        _UP_TO.fr.format(fix=fix.fr, who=who.label.fr),
        _UP_TO.en.format(fix=fix.en, who=who.label.en),
    )


@cache
def explanation_of(rule: str) -> RuleExplanation | None:
    """The explanation of a rule by its id, such as BR-CO-15; None when there is none."""
    table = _tables().get(rule)
    if table is None:
        return None
    entry = tomllib.loads(table)
    return RuleExplanation(
        rule,
        Text(entry["fr"], entry["en"]),
        tuple(entry["terms"]),
        Who(entry["who"]),
        Text(entry["fix_fr"], entry["fix_en"]),
    )


def explained_rules() -> frozenset[str]:
    """The ids of all rules that have an explanation."""
    return frozenset(_tables())


@cache
def _tables() -> Mapping[str, str]:
    """The text of each rule's table, read at the first finding: a valid document does not pay for it.

    All files together take half a second to parse; a report needs a few tables of them.
    """
    tables: dict[str, str] = {}
    folder = files("schemas") / "explanations"
    for place in sorted(folder.iterdir(), key=lambda place: place.name) if folder.is_dir() else ():
        if place.name.endswith(".toml"):
            _, *parts = f"\n{place.read_text(encoding='utf-8')}".split(_BEFORE_ID)
            for part in parts:
                rule, _, table = part.partition(_AFTER_ID)
                tables[rule] = table
    return tables
