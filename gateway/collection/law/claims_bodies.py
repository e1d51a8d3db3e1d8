"""What programs tell of claims: the bodies of the routes of `claims_api`."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from gateway.collection.law.insolvency import InsolvencyKind
from gateway.collection.law.penalties_api import Body, Comment, Money, Name, Words
from gateway.collection.law.watching import ENDED


class ActBody(Body):
    """Something that happened to a claim."""

    kind: Name = Field(description="acknowledgement, court_claim, enforcement, insolvency_claim, registered_letter")
    on: date
    ended_on: date | None = Field(default=None, description="End of the proceedings")
    document: Words = Field(description="What proves it")
    comment: Comment = ""


class EndBody(Body):
    """Proceedings are over."""

    on: date


class ActEndBody(Body):
    """The proceedings that an act opened are over."""

    on: date
    ending: Name = Field(default=ENDED, description="ended, annulled, dismissed, withdrawn, lapsed")
    document: Comment = Field(default="", description="The decision that says so")
    comment: Comment = ""


class InsolvencyBody(Body):
    """A court opened proceedings against a customer."""

    kind: InsolvencyKind
    judgment_on: date
    published_on: date | None = Field(default=None, description="In the BODACC")
    source: Words = Field(description="Where it was read")
    court_agent: Comment = Field(default="", description="To whom the claim is declared")
    abroad: bool = Field(default=False, description="You are established outside metropolitan France")


class DeclarationBody(Body):
    """The claim was declared."""

    on: date
    amount: Money
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    reference: Words = Field(description="Of the declaration, or what proves it")


class HandOverBody(Body):
    """Invoices of one customer go to litigation."""

    invoices: tuple[UUID, ...] = Field(min_length=1, max_length=1000)
    whole_customer: bool = Field(default=False, description="Chase nothing of the customer any more")
    handed_to: Words
    reference: Comment = ""
    comment: Comment = ""


class CloseBody(Body):
    """A case is over."""

    on: date
    because: Words


class BlockBody(Body):
    """A customer's orders stop, or go on."""

    reason: Words


class ThresholdsBody(Body):
    """Thresholds of the order check from a day on; those left out stay as they are. 0 switches one off."""

    valid_from: date
    thresholds: dict[str, int | Decimal] = Field(description="By name, as GET answers them", max_length=20)
