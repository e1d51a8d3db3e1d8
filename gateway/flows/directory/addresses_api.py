"""`GET /api/v1/addresses/{address}`: can an invoice be sent there?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.flows.directory.checking import AddressCheck, AddressVerdict
from gateway.flows.directory.service import Directory
from gateway.flows.directory.terms import PlatformType
from gateway.kernel.problems import problems


class AddressView(BaseModel):
    """The answer about an address of scheme 0225."""

    model_config = ConfigDict(frozen=True)

    address: str
    addressable: bool | None = Field(
        description="Whether an invoice sent now, or on the day asked about, is routed; null: not known."
    )
    on: date | None = Field(description="The day to come that was asked about; null: now.")
    verdict: AddressVerdict
    public: bool = Field(description="A public entity, or one that the public portal receives for: invoices are B2G.")
    platform_type: PlatformType | None = Field(description="WK: accredited platform; DFH: public portal.")
    effective_from: date | None = Field(description="First day of an upcoming address, when the directory tells it.")
    name: str | None
    other_addresses: tuple[str, ...] = Field(description="Of the same SIREN, receiving now; for one that does not.")
    says_fr: str
    says_en: str
    to_do_fr: str
    to_do_en: str
    asked_at: datetime | None = Field(description="When the directory was asked; null when it gave no answer.")


@dataclass(frozen=True, slots=True)
class AddressApiContext:
    """What the route needs; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    directory: Directory
    authenticate: Callable[..., Any]


def router(context: AddressApiContext) -> APIRouter:
    """The route; its errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Addresses"], responses=problems(401, 403, 422, 429))
    caller = Annotated[Principal, Depends(context.authenticate)]

    @routes.get("/addresses/{address}", response_model=AddressView, summary="Can an invoice be sent to this address?")
    def address(
        principal: caller,
        address: Annotated[str, Path(max_length=200)],
        on: Annotated[date | None, Query(description="A day from today on (Europe/Paris); now when left out.")] = None,
    ) -> AddressView:
        """Always an answer: a directory that does not answer is the verdict `not_checked`."""
        return address_view(context.directory.check(principal.organisation_id, address, on=on))

    return routes


def address_view(check: AddressCheck) -> AddressView:
    """The answer as JSON."""
    return AddressView(
        address=check.address,
        addressable=check.is_addressable if check.is_checked else None,
        on=check.on,
        verdict=check.verdict,
        public=check.is_public,
        platform_type=check.platform_type,
        effective_from=check.effective_from,
        name=check.name,
        other_addresses=check.others,
        says_fr=check.says.fr,
        says_en=check.says.en,
        to_do_fr=check.to_do.fr,
        to_do_en=check.to_do.en,
        asked_at=check.asked_at,
    )
