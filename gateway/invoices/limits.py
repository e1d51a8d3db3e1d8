"""How large a document may be before the gateway refuses to open it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.kernel.settings import Settings

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Bounds that keep one document from exhausting the machine; by default those of the settings' defaults.

    Attributes:
        max_file_bytes: the file as received, and the XML inside a PDF once decompressed.
        max_depth: levels of nested XML elements. Invoices need about 15.
        max_elements: XML elements in one document. A line of an invoice takes 20 to 60.
        max_attachment_bytes: one supporting document (BT-125) once decoded.
        max_attachments: supporting documents (BG-24) in one invoice, and files embedded in one PDF.
        max_pdf_seconds: time given to finding the invoice inside a PDF.
    """

    max_file_bytes: int = 20 * MEBIBYTE
    max_depth: int = 64
    max_elements: int = 2_000_000
    max_attachment_bytes: int = 10 * MEBIBYTE
    max_attachments: int = 50
    max_pdf_seconds: float = 10.0


def reading_limits(settings: "Settings") -> ReadingLimits:
    """The bounds that the settings ask for."""
    return ReadingLimits(
        max_file_bytes=settings.max_file_bytes,
        max_depth=settings.max_xml_depth,
        max_elements=settings.max_xml_elements,
        max_attachment_bytes=settings.max_attachment_bytes,
        max_attachments=settings.max_attachments,
    )
