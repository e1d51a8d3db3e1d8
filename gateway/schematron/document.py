"""One XML document, made ready for any number of rule sets.

lxml builds a Python proxy for every node it hands out, which makes walking costly; the C elements of
`xml.etree.ElementTree` are the nodes themselves. So the tree is handed over once as bytes, and indexed: every
element under the path of names that leads to it, and its parent. The element tree has no parent links and so no
reference cycle: a document is freed at once, without the garbage collector.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from xml.etree import ElementTree

from lxml import etree

from gateway.schematron.path_names import PathName, path_of_root

Element = ElementTree.Element
NO_NODES: tuple["Node", ...] = ()
DOCUMENT_TAG = "#document"


class Leaf:
    """An attribute or a text node: it answers what an element answers, and has no children."""

    __slots__ = ("owner", "tag", "text")

    def __init__(self, owner: Element, tag: str, text: str) -> None:
        """`tag` is the attribute's `{namespace}name`, or empty for a text node."""
        self.owner = owner
        self.tag = tag
        self.text = text

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator["Node"]:
        return iter(())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and other.owner is self.owner and other.tag == self.tag

    def __hash__(self) -> int:
        return hash((self.owner, self.tag))

    def find(self, _tag: str) -> None:
        return None

    def findall(self, _tag: str) -> list[Element]:
        return []

    def iter(self, _tag: str | None = None) -> Iterator[Element]:
        return iter(())

    def itertext(self) -> Iterator[str]:
        return iter((self.text,))

    def get(self, _name: str) -> None:
        return None


Node = Element | Leaf


