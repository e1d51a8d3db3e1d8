"""Finds the invoice XML inside a Factur-X PDF, whatever state the PDF is in, in bounded time and memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from time import monotonic

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from gateway.invoices.errors import (
    DamagedPdfError,
    EncryptedPdfError,
    FileTooLargeError,
    PdfTooSlowError,
    PdfWithoutInvoiceError,
    PdfWithSeveralInvoicesError,
    TooManyAttachmentsError,
    TruncatedPdfError,
    UnreadableInvoiceError,
)
from gateway.invoices.limits import ReadingLimits

#: Names of the invoice in Factur-X and in ZUGFeRD 1 to 2.x, in lower case.
INVOICE_FILE_NAMES = frozenset({"factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"})
#: Where readers look for the head and for the end mark of a PDF (ISO 32000-1, annex H.3).
EDGE_BYTES = 1024
END_MARK = b"%%EOF"


def embedded_invoice(data: bytes, limits: ReadingLimits) -> bytes:
    """The invoice XML of a PDF, looked for in its name tree of embedded files and in its associated files.

    Raises FileTooLargeError, TruncatedPdfError, EncryptedPdfError, DamagedPdfError, PdfWithoutInvoiceError,
    PdfWithSeveralInvoicesError, TooManyAttachmentsError, PdfTooSlowError.
    """
    if len(data) > limits.max_file_bytes:
        raise FileTooLargeError(limits.max_file_bytes)
    if END_MARK not in data.rstrip(b"\0 \t\r\n")[-EDGE_BYTES:]:
        raise TruncatedPdfError(len(data))
    try:
        with opened_pdf(data, limits) as reader:
            return _invoice_of(reader, limits)
    except UnreadableInvoiceError:
        raise
    except LimitReachedError as error:
        raise FileTooLargeError(limits.max_file_bytes, where="PDF") from error
    except Exception as error:
        # A damaged PDF can make the library fail anywhere, with any exception: there is no list to catch.
        raise DamagedPdfError(f"{type(error).__name__}: {error}") from error


@contextmanager
def opened_pdf(data: bytes, limits: ReadingLimits) -> Iterator[PdfReader]:
    """A reader of the PDF that unpacks no stream beyond the limits; any exception may come out of a damaged one."""
    size = limits.max_file_bytes
    bounds = Configuration(
        maximum_declared_stream_length=size,
        array_based_stream_maximum_output_length=size,
        zlib_maximum_output_length=size,
        lzw_maximum_output_length=size,
        run_length_maximum_output_length=size,
        brotli_maximum_output_length=size,
        jbig2dec_binary=None,
    )
    with apply_configuration(bounds):
        yield PdfReader(BytesIO(data))


def invoice_specifications(reader: PdfReader) -> Iterator[DictionaryObject]:
    """The file specifications of the invoice: where the PDF says what the embedded file is and how it relates."""
    for specification in _file_specifications(reader.root_object):
        if _file_name(specification).lower() in INVOICE_FILE_NAMES:
            yield specification


def _invoice_of(reader: PdfReader, limits: ReadingLimits) -> bytes:
    if reader.is_encrypted:
        raise EncryptedPdfError
    deadline = monotonic() + limits.max_pdf_seconds
    names: list[str] = []
    invoices: dict[bytes, str] = {}
    for specification in _file_specifications(reader.root_object):
        if monotonic() > deadline:
            raise PdfTooSlowError(limits.max_pdf_seconds)
        name = _file_name(specification)
        if name not in names:
            names.append(name)
        if len(names) > limits.max_attachments:
            raise TooManyAttachmentsError(limits.max_attachments, "PDF")
        if name.lower() in INVOICE_FILE_NAMES:
            # The same file may stand in several places, so files are told apart by their content.
            invoices[_content(specification)] = name
        if len(invoices) > 1:
            raise PdfWithSeveralInvoicesError(list(invoices.values()))
    if not invoices:
        raise PdfWithoutInvoiceError(names)
    return next(iter(invoices))


def _file_specifications(catalog: DictionaryObject) -> Iterator[DictionaryObject]:
    """Every file specification of the document; a name tree that runs in a circle ends."""
    names = _dictionary(catalog, "/Names")
    seen: set[tuple[int, int]] = set()
    pending: list[object] = [names.get("/EmbeddedFiles")] if names else []
    while pending:
        for node in _dictionaries([pending.pop()], seen):
            pending.extend(_array(node, "/Kids"))
            yield from _dictionaries(_array(node, "/Names")[1::2], seen)
    yield from _dictionaries(_array(catalog, "/AF"), seen)


def _dictionaries(items: list[object], seen: set[tuple[int, int]]) -> Iterator[DictionaryObject]:
    """The dictionaries among the items, but for those that a reference has led to before."""
    for item in items:
        if isinstance(item, IndirectObject):
            reference = (item.idnum, item.generation)
            if reference in seen:
                continue
            seen.add(reference)
        resolved = _resolved(item)
        if isinstance(resolved, DictionaryObject):
            yield resolved


def _array(parent: DictionaryObject, key: str) -> list[object]:
    found = _resolved(parent.get(key))
    return list(found) if isinstance(found, ArrayObject) else []


def _dictionary(parent: DictionaryObject, key: str) -> DictionaryObject | None:
    found = _resolved(parent.get(key))
    return found if isinstance(found, DictionaryObject) else None


def _resolved(value: object) -> object:
    return value.get_object() if isinstance(value, IndirectObject) else value


def _file_name(specification: DictionaryObject) -> str:
    """The Unicode name when there is one, else the plain one, without folders."""
    name = _resolved(specification.get("/UF")) or _resolved(specification.get("/F")) or ""
    return str(name).replace("\\", "/").rsplit("/", 1)[-1]


def _content(specification: DictionaryObject) -> bytes:
    files = _dictionary(specification, "/EF") or DictionaryObject()
    for stream in (_resolved(files.get("/UF")), _resolved(files.get("/F"))):
        if isinstance(stream, StreamObject):
            return stream.get_data()
    raise DamagedPdfError("the embedded invoice has no content")
