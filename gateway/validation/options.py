"""How validation runs in one installation: bounds of work, where compiled rules are kept, what is switched off."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.invoices.limits import ReadingLimits


@dataclass(frozen=True, slots=True)
class ValidationOptions:
    """`gateway.validation.settings` makes them; these are the defaults.

    Attributes:
        reading: how large a document may be.
        max_seconds: time that the rules of all layers may take on one document.
        max_findings: findings after which the rules stop on one document.
        rules_cache: folder of the compiled rules; None for the user's own cache folder.
        own_checks_off: ids of the gateway's own checks (GW-…) that are not wanted.
        catalog_file: a catalogue laid over the shipped one.
        law_file: newer law, whose payment terms own checks compare with.
    """

    reading: ReadingLimits = field(default_factory=ReadingLimits)
    max_seconds: float = 30.0
    max_findings: int = 1000
    rules_cache: Path | None = None
    own_checks_off: frozenset[str] = frozenset()
    catalog_file: Path | None = None
    law_file: Path | None = None
