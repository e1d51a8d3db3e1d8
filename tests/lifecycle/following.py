"""Invoices and messages put into a real database, for tests of every room above the lifecycle."""

from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from gateway.database import Database
from gateway.invoices.model import Invoice, PrecedingInvoice, Totals, VatBreakdown
from gateway.invoices.parties import Buyer, Seller
from gateway.invoices.terms import Identifier
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.service import RecordedEvent, Registration, record_message, register_invoice
from tests.lifecycle.making_events import BUYER_SIREN, SELLER_SIREN, START, message


def invoice(number: str = "F1", due: str = "120.00", **changes: Any) -> Invoice:
    """A valid invoice of 1 October 2026 at 20 % VAT, asking for `due`; `changes` replace fields of the model."""
    with_vat = Decimal(due)
    net = (with_vat / Decimal("1.2")).quantize(Decimal("0.01"))
    facts: dict[str, Any] = {
        "number": number,
        "issue_date": date(2026, 10, 1),
        "due_date": date(2026, 10, 31),
        "type_code": "380",
        "currency": "EUR",
        "preceding_invoices": (PrecedingInvoice(number="F0"),),
        "seller": Seller(name="Comptoir des Matériaux", legal_id=Identifier(value=SELLER_SIREN, scheme="0002")),
        "buyer": Buyer(name="Bâtir Ensemble", legal_id=Identifier(value=BUYER_SIREN, scheme="0002")),
        "totals": Totals(without_vat=net, vat=with_vat - net, with_vat=with_vat, due=with_vat),
        "vat_breakdown": (
            VatBreakdown(taxable_amount=net, tax_amount=with_vat - net, category="S", rate=Decimal("20.00")),
        ),
    }
    return Invoice(**{**facts, **changes})


def register(
    database: Database,
    organisation: UUID,
    what: Invoice | None = None,
    *,
    content: bytes = b"<invoice/>",
    agency_id: UUID | None = None,
    direction: Direction = Direction.RECEIVABLE,
    now: datetime = START,
) -> Registration:
    """Register an invoice (F1 by default) in a transaction of its own; `content` stands for its file."""
    with database.transaction(organisation) as session:
        return register_invoice(
            session,
            invoice=what or invoice(),
            document=InvoiceDocument("UBL", "EN 16931", sha256(content).hexdigest()),
            flow_id=None,
            agency_id=agency_id,
            direction=direction,
            now=now,
        )


def record(
    database: Database,
    organisation: UUID,
    code: str | CdarMessage,
    hours: float = 0,
    *,
    direction: Direction = Direction.RECEIVABLE,
    now: datetime = START,
    **details: Any,
) -> RecordedEvent:
    """Record a status given to F1 (or a whole message) in a transaction of its own."""
    received = message(code, hours, **details) if isinstance(code, str) else code
    with database.transaction(organisation) as session:
        (recorded,) = record_message(
            session,
            message=received,
            direction=direction,
            document_sha256="0" * 64,
            flow_id=None,
            now=now,
            source="platform:test",
        )
        return recorded


def now_known(database: Database, organisation: UUID, invoice_id: UUID) -> InvoiceRecord:
    """An invoice as the database holds it now."""
    with database.transaction(organisation) as session:
        found = session.get(InvoiceRecord, invoice_id)
        assert found is not None
        return found
