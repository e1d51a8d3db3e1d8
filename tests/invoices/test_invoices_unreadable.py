"""Each bad input gives its own error, which says what is wrong, where and how to fix it."""

from base64 import b64encode
from dataclasses import replace

import pytest

from gateway.invoices import errors
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_document, read_invoice
from tests.invoices.invoices_documents import CDAR, CII_INVOICE, UBL_INVOICE, broken, factur_x, pdf_with

LIMITS = ReadingLimits()
DEEP = b"<a>" * 5000 + b"</a>" * 5000
BILLION_LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
)
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'

BAD_INPUTS: dict[str, tuple[bytes, type[errors.UnreadableInvoiceError], str]] = {
    "empty": (b"", errors.EmptyFileError, ""),
    "text": (b"Bonjour", errors.UnknownFormatError, "byte 0"),
    "zip": (b"PK\x03\x04....", errors.UnknownFormatError, "byte 0"),
    "spaces": (b"  \n ", errors.UnknownFormatError, ""),
    "not well-formed": (b"<a>\n<b></a>", errors.MalformedXmlError, "line 2, column"),
    "cut short": (UBL_INVOICE[:-200], errors.MalformedXmlError, "line"),
    "Latin-1 bytes said to be UTF-8": (
        broken(UBL_INVOICE, b"BT-27", "Société".encode("latin-1")),
        errors.WrongEncodingError,
        "line",
    ),
    "unknown encoding": (broken(UBL_INVOICE, b"UTF-8", b"klingon"), errors.WrongEncodingError, "line 1"),
    "an encoding that hides markup": (broken(UBL_INVOICE, b"UTF-8", b"UTF-7"), errors.WrongEncodingError, "line 1"),
    "entities": (BILLION_LAUGHS, errors.ForbiddenDoctypeError, "line 1, column 1"),
    "DOCTYPE after comments": (
        DECLARATION + b"\n<!-- <a> -->\n<?pi?> <!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        errors.ForbiddenDoctypeError,
        "line 3, column 8",
    ),
    "DOCTYPE in UTF-16": (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        errors.ForbiddenDoctypeError,
        "line 1",
    ),
    "undeclared entity": (broken(UBL_INVOICE, b"BT-27", b"A&nbsp;B"), errors.ForbiddenDoctypeError, "line"),
    "other XML": (b"<html/>", errors.UnknownDocumentError, "/"),
    "UBL order": (
        broken(UBL_INVOICE, b"schema:xsd:Invoice-2", b"schema:xsd:Order-2"),
        errors.UnknownDocumentError,
        "/",
    ),
    "too deep": (DEEP, errors.XmlTooDeepError, "line 1"),
    "CDAR": (CDAR, errors.NotAnInvoiceError, "/"),
    "PDF without files": (pdf_with(), errors.PdfWithoutInvoiceError, "none"),
    "PDF with another file": (pdf_with(("cgv.pdf", b"x")), errors.PdfWithoutInvoiceError, "cgv.pdf"),
    "PDF with two invoices": (
        pdf_with(("factur-x.xml", CII_INVOICE), ("ZUGFeRD-invoice.xml", b"<other/>")),
        errors.PdfWithSeveralInvoicesError,
        "ZUGFeRD-invoice.xml",
    ),
    "PDF with two invoices of one name": (
        pdf_with(("factur-x.xml", CII_INVOICE), ("factur-x.xml", b"<other/>")),
        errors.PdfWithSeveralInvoicesError,
        "factur-x.xml",
    ),
    "PDF with UBL": (pdf_with(("factur-x.xml", UBL_INVOICE)), errors.PdfInvoiceNotCiiError, "/"),
    "PDF with broken XML": (pdf_with(("factur-x.xml", b"<a>")), errors.MalformedXmlError, "line 1"),
    "encrypted PDF": (
        pdf_with(("factur-x.xml", CII_INVOICE), password="secret"),
        errors.EncryptedPdfError,
        "/Encrypt",
    ),
    "truncated PDF": (factur_x()[:-600], errors.TruncatedPdfError, "byte"),
    "damaged PDF": (b"%PDF-1.7\nnothing\n%%EOF", errors.DamagedPdfError, ""),
    "number in words": (broken(UBL_INVOICE, b">115.00<", b">cent<"), errors.InvalidNumberError, "BT-115, line"),
    "decimal comma": (broken(CII_INVOICE, b">115.00<", b">115,00<"), errors.InvalidNumberError, "BT-115, line"),
    "NaN": (broken(CII_INVOICE, b">129.00<", b">NaN<"), errors.InvalidNumberError, "BT-129, line"),
    "exponent": (broken(UBL_INVOICE, b">146.00<", b">1e3<"), errors.InvalidNumberError, "BT-146, line"),
    "number without end": (broken(UBL_INVOICE, b">146.00<", b">" + b"9" * 29 + b"<"), errors.InvalidNumberError, ""),
    "31 February": (broken(UBL_INVOICE, b"2026-01-02", b"2026-02-31"), errors.InvalidDateError, "BT-2, line"),
    "French date": (broken(UBL_INVOICE, b"2026-03-14", b"14/03/2026"), errors.InvalidDateError, "BT-73, line"),
    "UBL date in CII": (broken(CII_INVOICE, b"20260102", b"2026-01-02"), errors.InvalidDateError, "BT-2, line"),
    "CII date of another format": (broken(CII_INVOICE, b'"102"', b'"610"'), errors.InvalidDateError, "BT-2, line"),
    "attachment not in base64": (
        broken(UBL_INVOICE, b64encode(b"BT-125"), b"B*T"),
        errors.InvalidAttachmentError,
        "BT-125, line",
    ),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gives_its_named_error(name: str) -> None:
    data, expected, where = BAD_INPUTS[name]
    with pytest.raises(errors.UnreadableInvoiceError) as caught:
        read_invoice(data)
    error = caught.value
    assert type(error) is expected
    assert where in error.where
    assert error.status == 422
    assert error.what.fr != error.what.en
    assert error.fix.fr != error.fix.en


def test_every_error_has_its_own_code() -> None:
    def below(parent: type[errors.UnreadableInvoiceError]) -> list[type[errors.UnreadableInvoiceError]]:
        return [parent, *(each for child in parent.__subclasses__() for each in below(child))]

    classes = below(errors.UnreadableInvoiceError)
    assert len({each.code for each in classes}) == len(classes)


def test_an_invalid_value_is_named_with_its_term_value_and_line() -> None:
    data = broken(UBL_INVOICE, b">115.00<", b">1 150,00<")
    line = data[: data.index(b">1 150,00<")].count(b"\n") + 1
    with pytest.raises(errors.InvalidNumberError) as caught:
        read_invoice(data)
    assert (caught.value.term, caught.value.value, caught.value.line) == ("BT-115", "1 150,00", line)
    assert "« 1 150,00 »" in caught.value.what.fr


ATTACHMENT = b64encode(bytes(3000))
WITH_ATTACHMENT = broken(UBL_INVOICE, b64encode(b"BT-125"), ATTACHMENT)
REFERENCE = b"<cac:AdditionalDocumentReference><cbc:ID>X</cbc:ID></cac:AdditionalDocumentReference>"
TEN_ATTACHMENTS = broken(UBL_INVOICE, b"<cac:ProjectReference>", REFERENCE * 9 + b"<cac:ProjectReference>")
TEN_FILES = pdf_with(("factur-x.xml", CII_INVOICE), *((f"{n}.txt", b"x") for n in range(9)))

OVER_LIMITS: dict[str, tuple[bytes, ReadingLimits, ReadingLimits, type[errors.TooLargeError]]] = {
    "file": (
        UBL_INVOICE,
        replace(LIMITS, max_file_bytes=len(UBL_INVOICE)),
        replace(LIMITS, max_file_bytes=len(UBL_INVOICE) - 1),
        errors.FileTooLargeError,
    ),
    "PDF": (
        factur_x(),
        replace(LIMITS, max_file_bytes=100_000),
        replace(LIMITS, max_file_bytes=len(factur_x()) - 1),
        errors.FileTooLargeError,
    ),
    "depth": (
        UBL_INVOICE,
        replace(LIMITS, max_depth=6),
        replace(LIMITS, max_depth=5),
        errors.XmlTooDeepError,
    ),
    "elements": (
        b"<?xml version='1.0'?>" + UBL_INVOICE.partition(b"?>")[2].strip(),
        replace(LIMITS, max_elements=UBL_INVOICE.count(b"<") - UBL_INVOICE.count(b"</")),
        replace(LIMITS, max_elements=100),
        errors.TooManyElementsError,
    ),
    "attachment": (
        WITH_ATTACHMENT,
        replace(LIMITS, max_attachment_bytes=3000),
        replace(LIMITS, max_attachment_bytes=2999),
        errors.AttachmentTooLargeError,
    ),
    "large attachment": (
        WITH_ATTACHMENT,
        LIMITS,
        replace(LIMITS, max_attachment_bytes=10),
        errors.AttachmentTooLargeError,
    ),
    "attachments": (
        TEN_ATTACHMENTS,
        replace(LIMITS, max_attachments=10),
        replace(LIMITS, max_attachments=9),
        errors.TooManyAttachmentsError,
    ),
    "files in a PDF": (
        TEN_FILES,
        replace(LIMITS, max_attachments=10),
        replace(LIMITS, max_attachments=9),
        errors.TooManyAttachmentsError,
    ),
    "time": (factur_x(), LIMITS, replace(LIMITS, max_pdf_seconds=-1.0), errors.PdfTooSlowError),
}


@pytest.mark.parametrize("name", OVER_LIMITS)
def test_a_document_is_read_up_to_each_limit_and_refused_past_it(name: str) -> None:
    data, enough, too_little, expected = OVER_LIMITS[name]
    assert read_invoice(data, enough).invoice.number == "BT-1"
    with pytest.raises(errors.UnreadableInvoiceError) as caught:
        read_invoice(data, too_little)
    assert type(caught.value) is expected


def test_depth_is_refused_with_the_line_of_the_element_past_the_limit() -> None:
    with pytest.raises(errors.XmlTooDeepError) as caught:
        read_document(b"<a>\n<b>\n<c>\n<d/></c></b></a>", replace(LIMITS, max_depth=3))
    assert caught.value.where == "line 4"
