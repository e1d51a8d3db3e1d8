"""The one XML parser of the gateway: no document type, no entity, no network, bounded in bytes, elements and depth."""

import re
from functools import cache
from typing import cast

from lxml import etree

from gateway.invoices.errors import (
    EmptyFileError,
    FileTooLargeError,
    ForbiddenDoctypeError,
    MalformedXmlError,
    TooManyElementsError,
    WrongEncodingError,
    XmlTooDeepError,
    place,
)
from gateway.invoices.limits import ReadingLimits

#: Longest text node libxml2 takes without its `huge` option, which also switches its other guards off.
LIBXML2_TEXT_BYTES = 10_000_000
#: Bytes of the smallest element, `<a/>`.
SMALLEST_ELEMENT = 4
#: Encodings in which no byte sequence can hide markup from the look at the prolog.
ACCEPTED_ENCODINGS = frozenset({"UTF-8", "UTF-16", "US-ASCII", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252"})
ENCODING_FAULTS = frozenset(
    {
        etree.ErrorTypes.ERR_INVALID_ENCODING,
        etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
        etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
        etree.ErrorTypes.ERR_ENCODING_NAME,
    }
)

_UTF_16_STARTS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_DECLARATION = re.compile(r"""\ufeff?<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
# Possessive, so that no document can make the search go back over its comments.
_PROLOG = re.compile(r"\ufeff?(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->))*+", re.DOTALL)


def parse_xml(data: bytes, limits: ReadingLimits) -> etree._ElementTree:
    """The tree of `data`, without its comments and processing instructions.

    Raises a subclass of UnreadableInvoiceError, with line and column where there is one: EmptyFileError,
    FileTooLargeError, WrongEncodingError, ForbiddenDoctypeError, TooManyElementsError, XmlTooDeepError,
    MalformedXmlError.
    """
    if not data:
        raise EmptyFileError
    if len(data) > limits.max_file_bytes:
        raise FileTooLargeError(limits.max_file_bytes)
    encoding = _refuse_unsafe_prolog(data)
    # Counted before a tree is built, because each element costs far more memory than its bytes; not where they could
    # not be too many.
    may_be_many = len(data) > limits.max_elements * SMALLEST_ELEMENT
    if may_be_many and data.count(b"<") - data.count(b"</") > limits.max_elements:
        raise TooManyElementsError(limits.max_elements)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        huge_tree=len(data) > LIBXML2_TEXT_BYTES,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        fault = getattr(error, "code", None)
        if fault in ENCODING_FAULTS:
            raise WrongEncodingError(encoding, line, column) from error
        if fault == etree.ErrorTypes.ERR_UNDECLARED_ENTITY:
            raise ForbiddenDoctypeError(line, column) from error
        if fault == etree.ErrorTypes.ERR_RESOURCE_LIMIT and "depth" in (error.msg or ""):
            raise XmlTooDeepError(limits.max_depth, place(line, column)) from error
        raise MalformedXmlError(error.msg or "unknown reason", line, column) from error
    _refuse_depth(root, limits.max_depth)
    return root.getroottree()


def _refuse_unsafe_prolog(data: bytes) -> str:
    """Look at what stands before the root element; return the declared encoding."""
    utf_16 = _UTF_16_STARTS.get(data[:2])
    # ASCII-compatible encodings keep markup on the same bytes, so Latin-1 shows it at its place.
    text = data.decode(utf_16, "replace") if utf_16 else data.decode("latin-1").removeprefix("ï»¿")
    declared = _DECLARATION.match(text)
    encoding = declared.group(1) if declared else "UTF-16" if utf_16 else "UTF-8"
    if encoding.upper() not in ACCEPTED_ENCODINGS:
        raise WrongEncodingError(encoding, 1, 1)
    prolog = _PROLOG.match(text)
    end = prolog.end() if prolog else 0
    if text.startswith("<!DOCTYPE", end):
        raise ForbiddenDoctypeError(text.count("\n", 0, end) + 1, end - (text.rfind("\n", 0, end) + 1) + 1)
    return encoding


def _refuse_depth(root: etree._Element, max_depth: int) -> None:
    too_deep = _below(max_depth)(root)
    if isinstance(too_deep, list) and too_deep and isinstance(too_deep[0], etree._Element):
        raise XmlTooDeepError(max_depth, place(line_of(too_deep[0])))


@cache
def _below(depth: int) -> etree.XPath:
    """Finds the elements just below `depth` levels; in C, it costs a fraction of the parsing."""
    return etree.XPath("/*" * (depth + 1))


def line_of(element: etree._Element) -> int:
    """The line an element starts on, 0 when it was not parsed from a file."""
    return cast(int | None, element.sourceline) or 0
