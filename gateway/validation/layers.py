"""What the layers of a validation have in common: what they are given, what they give back, how rules are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from gateway.invoices.reading import Document
from gateway.validation.catalog import Artefact, Catalog, LayerEntry
from gateway.validation.errors import UnknownRulesError
from gateway.validation.report import Finding


class Checker(Protocol):
    """The engine for one kind of artefact. One object serves all threads of the process."""

    def check(self, document: Document, artefact: Artefact) -> Sequence[Finding]:
        """Everything the artefact finds wrong with the document; empty when nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class RuleSelection:
    """Which rules a user asked for: names of layers or of artefacts; none means all that apply to the document.

    A named artefact replaces the one its layer would have chosen by profile and date.
    """

    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str, catalog: Catalog) -> Self:
        """Read "auto" or a comma-separated list of names. Raises UnknownRulesError."""
        names = frozenset(name.strip() for name in text.split(",")) - {"", "auto"}
        known = catalog.names()
        for name in sorted(names.difference(known)):
            raise UnknownRulesError(name, known)
        return cls(names)

    def named_in(self, layer: LayerEntry, catalog: Catalog) -> list[Artefact]:
        """The artefacts of that layer which are asked for by name."""
        return [
            artefact for artefact in catalog.artefacts if artefact.layer == layer.name and artefact.id in self.names
        ]

    def wants(self, layer: LayerEntry, catalog: Catalog) -> bool:
        """True when that layer is to run."""
        return not self.names or layer.name in self.names or bool(self.named_in(layer, catalog))


AUTO = RuleSelection()
