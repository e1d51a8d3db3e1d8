"""Reads a part of the model out of an XML element, guided by a table: field of the model to path in the syntax.

The model already says what each field is (its type) and which business term it holds; a syntax only adds where it
stands. One walk over the children serves all the fields of a part, so that reading is linear in the document.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin

from lxml import etree

from gateway.invoices.dialects import XML_SPACE, Dialect, text_of
from gateway.invoices.errors import InvalidNumberError
from gateway.invoices.terms import Identifier, Part, terms_of
from gateway.invoices.xml import line_of

P = TypeVar("P", bound=Part)
Convert = Callable[[etree._Element], Any]
#: `cac:Item/cbc:Name`, `cbc:Quantity/@unitCode`, alternatives `ram:ID|ram:GlobalID`, or such a path and what reads
#: the element found there.
Where = str | tuple[str, Convert]

#: Digits beyond which arithmetic would round silently (the precision of Python's default decimal context).
MAX_DIGITS = 28
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def number_of(element: etree._Element, term: str) -> Decimal | None:
    """The number an element holds, every digit kept. Raises InvalidNumberError."""
    value = text_of(element)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value) or sum(map(str.isdigit, value)) > MAX_DIGITS:
        raise InvalidNumberError(term, value, line_of(element))
    return Decimal(value)


def identifier_of(element: etree._Element) -> Identifier | None:
    """The identifier an element holds, with its scheme or its list."""
    value = text_of(element)
    if value is None:
        return None
    scheme = element.get("schemeID") or element.get("listID")
    return Identifier(value=value, scheme=scheme, version=element.get("listVersionID"))


class _Read(NamedTuple):
    field: str
    many: bool
    convert: Convert


@dataclass(slots=True)
class _Step:
    reads: list[_Read] = field(default_factory=list)
    below: dict[str, "_Step"] = field(default_factory=dict)


class PartReader(Generic[P]):
    """Reads a `P` from an element by a table. Of several values for a single field, the first one counts."""

    def __init__(self, part: type[P], dialect: Dialect, table: Mapping[str, Where]) -> None:
        """`table`: each field of `part` to read, and where it stands below the element."""
        self._part = part
        self._root = _Step()
        for name, where in table.items():
            path, convert = where if isinstance(where, tuple) else (where, None)
            many = get_origin(part.model_fields[name].annotation) is tuple
            for alternative in path.split("|"):
                steps, _, attribute = alternative.partition("/@")
                step = self._root
                for tag in steps.split("/"):
                    step = step.below.setdefault(dialect.tag(tag), _Step())
                step.reads.append(_Read(name, many, convert or _by_type(part, name, dialect, attribute)))

    def values(self, element: etree._Element) -> dict[str, Any]:
        """Field to value, for the fields that the element gives."""
        found: dict[str, Any] = {}
        _walk(element, self._root.below, found)
        return found

    def __call__(self, element: etree._Element) -> P | None:
        """The part, None when the element gives none of its fields."""
        found = self.values(element)
        return self._part(**found) if found else None


def _walk(element: etree._Element, steps: dict[str, _Step], found: dict[str, Any]) -> None:
    for child in element:
        step = steps.get(child.tag)
        if step is None:
            continue
        for name, many, convert in step.reads:
            if many:
                value = convert(child)
                if value is not None:
                    found.setdefault(name, []).append(value)
            elif name not in found:
                value = convert(child)
                if value is not None:
                    found[name] = value
        if step.below:
            _walk(child, step.below, found)


def _by_type(part: type[Part], name: str, dialect: Dialect, attribute: str) -> Convert:
    """How to read a field, by its type in the model."""
    annotation = part.model_fields[name].annotation
    types = {annotation, *get_args(annotation)}
    term = terms_of(part)[name]
    if attribute:
        return lambda element: (element.get(attribute) or "").strip(XML_SPACE) or None
    if Decimal in types:
        return lambda element: number_of(element, term)
    if date in types:
        return lambda element: dialect.date_of(element, term)
    if Identifier in types:
        return identifier_of
    if str in types:
        return text_of
    raise TypeError(f"{part.__name__}.{name} needs its own reader")
