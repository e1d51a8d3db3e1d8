"""What a directory holds, as XP Z12-013 writes it: companies, facilities, routing codes and directory lines.

Read from platforms tolerantly (properties nobody named are passed over), written without what is not known.
"""

from datetime import date
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway.flows.directory.terms import AdministrativeStatus, EntityType, FacilityType, LineStatus, PlatformType
from gateway.kernel.dated import data_file


class Part(BaseModel):
    """Anything of the directory's JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    def as_standard(self) -> dict[str, Any]:
        """The JSON of the standard, without what is not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"effective_from"})


class Instructions(Part):
    """What may be done with the entry."""

    is_sales_prospecting_forbidden: bool | None = None


class PostalAddress(Part):
    """A postal address."""

    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    postal_code: str | None = None
    country_subdivision: str | None = None
    locality: str | None = None
    country_code: str | None = None
    country_name: str | None = None

    @property
    def address_lines(self) -> str:
        """The lines as one text, the way a search reads them."""
        return " - ".join(filter(None, (self.address_line1, self.address_line2, self.address_line3)))


class PublicRequirements(Part):
    """What a public facility wants of an invoice (`b2gAdditionalData`)."""

    pm: bool | None = None
    pm_only: bool | None = None
    manages_payment_status: bool | None = None
    manages_legal_commitment_code: bool | None = None
    manages_legal_commitment_or_service_code: bool | None = None
    service_code_status: bool | None = None


class LegalUnit(Part):
    """A company (SIREN)."""

    siren: str | None = None
    business_name: str | None = None
    entity_type: EntityType | None = None
    administrative_status: AdministrativeStatus | None = None
    instructions: Instructions | None = None


class _FacilityFacts(Part):
    siret: str | None = None
    siren: str | None = None
    name: str | None = None
    facility_type: FacilityType | None = None
    administrative_status: AdministrativeStatus | None = None
    address: PostalAddress | None = None
    b2g_additional_data: PublicRequirements | None = Field(default=None, alias="b2gAdditionalData")


class IncludedFacility(_FacilityFacts):
    """A facility shown inside another entry."""

    instructions: Instructions | None = None


class Facility(_FacilityFacts):
    """An establishment (SIRET)."""

    siret_instructions: Instructions | None = None
    legal_unit: LegalUnit | None = None

    def included(self) -> IncludedFacility:
        """The same inside another entry."""
        facts = {name: getattr(self, name) for name in _FacilityFacts.model_fields}
        return IncludedFacility(**facts, instructions=self.siret_instructions)


class RoutingCode(Part):
    """A service or desk inside a facility that invoices can be addressed to."""

    routing_identifier: str | None = None
    siret: str | None = None
    routing_identifier_type: str | None = None
    routing_code_name: str | None = None
    manages_legal_commitment_code: bool | None = None
    administrative_status: AdministrativeStatus | None = None
    address: PostalAddress | None = None
    legal_unit: LegalUnit | None = None
    facility: IncludedFacility | None = None

    def included(self) -> "IncludedRoutingCode":
        """The same inside a directory line, where one property has another name."""
        return IncludedRoutingCode(
            routing_identifier=self.routing_identifier,
            routing_identifier_type=self.routing_identifier_type,
            routing_code_name=self.routing_code_name,
            manages_legal_commitment=self.manages_legal_commitment_code,
            administrative_status=self.administrative_status,
            address=self.address,
        )


class IncludedRoutingCode(Part):
    """A routing code shown inside a directory line."""

    routing_identifier: str | None = None
    routing_identifier_type: str | None = None
    routing_code_name: str | None = None
    manages_legal_commitment: bool | None = Field(
        default=None,
        validation_alias=AliasChoices("managesLegalCommitment", "managesLegalCommitmentCode"),
        serialization_alias="managesLegalCommitment",
    )
    administrative_status: AdministrativeStatus | None = None
    address: PostalAddress | None = None


class DirectoryLine(Part):
    """An address where a recipient wishes to receive invoices, and who receives there."""

    addressing_identifier: str | None = None
    platform_type: PlatformType | None = None
    directory_line_status: LineStatus | None = None
    siren: str | None = None
    siret: str | None = None
    routing_identifier: str | None = None
    addressing_suffix: str | None = None
    routing_code: IncludedRoutingCode | None = None
    legal_unit: LegalUnit | None = None
    facility: IncludedFacility | None = None
    #: First day of an upcoming line. The standard has no such property since 1.1: read where given, never written.
    effective_from: date | None = Field(
        default=None,
        validation_alias=AliasChoices("effective_from", *data_file("directory.toml")["effective_from"]),
    )


Entry = LegalUnit | Facility | RoutingCode | DirectoryLine
