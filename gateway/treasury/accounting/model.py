"""Tables of the books: the lines of customers' accounts as files told them, whose account each is, and the imports."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, UtcDateTime


class AccountingEntry(IdentifiedRow, table=True):
    """A line of a customer's account. Only its lettering, and what became of it here, ever change."""

    __tablename__ = "accounting_entry"
    __table_args__ = (
        UniqueConstraint("organisation_id", "key"),
        Index("ix_accounting_entry_account", "organisation_id", "account", "day", "key"),
        Index("ix_accounting_entry_piece", "organisation_id", "piece"),
        Index("ix_accounting_entry_opening", "organisation_id", "account", postgresql_where="outcome = 'opening'"),
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
    due_date: date | None = Field(default=None, description="As a table told it; a FEC tells none")
    paid: Decimal | None = Field(
        default=None, sa_type=Amount, description="Of what the books alone settled: the money in it; else none"
    )
    paid_on: date | None = Field(default=None, description="Day of the last of that money")
    settled_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When the books were first told to settle it; none while open"
    )
    next_check_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="What is left of it changed: agreements about it are looked at"
    )


class AccountingAccount(IdentifiedRow, table=True):
    """Whose an account of the books is: learnt from invoices, or told by a person."""

    __tablename__ = "accounting_account"
    __table_args__ = (UniqueConstraint("organisation_id", "account"),)

    account: str
    customer_id: UUID = Field(foreign_key="customer.id")
    told_by: str = Field(description="user:<id>, client:<id> or operator; `invoices` when learnt")
    told_at: datetime = Field(sa_type=UtcDateTime)


class AccountingImport(IdentifiedRow, table=True):
    """A file that was taken: what it brought, and which of its lines were refused."""

    __tablename__ = "accounting_import"
    __table_args__ = (Index("ix_accounting_import_latest", "organisation_id", "imported_at", "id"),)

    sha256: str = Field(description="Of the file")
    file_name: str = Field(description="As it was called; empty when that was not told")
    counts: dict[str, Any] = Field(sa_type=Json, description="Those of an `ImportResult`, and its outcomes")
    refused: list[dict[str, Any]] = Field(sa_type=Json, description="The first refused lines")
    imported_at: datetime = Field(sa_type=UtcDateTime)
    imported_by: str = Field(description="user:<id>, client:<id> or operator")
