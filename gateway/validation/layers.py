"""What the layers of a validation have in common: what they are given, what they give back, how rules are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

from gateway.invoices.reading import Document
from gateway.kernel.text import Text
from gateway.validation.catalog import Artefact, Catalog, LayerEntry
from gateway.validation.errors import UnknownRulesError
from gateway.validation.options import ValidationOptions
from gateway.validation.places import Places
from gateway.validation.report import Finding

if TYPE_CHECKING:
    # The engine itself is imported with the first rules that run: until then other layers are at work.
    from gateway import schematron


@dataclass
class Subject:
    """A document on its way through the layers, with what several of them share.

    Attributes:
        findings: what the layers have found so far.
        seconds: how long they have taken.
    """

    document: Document
    options: ValidationOptions
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def findings_left(self) -> int:
        """How many findings the layers before have left of those that one document may cost."""
        return max(self.options.max_findings - len(self.findings), 0)

    @property
    def seconds_left(self) -> float:
        """How much the layers before have left of the time that one document may cost."""
        return max(self.options.max_seconds - self.seconds, 0.0)

    @property
    def time_limit(self) -> Text:
        """The time of all rules together, as people read it."""
        seconds = f"{self.options.max_seconds:g}"
        return Text(f"durée : {seconds.replace('.', ',')} s", f"time: {seconds} s")

    @property
    def finding_limit(self) -> Text:
        """The findings of all rules together, as people read them."""
        findings = self.options.max_findings
        return Text(f"constats : {findings}", f"findings: {findings}")

    def spent_limit(self) -> Text | None:
        """The limit of which the layers so far have left nothing."""
        if not self.findings_left:
            return self.finding_limit
        return None if self.seconds_left else self.time_limit

    @cached_property
    def prepared(self) -> "schematron.Document":
        """The document as the Schematron engine wants it, made once for all rule sets."""
        from gateway import schematron

        return schematron.prepare(self.document.tree, self.document.xml)

    @cached_property
    def places(self) -> Places:
        """The elements of the document by path and by business term."""
        return Places(self.document.tree)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a layer gives back.

    Attributes:
        stopped: why the layer could not be brought to its end; such a layer has not passed.
    """

    findings: Sequence[Finding] = ()
    stopped: Text | None = None


class Checker(Protocol):
    """The engine for one kind of artefact. One object serves all threads of the process."""

    def check(self, subject: Subject, artefact: Artefact) -> Outcome:
        """Everything the artefact finds wrong with the document; no findings when nothing is."""
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
        if not self.names:
            return []
        return [artefact for artefact in catalog.of_layer(layer.name) if artefact.id in self.names]

    def wants(self, layer: LayerEntry, catalog: Catalog) -> bool:
        """True when that layer is to run."""
        return not self.names or layer.name in self.names or bool(self.named_in(layer, catalog))


AUTO = RuleSelection()
