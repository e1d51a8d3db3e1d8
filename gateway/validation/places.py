"""Where a finding lies: from the official location, or from a business term, to the element of the document."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lxml import etree

from gateway.invoices.xml import line_of
from gateway.validation.terms import bound_terms, location_of

#: One step of a location in an official SVRL: `/*:ID[namespace-uri()='urn:…'][1]`, or `/ID[1]` outside any namespace.
_STEP = re.compile(r"/(?:\*:)?([^/\[\]:]+)(?:\[namespace-uri\(\)='([^']*)'\])?\[(\d+)\]")
#: Elements below a place that are searched for the values behind a finding.
_SEARCHED = 200

#: The content of an attachment is no value to show.
_CONTENT = ("BT-125",)

Tag = str


@dataclass(frozen=True, slots=True)
class Place:
    """An element and how people find it.

    Attributes:
        path: with the document's own prefixes, numbered where siblings share a name.
        names: the local names from the root down.
    """

    element: etree._Element
    path: str
    names: tuple[str, ...]

    @property
    def line(self) -> int | None:
        """The line the element starts on."""
        return line_of(self.element) or None


class Places:
    """The elements of one document. Each element's children are looked at once, so that many findings stay cheap."""

    def __init__(self, tree: etree._ElementTree) -> None:
        self._root: etree._Element = tree.getroot()
        self._found: dict[str, Place | None] = {}
        self._children: dict[etree._Element, dict[Tag, list[etree._Element]]] = {}

    def find(self, location: str) -> Place | None:
        """The element at a location of the official SVRL; None for the document itself."""
        steps = list(_STEP.finditer(location))
        if not steps or steps[-1].end() != len(location):
            return None
        return self._at(location, len(steps), steps)

    def of(self, element: etree._Element) -> Place:
        """The place of an element of this document."""
        names = [etree.QName(each).localname for each in (element, *element.iterancestors())]
        return Place(element, location_of(element), tuple(reversed(names)))

    def with_term(self, term: str, value: str | None = None) -> Place | None:
        """The first element that holds a business term, with that text if one is given, whatever its white space."""
        elements = self._by_term.get(term, [])
        wanted = (each for each in elements if value is None or _squeezed(_text(each)) == _squeezed(value))
        element = next(wanted, None)
        return self.of(element) if element is not None else None

    def values(self, terms: Iterable[str], place: Place) -> dict[str, str]:
        """The values of the business terms that stand once below `place`: of several, the first would mislead.

        Below a place of many elements, only those that stand once in the document.
        """
        below: dict[str, list[etree._Element]] = {}
        elements = list(islice(place.element.iter("*"), _SEARCHED + 1))
        for element in elements:
            for term in self._terms.get(element, ()):
                below.setdefault(term, []).append(element)
        found: dict[str, str] = {}
        for term in terms:
            alone = below.get(term, []) if len(elements) <= _SEARCHED else self._by_term.get(term, [])
            if len(alone) == 1 and (alone[0] is place.element or place.element in alone[0].iterancestors()):
                found[term] = _text(alone[0])
        return {term: value for term, value in found.items() if value}

    def _at(self, location: str, depth: int, steps: list[re.Match[str]]) -> Place | None:
        """The place of the first `depth` steps, remembered for its neighbours."""
        key = location[: steps[depth - 1].end()]
        if key not in self._found:
            name, namespace, position = steps[depth - 1].groups()
            tag = f"{{{namespace}}}{name}" if namespace else name
            parent = self._at(location, depth - 1, steps) if depth > 1 else None
            self._found[key] = self._child(parent, depth, tag, name, int(position))
        return self._found[key]

    def _child(self, parent: Place | None, depth: int, tag: Tag, name: str, position: int) -> Place | None:
        if depth == 1:
            return self.of(self._root) if self._root.tag == tag else None
        if parent is None:
            return None
        siblings = self._children_of(parent.element).get(tag, [])
        if position > len(siblings):
            return None
        element = siblings[position - 1]
        step = f"{element.prefix}:{name}" if element.prefix else name
        number = f"[{position}]" if len(siblings) > 1 else ""
        return Place(element, f"{parent.path}/{step}{number}", (*parent.names, name))

    def _children_of(self, element: etree._Element) -> dict[Tag, list[etree._Element]]:
        children = self._children.get(element)
        if children is None:
            children = self._children[element] = {}
            for child in element.iterchildren("*"):
                children.setdefault(str(child.tag), []).append(child)
        return children

    @cached_property
    def _terms(self) -> dict[etree._Element, tuple[str, ...]]:
        """The business terms of every element that holds a value."""
        bound = ((element, bound_terms(names)) for element, names in _leaves(self._root))
        return {element: terms for element, terms in bound if terms and terms != _CONTENT}

    @cached_property
    def _by_term(self) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {}
        for element, terms in self._terms.items():
            for term in terms:
                found.setdefault(term, []).append(element)
        return found


def _leaves(root: etree._Element) -> Iterator[tuple[etree._Element, tuple[str, ...]]]:
    """Every element without children, in the order of the document, with the local names that lead to it."""
    pending: list[tuple[etree._Element, tuple[str, ...]]] = [(root, ())]
    while pending:
        element, above = pending.pop()
        names = (*above, element.tag.rpartition("}")[2])
        if len(element):
            pending.extend((child, names) for child in element.iterchildren("*", reversed=True))
        else:
            yield element, names


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _squeezed(text: str) -> str:
    return "".join(text.split())
