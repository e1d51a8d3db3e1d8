"""Two rule packs side by side: which documents change verdict, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from gateway.validation.batch import Order, validate_paths
from gateway.validation.catalog import Catalog
from gateway.validation.errors import UnknownPackError
from gateway.validation.layers import RuleSelection
from gateway.validation.report import Finding, LayerReport, LayerStatus, Report, Severity


@dataclass(frozen=True, slots=True)
class Pack:
    """One side of a comparison: the rules in force on a date, or one artefact.

    Exactly one of the two is given.
    """

    on: date | None = None
    artefact: str | None = None

    @classmethod
    def parse(cls, text: str, catalog: Catalog) -> Self:
        """Read a date (YYYY-MM-DD) or the id of an artefact. Raises UnknownPackError."""
        ids = [artefact.id for artefact in catalog.artefacts]
        if text in ids:
            return cls(artefact=text)
        try:
            return cls(on=date.fromisoformat(text))
        except ValueError as error:
            raise UnknownPackError(text, ids) from error


def orders(old: Pack, new: Pack, order: Order, catalog: Catalog) -> tuple[Order, Order]:
    """How each side is validated. Where a side is one artefact, only its layer is compared, on both sides."""
    layers = {artefact.layer for artefact in catalog.artefacts if artefact.id in (old.artefact, new.artefact)}

    def side(pack: Pack) -> Order:
        names = frozenset({pack.artefact}) if pack.artefact else frozenset(layers)
        return replace(order, rules=RuleSelection(names), on=pack.on)

    return side(old), side(new)


@dataclass(frozen=True, slots=True)
class Change:
    """A document that two packs judge differently.

    Attributes:
        appeared: fatal findings of the new pack whose rule the old one did not break.
        gone: the other way round.
        layers: layers whose status differs, as the old and as the new pack leave them; one that ran on one side only
            belongs to the reasons.
    """

    old: Report
    new: Report
    appeared: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    layers: tuple[tuple[LayerReport, LayerReport], ...]


def change(old: Report, new: Report) -> Change | None:
    """What changed between two reports on one document; None when the verdict and that of each layer stay the same.

    A layer that ran on one side only does not make a change by itself.
    """
    pairs = zip(old.layers, new.layers, strict=True)
    layers = tuple((before, after) for before, after in pairs if before.status is not after.status)
    judged = any(LayerStatus.NOT_RUN not in (before.status, after.status) for before, after in layers)
    if old.verdict is new.verdict and not judged:
        return None
    return Change(old, new, _only_in(new, old), _only_in(old, new), layers)


def compare(paths: Sequence[str], old: Order, new: Order, jobs: int | None = None) -> Iterator[Change | None]:
    """For each document in order what changed, or None. Raises as `validate_paths` does."""
    pairs = zip(validate_paths(paths, old, jobs), validate_paths(paths, new, jobs), strict=True)
    return (change(before, after) for before, after in pairs)


def _only_in(one: Report, other: Report) -> tuple[Finding, ...]:
    """The fatal findings of `one`, the first of each rule, whose rule `other` did not break."""
    broken = {finding.rule for finding in other.findings if finding.severity is Severity.FATAL}
    first: dict[str, Finding] = {}
    for finding in one.findings:
        if finding.severity is Severity.FATAL and finding.rule not in broken:
            first.setdefault(finding.rule, finding)
    return tuple(first.values())
