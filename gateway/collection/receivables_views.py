"""Receivables as programs read them: cells, their figures, and the items behind a figure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.collection.receivables import FigurePart
from gateway.treasury.receivable_rows import Origins
from gateway.treasury.receivables import Dimension, Encours, Family, ItemKind


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FigureView(_View):
    """An amount, VAT included, and how many items it adds up; see `/api/v1/receivables/items`."""

    amount: Decimal
    items: int


class EncoursView(_View):
    """What is owed in one currency by a customer or a group, or to an agency or an entity."""

    of: str | None = Field(
        description="Identifier of the customer or the agency, SIREN of the entity, name of the group; "
        "null: it cannot be told"
    )
    name: str | None
    currency: str
    figures: dict[Family, FigureView] = Field(
        description="balance = invoiced + deposits + credit_notes + openings + payments + written_off + "
        "unallocated = "
        "overdue + not_due + to_deduct; overdue + not_due = litigation + planned + disputed + promised + free. Those "
        "that are nil are left out. Claimed penalties are beside the balance."
    )

    @classmethod
    def of_cell(cls, cell: Encours, names: Mapping[UUID | str, str]) -> Self:
        """A cell as programs read it."""
        of = cell.of
        name = None if of is None else names.get(of, of if isinstance(of, str) else None)
        figures = {
            family: FigureView(amount=figure.amount, items=figure.count)
            for family in Family
            if (figure := cell.figures.get(family))
        }
        return cls(of=None if of is None else str(of), name=name, currency=cell.currency, figures=figures)


class ReceivablesPage(_View):
    """Some cells, the largest balance first; `totals` are those of every cell, one for each currency."""

    by: Dimension
    as_of: date = Field(description="Europe/Paris; what is due that day is not late yet")
    totals: tuple[EncoursView, ...]
    cells: tuple[EncoursView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class ItemView(_View):
    """Something open, or money that nothing takes, and what it adds to the figure asked for."""

    kind: ItemKind
    invoice_id: UUID | None
    receipt_id: UUID | None = Field(description="Of money that came by a receipt")
    entry_id: UUID | None = Field(description="Of what only the books know: the line that tells it")
    penalty_id: UUID | None = Field(description="Of a penalty that was claimed for `invoice_id`")
    number: str = Field(description="BT-1; of a receipt, its reference at the source")
    customer_id: UUID | None
    agency_id: UUID | None
    due_date: date = Field(description="BT-9 or the default term; of a receipt, the day it came in")
    asked: Decimal = Field(description="BT-115, negative for a credit note; of money, what came in, negative")
    written_off: Decimal = Field(description="What of it is not awaited any more")
    remaining: Decimal
    amount: Decimal = Field(description="What it adds to the figure")
    event_ids: tuple[UUID, ...] = Field(description="The 212 statuses behind its payments")
    receipt_ids: tuple[UUID, ...] = Field(description="The receipts behind its payments")

    @classmethod
    def of_part(cls, part: FigurePart, origins: Origins) -> Self:
        """A part as programs read it."""
        item = part.item
        return cls(
            **{name: getattr(item, name) for name in cls.model_fields.keys() & set(item._fields)},
            amount=part.amount,
            event_ids=origins.event_ids,
            receipt_ids=origins.receipt_ids,
        )


class ItemsPage(_View):
    """Some items of a figure, the first due first; the amounts of all of them add up to it."""

    total: Decimal
    items: tuple[ItemView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")
