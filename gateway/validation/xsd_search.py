"""Find what exactly breaks the schema: each fault with its element, the value seen and what was expected.

libxml2 gives verdicts quickly but stops at the first misplaced child of an element and words its messages for
programmers; `xmlschema` knows more and costs some fifty times more. So it is asked only about documents that have
failed, up to a size.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

import xmlschema
from lxml import etree

from gateway.invoices.xml import line_of
from gateway.validation.xsd_faults import Fault, FaultKind

#: Past so many elements, xmlschema would keep the user waiting (20,000 elements take about half a second).
MAX_ELEMENTS_EXPLAINED = 20_000

#: One line of libxml2's error log: an XPath with the document's prefixes ("*" for none), the line, the message.
Refusal = tuple[str | None, int, str]

_explaining = Lock()


def find_faults(schema_file: Path, tree: etree._ElementTree, refusals: Iterable[Refusal], most: int) -> list[Fault]:
    """At most `most` faults of a document that libxml2 has refused, in the order of the document."""
    faults = _explained(schema_file, tree, most) or list(islice(_from_libxml2(tree, refusals), most))
    return sorted(faults, key=lambda fault: fault.line or 0)


def _explained(schema_file: Path, tree: etree._ElementTree, most: int) -> list[Fault]:
    """The faults as xmlschema sees them; none when the document is too large or xmlschema cannot follow it."""
    if next(islice(tree.iter("*"), MAX_ELEMENTS_EXPLAINED, None), None) is not None:
        return []
    try:
        with _explaining:
            return [_from_xmlschema(error) for error in islice(_schema(schema_file).iter_errors(tree), most)]
    except xmlschema.XMLSchemaException:
        # A document may name types of its own choice (xsi:type), which stops xmlschema; libxml2 has its findings.
        return []


@cache
def _schema(schema_file: Path) -> Any:
    # Checking the official schema against the schema of schemas would be nine tenths of the loading time (3 s for
    # UBL), and lxml has compiled it before. Nothing outside the installed package may be fetched.
    return xmlschema.XMLSchema10(str(schema_file), validation="skip", allow="local")


def _from_xmlschema(error: Any) -> Fault:
    element: etree._Element = error.elem
    message = " ".join((error.reason or "").split())
    line = line_of(element) or None
    if isinstance(error, xmlschema.XMLSchemaChildrenValidationError):
        return _wrong_child(error, element, message)
    if isinstance(error.validator, xmlschema.validators.XsdAttributeGroup):
        name = _first_quoted(message)
        kind = FaultKind.MISSING_ATTRIBUTE if "missing required" in message else FaultKind.UNKNOWN_ATTRIBUTE
        return Fault(kind, element, line, message, name=name)
    if isinstance(error.obj, str):
        type_name = _builtin_type(error.validator)
        return Fault(FaultKind.INVALID_VALUE, element, line, message, value=error.obj, type_name=type_name)
    return Fault(FaultKind.OTHER, element, line, message)


def _wrong_child(error: Any, parent: etree._Element, message: str) -> Fault:
    """Tell a missing, an unknown, a repeated and a misplaced child apart."""
    expected_tags = [particle.name for particle in error.expected or () if particle.name]
    expected = tuple(etree.QName(tag).localname for tag in expected_tags)
    if error.invalid_tag is None:
        return Fault(
            FaultKind.MISSING_ELEMENT, parent, line_of(parent) or None, message, _first(expected), expected=expected
        )
    child = parent[error.index]
    known = {particle.name for particle in error.validator.iter_elements()}
    present = {sibling.tag for sibling in parent}
    name, line = etree.QName(child).localname, line_of(child) or None
    if child.tag not in known:
        kind = FaultKind.UNKNOWN_ELEMENT
    elif expected_tags and not present.intersection(expected_tags):
        return Fault(FaultKind.MISSING_ELEMENT, parent, line, message, _first(expected), expected=expected)
    elif next(child.itersiblings(child.tag, preceding=True), None) is not None:
        kind = FaultKind.REPEATED_ELEMENT
    else:
        kind = FaultKind.MISPLACED_ELEMENT
    return Fault(kind, child, line, message, name, expected=expected)


def _from_libxml2(tree: etree._ElementTree, refusals: Iterable[Refusal]) -> Iterator[Fault]:
    for path, line, message in refusals:
        yield Fault(FaultKind.OTHER, _element_at(tree, path), line or None, message)


def _element_at(tree: etree._ElementTree, path: str | None) -> etree._Element | None:
    """The element that libxml2 names by its own prefixes; compared by name, for no prefix table is at hand."""
    if not path:
        return None
    found = tree.xpath(re.sub(r"/([\w.-]+:[\w.-]+)", r"/*[name()='\1']", path))
    return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None


def _builtin_type(validator: Any) -> str:
    """The local name of the built-in type at the root of a simple type or of a facet."""
    simple_type = getattr(validator, "base_type", None) or validator
    root = getattr(simple_type, "primitive_type", None) or simple_type
    return (root.local_name or "") if hasattr(root, "local_name") else ""


def _first_quoted(message: str) -> str:
    quoted = re.search(r"'([^']*)'", message)
    return quoted.group(1).rpartition("}")[2] if quoted else ""


def _first(names: tuple[str, ...]) -> str:
    return names[0] if names else ""
