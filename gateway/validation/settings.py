"""From the settings of an installation to the options of its validation."""

from pathlib import Path

from gateway.invoices.limits import reading_limits
from gateway.kernel.settings import Settings
from gateway.validation.options import ValidationOptions


def options_from(settings: Settings, *, rules_cache: Path | None = None) -> ValidationOptions:
    """The options that the settings ask for. Raises UnknownOwnCheckError."""
    return ValidationOptions(
        reading=reading_limits(settings),
        max_seconds=settings.validation_max_seconds,
        max_findings=settings.validation_max_findings,
        rules_cache=rules_cache,
        own_checks_off=_known_checks(settings.own_checks_off),
        catalog_file=settings.catalog_file,
        law_file=settings.law_file,
    )


def service_options(settings: Settings) -> ValidationOptions:
    """The options of a service, which keeps its compiled rules with its data. Raises UnknownOwnCheckError."""
    return options_from(settings, rules_cache=settings.data_dir / "rules")


def _known_checks(ids: tuple[str, ...]) -> frozenset[str]:
    if not ids:
        return frozenset()
    # Loaded only to compare: most installations switch nothing off.
    from gateway.validation.own.checker import require_known_checks

    return require_known_checks(ids)
