"""Which platform takes a document, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.kernel.text import Text


@dataclass(frozen=True, slots=True)
class RoutedDocument:
    """What routing looks at.

    Attributes:
        seller_siren: of the invoice, or of the invoice that a status speaks of (BT-30, MDT-129).
        agency_id: our agency that sells or buys.
        processing_rule: of the invoice, in the words of XP Z12-013.
        platform: the one that holds the invoice already: its statuses go there.
    """

    seller_siren: str | None = None
    agency_id: UUID | None = None
    processing_rule: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class RouteRule:
    """A route of the organisation: every criterion that is given must hold; `is_active` is its platform's."""

    platform: str
    seller_siren: str | None = None
    agency_id: UUID | None = None
    processing_rule: str | None = None
    is_active: bool = True

    def applies_to(self, document: RoutedDocument) -> bool:
        """True when each criterion that is given holds."""
        return (
            self.seller_siren in (None, document.seller_siren)
            and self.agency_id in (None, document.agency_id)
            and self.processing_rule in (None, document.processing_rule)
        )

    @property
    def precision(self) -> tuple[bool, bool, bool]:
        """The route that names an agency comes before one that names a company, then before one by processing rule."""
        return self.agency_id is not None, self.seller_siren is not None, self.processing_rule is not None


@dataclass(frozen=True, slots=True)
class Platforms:
    """The platforms of an organisation: those that are active, its routes, and the default (None: none is active)."""

    active: frozenset[str]
    rules: Sequence[RouteRule]
    default: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """The platform that takes a document, and why; None when a person has to choose one."""

    platform: str | None
    reason: Text


def route(document: RoutedDocument, platforms: Platforms) -> Route:
    """The platform of the invoice first, then the most precise route that applies, then the default.

    A route to a platform that is switched off sends nothing elsewhere: another platform may not be meant to see it.
    """
    if document.platform in platforms.active:
        return Route(
            document.platform,
            Text(f"{document.platform} détient déjà la facture.", f"{document.platform} holds the invoice already."),
        )
    applying = [rule for rule in platforms.rules if rule.applies_to(document)]
    if applying:
        best = max(applying, key=lambda rule: rule.precision)
        if not best.is_active:
            return Route(None, _switched_off(best.platform))
        named = _criteria(best)
        return Route(best.platform, Text(f"Routage par {named.fr}.", f"Routed by {named.en}."))
    if platforms.default is not None:
        return Route(platforms.default, Text("Plateforme par défaut.", "Default platform."))
    return Route(None, Text("Aucune plateforme n’est en service.", "No platform is in service."))


def _switched_off(platform: str) -> Text:
    return Text(
        f"La plateforme {platform}, désignée par une règle de routage, est désactivée.",
        f"The platform {platform}, which a route names, is switched off.",
    )


def _criteria(rule: RouteRule) -> Text:
    named = [
        Text(f"société {rule.seller_siren}", f"company {rule.seller_siren}") if rule.seller_siren else None,
        Text("agence", "agency") if rule.agency_id else None,
        Text(f"règle {rule.processing_rule}", f"rule {rule.processing_rule}") if rule.processing_rule else None,
    ]
    told = [each for each in named if each is not None]
    if not told:
        return Text("règle générale", "a general rule")
    return Text(" et ".join(each.fr for each in told), " and ".join(each.en for each in told))
