"""The readable invoice in a page, with what validation says of it next to its fields."""

from dataclasses import dataclass

from markupsafe import Markup

from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.reading import read_invoice
from gateway.invoices.rendering import render_html
from gateway.kernel.errors import GatewayError
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.validation.notes import term_notes
from gateway.validation.report import Report
from gateway.web.security import Visit


@dataclass(frozen=True, slots=True)
class ReadableInvoice:
    """A fragment that wants `invoice_stylesheet`, else why there is none."""

    fragment: Markup | None
    problem: GatewayError | None = None


def readable_invoice(visit: Visit, sha256: str, report: Report | None) -> ReadableInvoice:
    """The invoice in a stored document; it may no longer be read where limits have become tighter since."""
    try:
        data = visit.context.store.get(sha256)
        findings = term_notes(report, visit.language) if report else []
        read = read_invoice(data, visit.context.limits)
        return ReadableInvoice(Markup(render_html(read.invoice, visit.language, findings)))
    except (UnreadableInvoiceError, DocumentMissingError, DocumentDamagedError) as error:
        return ReadableInvoice(None, error)
