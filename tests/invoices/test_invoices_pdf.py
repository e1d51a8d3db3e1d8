"""Whatever a PDF holds, its invoice is found or refused by name: never a traceback, never a hang."""

import random
import zlib
from dataclasses import replace
from time import monotonic

import pytest

from gateway.invoices import errors
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_invoice
from tests.invoices.invoices_documents import (
    CII_INVOICE,
    UBL_INVOICE,
    broken,
    factur_x,
    pdf_with,
    raw_pdf,
    stream,
)

LIMITS = ReadingLimits()
MUTANTS = 300
#: Far above what one document takes, so that only a hang passes it.
PATIENCE_SECONDS = 5.0
CATALOG = b"<< /Type /Catalog /AF [2 0 R] >>"
FILE = b"<< /Type /Filespec /F (factur-x.xml) /EF << /F 3 0 R >> >>"


@pytest.mark.parametrize(
    "name",
    ["factur-x.xml", "FACTUR-X.XML", "ZUGFeRD-invoice.xml", "zugferd-invoice.xml", "xrechnung.xml"],
)
def test_the_invoice_is_found_under_each_name_in_any_case(name: str) -> None:
    pdf = pdf_with(("conditions.pdf", b"x"), (name, CII_INVOICE))
    read = read_invoice(pdf)
    assert read.invoice.number == "BT-1"
    assert (read.document.syntax, read.document.xml, read.document.data) == ("Factur-X", CII_INVOICE, pdf)


def test_the_invoice_is_found_among_the_associated_files_alone() -> None:
    pdf = raw_pdf(CATALOG, FILE, stream(CII_INVOICE))
    assert read_invoice(pdf).invoice.number == "BT-1"


def test_the_same_file_in_the_name_tree_and_among_the_associated_files_is_one_invoice() -> None:
    catalog = b"<< /Type /Catalog /AF [2 0 R] /Names << /EmbeddedFiles << /Names [(a) 2 0 R] >> >> >>"
    assert read_invoice(raw_pdf(catalog, FILE, stream(CII_INVOICE))).invoice.number == "BT-1"


def test_the_unicode_name_of_a_file_goes_before_its_plain_name() -> None:
    file = FILE.replace(b"/F (factur-x.xml)", b"/F (1.xml) /UF (factur-x.xml)")
    assert read_invoice(raw_pdf(CATALOG, file, stream(CII_INVOICE))).invoice.number == "BT-1"


def test_bytes_before_the_head_and_after_the_end_mark_are_allowed() -> None:
    assert read_invoice(b"junk\n" + factur_x() + b"\r\n" + bytes(5000)).invoice.number == "BT-1"


def test_a_name_tree_that_runs_in_a_circle_ends() -> None:
    catalog = b"<< /Type /Catalog /Names << /EmbeddedFiles 2 0 R >> >>"
    with pytest.raises(errors.PdfWithoutInvoiceError):
        read_invoice(raw_pdf(catalog, b"<< /Kids [2 0 R 2 0 R 3 0 R] >>", b"<< /Kids [2 0 R] >>"))


@pytest.mark.parametrize(
    "objects",
    [
        (b"1 0 R",),
        (b"<< /Type /Catalog /Names 1 0 R /AF 1 0 R >>",),
        (CATALOG, b"2 0 R"),
        (CATALOG, b"3 0 R", b"2 0 R"),
        (CATALOG, FILE),
        (CATALOG, FILE, b"<< /Type /EmbeddedFile >>"),
        (CATALOG, FILE, stream(CII_INVOICE, b"/Filter 3 0 R")),
        (CATALOG, FILE, stream(CII_INVOICE, b"/Filter /FlateDecode")),
        (CATALOG, FILE, stream(CII_INVOICE, b"/Filter /NoSuchDecode")),
        (b"<< /Type /Catalog /AF " + b"[" * 3000 + b"]" * 3000 + b" >>",),
    ],
    ids=range(10),
)
def test_circular_and_missing_objects_are_refused_by_name(objects: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.UnreadableInvoiceError):
        read_invoice(raw_pdf(*objects))


def test_a_decompression_bomb_is_refused_before_it_unfolds() -> None:
    bomb = stream(zlib.compress(bytes(100_000_000), 9), b"/Filter /FlateDecode")
    with pytest.raises(errors.FileTooLargeError):
        read_invoice(raw_pdf(CATALOG, FILE, bomb), replace(LIMITS, max_file_bytes=1_000_000))


def test_a_compressed_invoice_is_read() -> None:
    compressed = stream(zlib.compress(CII_INVOICE), b"/Filter /FlateDecode")
    assert read_invoice(raw_pdf(CATALOG, FILE, compressed)).invoice.number == "BT-1"


def _mutant(data: bytes, rng: random.Random) -> bytes:
    """`data` with one to four small faults: bytes changed, dropped, doubled, or references turned elsewhere."""
    mutant = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(mutant))
        end = min(len(mutant), start + rng.randint(1, 40))
        match rng.randrange(5):
            case 0:
                mutant[start] = rng.randrange(256)
            case 1:
                del mutant[start:end]
            case 2:
                mutant[start:start] = mutant[start:end]
            case 3:
                mutant[start:end] = rng.randbytes(end - start)
            case _:
                digits = [i for i in range(start, end) if 48 <= mutant[i] <= 57]
                for i in digits[:2]:
                    mutant[i] = rng.choice(b"0123456789")
    return bytes(mutant)


@pytest.mark.parametrize(
    "data",
    [
        factur_x(),
        raw_pdf(
            b"<< /Type /Catalog /AF [2 0 R] /Names << /EmbeddedFiles << /Kids [4 0 R] >> >> >>",
            FILE,
            stream(b"<a/>"),
            b"<< /Names [(a) 2 0 R] >>",
        ),
        UBL_INVOICE,
        CII_INVOICE,
        broken(CII_INVOICE, b"UTF-8", b"UTF-16").decode().encode("utf-16"),
    ],
    ids=["Factur-X", "small PDF", "UBL", "CII", "UTF-16"],
)
def test_a_damaged_document_is_read_or_refused_by_name(data: bytes) -> None:
    rng = random.Random(20261122)
    refused: list[errors.UnreadableInvoiceError] = []
    for _ in range(MUTANTS):
        mutant = _mutant(data, rng)
        started = monotonic()
        try:
            read_invoice(mutant)
        except errors.UnreadableInvoiceError as error:
            refused.append(error)
        assert monotonic() - started < PATIENCE_SECONDS
    assert len(refused) > MUTANTS // 20
    assert all(error.what.fr and error.fix.fr for error in refused)
