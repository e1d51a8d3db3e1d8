"""The invoice of ours that a command names, and the amount it gives."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

import typer
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import Direction
from gateway.lifecycle.repository import invoice_by_id, invoices_by_number
from gateway.treasury.errors import AmbiguousInvoiceError

_EVERYTHING = Scope.everything()


def receivable_named(session: Session, name: str) -> UUID:
    """The invoice of a number (BT-1) or identifier. Raises InvoiceNotFoundError, AmbiguousInvoiceError."""
    try:
        return invoice_by_id(session, _EVERYTHING, UUID(name)).id
    except ValueError:
        found = [
            each.id for each in invoices_by_number(session, _EVERYTHING, name) if each.direction == Direction.RECEIVABLE
        ]
    if not found:
        raise InvoiceNotFoundError(name)
    if len(found) > 1:
        raise AmbiguousInvoiceError(name, found)
    return found[0]


def amount_given(text: str) -> Decimal:
    """An amount as people write it, with a point or a comma. Raises typer.BadParameter."""
    try:
        amount = Decimal(text.replace(",", "."))
    except InvalidOperation as error:
        raise typer.BadParameter(text) from error
    if not amount.is_finite():
        raise typer.BadParameter(text)
    return amount
