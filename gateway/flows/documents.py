"""The files of a flow that a client may download: as it came, as converted, as people read it."""

from dataclasses import dataclass
from pathlib import PurePath

from gateway.flows.errors import DocumentAbsentError, FlowNotFoundError
from gateway.flows.model import Flow
from gateway.flows.terms import DocType
from gateway.invoices.detection import Syntax
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.printing import render_pdf
from gateway.invoices.reading import invoice_of, read_document
from gateway.kernel.text import Text
from gateway.ledger.documents import DocumentStore

_NOTHING_TO_CONVERT = Text(
    "Seul le XML d’une Factur-X est rendu à part : ce fichier n’est pas converti.",
    "Only the XML of a Factur-X is given on its own: this file is not converted.",
)
_NO_READABLE_VIEW = Text("Un statut n’a pas de vue lisible.", "A status has no readable view.")
_UNREADABLE = Text("Ce fichier ne se lit pas comme une facture.", "This file cannot be read as an invoice.")


@dataclass(frozen=True, slots=True)
class FlowFile:
    """A file to download, under the name it is saved as."""

    name: str
    data: bytes


def file_of(flow: Flow, doc_type: DocType, store: DocumentStore, limits: ReadingLimits) -> FlowFile:
    """The file of a flow: `Original`, `Converted` or `ReadableView`.

    Converted is the XML that a Factur-X carries, for programs that open no PDF. ReadableView is a PDF: that of a
    Factur-X as it came, else the invoice laid out for paper. Raises FlowNotFoundError while a platform's file is not
    fetched, DocumentAbsentError when there is no such file.
    """
    if flow.document_sha256 is None:
        raise FlowNotFoundError(str(flow.id))
    data = store.get(flow.document_sha256)
    if doc_type is DocType.ORIGINAL:
        return FlowFile(flow.name, data)
    try:
        document = read_document(data, limits)
        if document.syntax is Syntax.FACTUR_X:
            return FlowFile(flow.name, data) if doc_type is DocType.READABLE_VIEW else _named(flow, "xml", document.xml)
        if doc_type is DocType.CONVERTED:
            raise DocumentAbsentError(doc_type, _NOTHING_TO_CONVERT)
        if document.syntax is Syntax.CDAR:
            raise DocumentAbsentError(doc_type, _NO_READABLE_VIEW)
        return _named(flow, "pdf", render_pdf(invoice_of(document, limits)))
    except UnreadableInvoiceError as error:
        raise DocumentAbsentError(doc_type, _UNREADABLE) from error


def _named(flow: Flow, extension: str, data: bytes) -> FlowFile:
    return FlowFile(f"{PurePath(flow.name).stem}.{extension}", data)
