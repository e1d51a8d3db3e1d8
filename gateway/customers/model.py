"""Tables of customers: who owes, whom to write to, how far they are trusted, which invoice is whose, tried files."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, OrganisationRow, UtcDateTime


class CustomerOrigin(StrEnum):
    """What made the account."""

    INVOICE = "invoice"
    IMPORT = "import"


class Customer(IdentifiedRow, table=True):
    """One debtor account. Its key never changes: invoices are matched with it (see `matching`)."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("organisation_id", "key"),
        ForeignKeyConstraint(["organisation_id", "collector_id"], ["app_user.organisation_id", "app_user.id"]),
        Index("ix_customer_name", "organisation_id", "name", "id"),
        Index("ix_customer_siren", "organisation_id", "siren"),
    )

    key: str = Field(description="siren:…, siret:…, vat:… or name:…")
    name: str
    siren: str | None = Field(default=None, max_length=9)
    siret: str | None = Field(default=None, max_length=14)
    vat_number: str | None = None
    group_name: str | None = Field(default=None, description="Joins accounts whose SIREN differ; none: the SIREN does")
    segment: str | None = Field(default=None, description="The organisation’s own class of customers, in lower case")
    language: str = "fr"
    payment_terms: str | None = Field(default=None, description="As `payment_terms` writes them; none: not told")
    credit_limit: Decimal | None = Field(default=None, sa_type=Amount)
    credit_currency: str = "EUR"
    collector_id: UUID | None = Field(default=None, description="The person who follows it")
    is_key_account: bool = False
    is_public: bool = Field(default=False, description="B2G: other terms and rates hold")
    is_consumer: bool = Field(default=False, description="Not a business")
    insolvent_since: date | None = Field(default=None, description="Judgment, or its publication in the BODACC")
    directory_state: str | None = Field(default=None, description="What the directory of recipients said")
    directory_checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    origin: str = Field(default=CustomerOrigin.INVOICE.value)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CustomerContact(IdentifiedRow, table=True):
    """A person or a mailbox at a customer."""

    __tablename__ = "customer_contact"

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    role: str = Field(description="A `ContactRole`")
    name: str
    email: str | None = None
    phone: str | None = None
    language: str
    postal: list[str] = Field(default_factory=list, sa_type=Json, description="Lines of the address")
    created_at: datetime = Field(sa_type=UtcDateTime)


class CustomerCover(IdentifiedRow, table=True):
    """A guarantee of a credit insurer: permanent without end, or for a while on top of it."""

    __tablename__ = "customer_cover"
    __table_args__ = (UniqueConstraint("customer_id", "insurer", "reference", "valid_from"),)

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    insurer: str
    reference: str = Field(description="Of the policy or the decision, as the insurer writes it")
    amount: Decimal = Field(sa_type=Amount)
    currency: str
    valid_from: date
    valid_until: date | None = Field(default=None, description="Last day, included; none: permanent")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str = Field(description="client:<id>, user:<id> or operator")


class CustomerNote(IdentifiedRow, table=True):
    """What someone wrote about a customer. Never changed, never deleted: the database refuses both."""

    __tablename__ = "customer_note"
    __table_args__ = (Index("ix_customer_note", "customer_id", "at"),)

    customer_id: UUID = Field(foreign_key="customer.id")
    text: str
    at: datetime = Field(sa_type=UtcDateTime)
    author: str = Field(description="user:<id>, client:<id> or operator")
    author_name: str


class CustomerInvoice(OrganisationRow, table=True):
    """Whose a receivable invoice is. An import of an account for an establishment (SIRET) takes its invoices over."""

    __tablename__ = "customer_invoice"

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoice.id")
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    buyer_siret: str | None = Field(default=None, max_length=14, description="BT-46 or BT-47, scheme 0009")


class TriedFile(IdentifiedRow, table=True):
    """A file whose dry run was shown to a person, until that person takes it or a day has passed."""

    __tablename__ = "tried_file"

    purpose: str = Field(description="What it is for: `customers` or `accounting`")
    file_name: str
    content: bytes
    tried_at: datetime = Field(sa_type=UtcDateTime)
    tried_by: str
