"""Tables of the books: the lines of customers' accounts as files told them, and whose account each is."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, UtcDateTime


class AccountingEntry(IdentifiedRow, table=True):
    """A line of a customer's account. Only its lettering, and what became of it here, ever change."""

    __tablename__ = "accounting_entry"
    __table_args__ = (
        UniqueConstraint("organisation_id", "key"),
        Index("ix_accounting_entry_account", "organisation_id", "account", "day", "key"),
    )

    key: str = Field(description="The same whenever a file tells the line again")
    journal: str
    number: str = Field(description="EcritureNum")
    day: date = Field(description="EcritureDate")
    account: str = Field(description="CompAuxNum, else CompteNum")
    account_name: str = Field(description="CompAuxLib; empty when not told")
    piece: str = Field(description="PieceRef: of an invoice, its number")
    label: str
    amount: Decimal = Field(sa_type=Amount, description="Debit less credit")
    currency: str = Field(description="Idevise; empty: of the books alone")
    nature: str
    lettering: str = Field(description="EcritureLet, as the last file told it; empty while open")
    lettered_on: date | None = None
    outcome: str | None = Field(default=None, description="An `Outcome`; none until it is looked at")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id", description="The invoice it is")
    receipt_id: UUID | None = Field(default=None, foreign_key="receipt.id", description="The receipt it made last")
    receipts: int = Field(default=0, description="How many receipts it made: each change of lettering makes one")
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class AccountingAccount(IdentifiedRow, table=True):
    """Whose an account of the books is: learnt from invoices, or told by a person."""

    __tablename__ = "accounting_account"
    __table_args__ = (UniqueConstraint("organisation_id", "account"),)

    account: str
    customer_id: UUID = Field(foreign_key="customer.id")
    told_by: str = Field(description="user:<id>, client:<id> or operator; `invoices` when learnt")
    told_at: datetime = Field(sa_type=UtcDateTime)
