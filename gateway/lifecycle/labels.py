"""A code with what it means, as programs and pages read it."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.statuses import status


class Labelled(BaseModel):
    """A code and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    label: Text


def labelled_status(code: str, on: date | None = None) -> Labelled:
    """A status (MDT-105) with its label on its day; an unpublished code is said to be one."""
    return Labelled(code=code, label=status(code, on).label)


def current_status(invoice: InvoiceRecord) -> Labelled | None:
    """Where an invoice stands, in the words of the day it came there; None before the first status."""
    if invoice.status is None:
        return None
    return labelled_status(invoice.status, paris_date(invoice.status_at) if invoice.status_at else None)
