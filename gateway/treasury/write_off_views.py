"""Write-offs as programs, commands and pages show them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.model import WriteOff, WriteOffKind
from gateway.treasury.write_off_rows import undone_by


class WriteOffView(BaseModel):
    """What of an invoice is not awaited any more, or is again when negative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    invoice_id: UUID
    number: str = Field(description="BT-1")
    amount: Decimal = Field(description="VAT included, in `currency`; a counter-entry bears the other sign")
    currency: str = Field(description="BT-5")
    kind: WriteOffKind
    reason: str
    written_off_on: date = Field(description="Europe/Paris")
    recorded_at: datetime
    recorded_by: str
    reverses: UUID | None = Field(description="The write-off that it undoes")
    reversed_by: UUID | None = Field(description="The write-off that undoes it")
    entry_id: UUID | None = Field(description="The line of the books that told it")


class WriteOffPage(BaseModel):
    """Some write-offs, the latest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    write_offs: tuple[WriteOffView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


def write_off_views(session: Session, rows: list[WriteOff]) -> list[WriteOffView]:
    """These write-offs, in two statements whatever their number."""
    counters = undone_by(session, [row.id for row in rows])
    wanted = {row.invoice_id for row in rows}
    invoices = {
        invoice_id: (number, currency)
        for invoice_id, number, currency in session.exec(
            select(InvoiceRecord.id, InvoiceRecord.number, InvoiceRecord.currency).where(
                col(InvoiceRecord.id).in_(wanted)
            )
        )
    }
    return [
        WriteOffView(
            **row.model_dump(include=set(WriteOffView.model_fields)),
            number=invoices[row.invoice_id][0],
            currency=invoices[row.invoice_id][1],
            reverses=row.reverses_id,
            reversed_by=counters.get(row.id),
        )
        for row in rows
    ]
