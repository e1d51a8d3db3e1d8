"""How validation runs in one installation: bounds of work, where compiled rules are kept, what is switched off."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.invoices.limits import ReadingLimits, reading_limits
from gateway.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class ValidationOptions:
    """Made from the settings by `options_from`; these are the defaults.

    Attributes:
        reading: how large a document may be.
        max_seconds: time that the rules of all layers may take on one document.
        max_findings: findings after which the rules stop on one document.
        rules_cache: folder of the compiled rules; None for the user's own cache folder.
        own_checks_off: ids of the gateway's own checks (GW-…) that are not wanted.
        catalog_file: a catalogue laid over the shipped one.
    """

    reading: ReadingLimits = field(default_factory=ReadingLimits)
    max_seconds: float = 30.0
    max_findings: int = 1000
    rules_cache: Path | None = None
    own_checks_off: frozenset[str] = frozenset()
    catalog_file: Path | None = None


def options_from(settings: Settings, *, rules_cache: Path | None = None) -> ValidationOptions:
    """The options that the settings ask for."""
    return ValidationOptions(
        reading=reading_limits(settings),
        max_seconds=settings.validation_max_seconds,
        max_findings=settings.validation_max_findings,
        rules_cache=rules_cache,
        own_checks_off=frozenset(settings.own_checks_off),
        catalog_file=settings.catalog_file,
    )


def service_options(settings: Settings) -> ValidationOptions:
    """The options of a service, which keeps its compiled rules with its data."""
    return options_from(settings, rules_cache=settings.data_dir / "rules")
