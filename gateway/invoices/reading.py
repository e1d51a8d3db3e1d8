"""The door of the room: bytes in, a document or an invoice out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from gateway.invoices.detection import Detection, Syntax, detect
from gateway.invoices.dialects import CII_ROOT
from gateway.invoices.errors import EReportingNotAnInvoiceError, NotAnInvoiceError
from gateway.invoices.limits import ReadingLimits

if TYPE_CHECKING:
    from gateway.invoices.model import Invoice

DEFAULT_LIMITS = ReadingLimits()


@dataclass(frozen=True, slots=True)
class Document(Detection):
    """A file that the gateway can open.

    Attributes:
        data: the bytes as received; nothing that the model does not know is lost.
    """

    data: bytes


@dataclass(frozen=True, slots=True)
class ReadInvoice:
    """A document and the invoice read from it."""

    document: Document
    invoice: "Invoice"


def read_document(data: bytes, limits: ReadingLimits = DEFAULT_LIMITS) -> Document:
    """Open a document of any kind the gateway knows. Raises a subclass of UnreadableInvoiceError."""
    found = detect(data, limits)
    return Document(found.syntax, found.profile, found.xml, found.tree, data)


def read_invoice(data: bytes, limits: ReadingLimits = DEFAULT_LIMITS) -> ReadInvoice:
    """Read an invoice.

    Raises a subclass of UnreadableInvoiceError: NotAnInvoiceError for a lifecycle message, EReportingNotAnInvoiceError
    for an e-reporting transmission.
    """
    document = read_document(data, limits)
    return ReadInvoice(document, invoice_of(document, limits))


def invoice_of(document: Document, limits: ReadingLimits = DEFAULT_LIMITS) -> "Invoice":
    """The invoice of a document already opened. Raises as `read_invoice` does."""
    if document.syntax is Syntax.CDAR:
        raise NotAnInvoiceError
    if document.syntax is Syntax.E_REPORTING:
        raise EReportingNotAnInvoiceError
    root: etree._Element = document.tree.getroot()
    # Imported only for an invoice to be read: who validates by official rules alone does not wait for the model.
    if root.tag == CII_ROOT:
        from gateway.invoices.cii import read_cii

        return read_cii(root, limits)
    from gateway.invoices.ubl import read_ubl

    return read_ubl(root, limits)