class Document:
    """A document and its indexes. Immutable once built but for caches that any thread may fill with equal values.

    Attributes:
        source: the lxml root element it was made from.
        node: the document node; its only child is the document element.
        root: the document element.
        by_name: the elements of each path in document order, a path before those below it.
    """

    def __init__(self, source: etree._Element, data: bytes | None = None) -> None:
        """`data` is what `source`, the root of a document without a document type, was parsed from."""
        self.source = source
        self.root: Element = _copied(source) if data is None else _parsed(data, source)
        self.node: Element = Element(DOCUMENT_TAG)
        self.node.append(self.root)
        self.by_name = self._found_by_name()
        self._endings: dict[str, list[Element]] = {}
        self._holders: dict[str, list[Element]] | None = None
        self._positions: dict[Element, int] = {}
        self._prefixes: dict[Element, str | None] = {}
        self._locations: dict[Element, str] = {self.node: ""}

    def _found_by_name(self) -> list[tuple[PathName, list[Element]]]:
        found: list[tuple[PathName, list[Element]]] = [(path_of_root(self.root.tag), [self.root])]
        # Grows while it is walked.
        for name, nodes in found:
            groups: dict[str, list[Element]] = {}
            for node in nodes:
                # A slice, for an element's own iterator ends with an exception, which takes longer than the copy.
                for child in node[:]:
                    tag = child.tag
                    if tag in groups:
                        groups[tag].append(child)
                    else:
                        groups[tag] = [child]
            if groups:
                longer = name.longer
                found += [(longer[tag], children) for tag, children in groups.items()]
        return found

    @cached_property
    def paths(self) -> dict[str, list[Element]]:
        """The same elements by the whole path, the tags from the root down joined with one space."""
        return {name.path: nodes for name, nodes in self.by_name}

    @cached_property
    def below(self) -> dict[str, list[Element]]:
        """The same elements by the path below the root, its tags joined with one space; empty for the root itself."""
        return {name.below: nodes for name, nodes in self.by_name}

    @cached_property
    def parents(self) -> dict[Element, Element]:
        """The parent of every element."""
        parents = {child: node for node in self.root.iter() for child in node[:]}
        parents[self.root] = self.node
        return parents

    @cached_property
    def _by_last_tag(self) -> dict[str, list[tuple[str, list[Element]]]]:
        """The paths and their elements by the last tag of the path."""
        found: dict[str, list[tuple[str, list[Element]]]] = {}
        for name, nodes in self.by_name:
            found.setdefault(name.last, []).append((name.path, nodes))
        return found

    @cached_property
    def _nested(self) -> set[str]:
        """The tags of elements that stand below one of the same tag."""
        return {name.last for name, _ in self.by_name if name.is_nested}

    def ending(self, suffix: str) -> list[Element]:
        """`//a/b`: the elements whose path ends with the tags of `suffix`, in document order."""
        found = self._endings.get(suffix)
        if found is None:
            last, tail = suffix.rpartition(" ")[2], f" {suffix}"
            known = self._by_last_tag.get(last, ())
            lists = [nodes for path, nodes in known if path.endswith(tail) or path == suffix]
            found = lists[0] if len(lists) == 1 else self.in_order(node for nodes in lists for node in nodes)
            self._endings[suffix] = found
        return found

    def holders(self, attribute: str) -> list[Element]:
        """The elements that have an attribute of that name, in document order."""
        if self._holders is None:
            holders: dict[str, list[Element]] = {}
            for node in self.root.iter():
                for name in node.keys():  # noqa: SIM118 (an element's keys are not its items)
                    holders.setdefault(name, []).append(node)
            self._holders = holders
        return self._holders.get(attribute, [])

    def order(self) -> dict[Element, int]:
        """Position of every element in document order, the document node first."""
        if not self._positions:
            self._positions = {node: position for position, node in enumerate(self.node.iter())}
        return self._positions

    def in_order(self, nodes: Iterable[Element]) -> list[Element]:
        """Elements sorted in document order, each once."""
        distinct = dict.fromkeys(nodes)
        return sorted(distinct, key=self.order().__getitem__) if len(distinct) > 1 else list(distinct)

    def children_in_order(self, nodes: list[Element], tag: str) -> list[Element]:
        """Children named `tag` of elements that may contain one another."""
        children = [child for node in nodes for child in node.findall(tag)]
        nested = self._nested
        if nested and len(nodes) > 1 and any(node.tag in nested for node in nodes):
            return self.in_order(children)
        return children

    def location(self, node: Element) -> str:
        """XPath of an element as the ISO skeleton prints it in the SVRL."""
        found = self._locations.get(node)
        if found is None:
            parent = self.parents[node]
            prefix = self.location(parent)
            seen: dict[str, int] = {}
            for child in parent:
                seen[child.tag] = rank = seen.get(child.tag, 0) + 1
                self._locations[child] = f"{prefix}/{_location_step(child.tag)}[{rank}]"
            found = self._locations[node]
        return found

    def name(self, node: Node) -> str:
        """`name()`: the name with the prefix that the document uses there."""
        local = local_name(node)
        if isinstance(node, Leaf) or node is self.node:
            return local
        if not self._prefixes:
            pairs = zip(self.root.iter(), self.source.iter("*"), strict=True)
            self._prefixes = {copy: original.prefix for copy, original in pairs}
        prefix = self._prefixes[node]
        return f"{prefix}:{local}" if prefix else local


def prepare(tree: "etree._ElementTree | etree._Element | Document", data: bytes | None = None) -> Document:
    """Make a parsed document ready to be checked; do it once when several rule sets check the same document.

    The tree is copied: later changes to it are not seen. `data`, where it is at hand, are the bytes that it was parsed
    from, unchanged since and without a document type: parsing them again is faster than writing the tree out first.
    """
    if isinstance(tree, Document):
        return tree
    return Document(tree if isinstance(tree, etree._Element) else tree.getroot(), data)


def _copied(source: etree._Element) -> Element:
    # What lxml writes has no entities and no document type, so expat has nothing to expand.
    return ElementTree.fromstring(etree.tostring(source, with_tail=False))


def _parsed(data: bytes, source: etree._Element) -> Element:
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        # libxml2 reads a few encodings that expat does not.
        return _copied(source)


def local_name(node: Node) -> str:
    """`local-name()`."""
    tag = node.tag
    return "" if tag == DOCUMENT_TAG else tag[tag.rfind("}") + 1 :]


def _location_step(tag: str) -> str:
    if not tag.startswith("{"):
        return tag
    namespace, _, name = tag[1:].partition("}")
    return f"*:{name}[namespace-uri()='{namespace}']"
