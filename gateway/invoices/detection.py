"""Says what a file is by its content, never by its name: syntax, profile, and the XML inside."""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from gateway.invoices.codes import PROFILES
from gateway.invoices.dialects import CII, CII_ROOT, CREDIT_NOTE_ROOT, INVOICE_ROOT, UBL
from gateway.invoices.errors import EmptyFileError, PdfInvoiceNotCiiError, UnknownDocumentError, UnknownFormatError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.xml import parse_xml

CDAR_ROOT = (
    "{urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100}"
    "CrossDomainAcknowledgementAndResponse"
)
#: An e-reporting transmission (Flux 10) has no namespace: its root and the child that must come first tell it.
E_REPORTING_ROOT = "Report"
E_REPORTING_HEAD = "ReportDocument"
PDF_MARK = b"%PDF-"
#: Where the mark of a PDF or the start of a document is looked for (ISO 32000-1, annex H.3).
HEAD_BYTES = 1024
#: Bytes of an unknown file that its error quotes.
QUOTED_BYTES = 16
_XML_STARTS = (b"<", b"\xff\xfe", b"\xfe\xff", b"\0<")
_UTF_8_MARK = b"\xef\xbb\xbf"


class Syntax(StrEnum):
    """The kinds of document the gateway knows, in the words of XP Z12-013 (flowSyntax)."""

    UBL = "UBL"
    CII = "CII"
    FACTUR_X = "Factur-X"
    CDAR = "CDAR"
    E_REPORTING = "FRR"


@dataclass(frozen=True, slots=True)
class Detection:
    """What a file is.

    Attributes:
        profile: MINIMUM, BASIC WL, BASIC, EN 16931, EXTENDED or EXTENDED-CTC-FR by BT-24; otherwise BT-24 as written
            (a national CIUS), and empty when there is none. For CDAR, the guideline identifier as written.
            For e-reporting, which has no profiles, empty.
        xml: the XML itself: the file, or what the PDF embeds.
        tree: `xml` parsed.
    """

    syntax: Syntax
    profile: str
    xml: bytes
    tree: etree._ElementTree


def detect(data: bytes, limits: ReadingLimits) -> Detection:
    """Open `data` far enough to know what it is. Raises a subclass of UnreadableInvoiceError."""
    if not data:
        raise EmptyFileError
    start = data[:HEAD_BYTES].removeprefix(_UTF_8_MARK).lstrip()
    if start.startswith(_XML_STARTS):
        tree = parse_xml(data, limits)
        return Detection(*_identified(tree.getroot()), data, tree)
    if PDF_MARK in start:
        # Imported only for a PDF: the library takes as long to load as hundreds of XML documents to read.
        from gateway.invoices.pdf import embedded_invoice

        xml = embedded_invoice(data, limits)
        tree = parse_xml(xml, limits)
        root = tree.getroot()
        if root.tag != CII_ROOT:
            raise PdfInvoiceNotCiiError(root.tag)
        return Detection(Syntax.FACTUR_X, _identified(root)[1], xml, tree)
    raise UnknownFormatError(data[:QUOTED_BYTES])


def _identified(root: etree._Element) -> tuple[Syntax, str]:
    if root.tag in {INVOICE_ROOT, CREDIT_NOTE_ROOT}:
        specification = UBL.text_at(root, "cbc:CustomizationID") or ""
        return Syntax.UBL, PROFILES["ubl"].get(specification, specification)
    if root.tag == CII_ROOT:
        guideline = "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
        specification = CII.text_at(root, f"rsm:ExchangedDocumentContext/{guideline}") or ""
        return Syntax.CII, PROFILES["cii"].get(specification, specification)
    if root.tag == CDAR_ROOT:
        return Syntax.CDAR, _cdar_guideline(root)
    if root.tag == E_REPORTING_ROOT and root.find(E_REPORTING_HEAD) is not None:
        return Syntax.E_REPORTING, ""
    raise UnknownDocumentError(root.tag)


def _cdar_guideline(root: etree._Element) -> str:
    found = root.find("{*}ExchangedDocumentContext/{*}GuidelineSpecifiedDocumentContextParameter/{*}ID")
    return (found.text or "").strip() if found is not None else ""
