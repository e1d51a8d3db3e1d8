"""The steps of a path at run time: nodes to nodes, nodes to the strings inside them.

Lists of nodes are in document order and hold each node once; a function that could break that says how it mends it.
"""

from collections.abc import Iterable, Sequence

from gateway.schematron.document import NO_NODES, Document, Element, Leaf, Node
from gateway.schematron.errors import DynamicError

Nodes = Sequence[Node]
NO_STRINGS: tuple[str, ...] = ()


def string_of(node: Node) -> str:
    """The string value of a node (XDM, section 5.13)."""
    return "".join(node.itertext()) if len(node) else node.text or ""


def strings_of(nodes: Iterable[Node]) -> list[str]:
    """The string values of nodes: what atomisation gives on a document without a schema."""
    return ["".join(node.itertext()) if len(node) else node.text or "" for node in nodes]


def string_of_optional(node: Node | None) -> str | None:
    """The string value of a node, None when there is none."""
    return None if node is None else string_of(node)


def more_than_one(what: str) -> DynamicError:
    """The error of a sequence of several items where one is allowed."""
    return DynamicError("XPTY0004", f"more than one item where at most one is allowed ({what})")


def child_strings(node: Node, tag: str) -> Sequence[str]:
    """The string values of the children named `tag`."""
    children = node.findall(tag)
    if not children:
        return NO_STRINGS
    return strings_of(children)


def child_string(node: Node, tag: str) -> str | None:
    """The string value of the only child named `tag`, None without one. Raises DynamicError when there are several."""
    children = node.findall(tag)
    if not children:
        return None
    if len(children) > 1:
        raise more_than_one(tag)
    child = children[0]
    return "".join(child.itertext()) if len(child) else child.text or ""


def children(nodes: Nodes, tag: str) -> list[Element]:
    """Children named `tag` of nodes none of which contains another."""
    if len(nodes) == 1:
        return nodes[0].findall(tag)
    return [child for node in nodes for child in node.findall(tag)]


def children_of_optional(node: Node | None, tag: str) -> list[Element]:
    """Children named `tag` of a node that may be missing."""
    return [] if node is None else node.findall(tag)


def all_children(nodes: Nodes) -> list[Node]:
    """`*` below each node."""
    return [child for node in nodes for child in node]


def in_namespace(nodes: Iterable[Node], namespace: str) -> list[Node]:
    """`prefix:*`: the nodes whose name is in `namespace`, given as `{uri}`."""
    return [node for node in nodes if node.tag.startswith(namespace)]


def texts(nodes: Nodes) -> list[Node]:
    """`text()` below each node; text runs around child elements are separate nodes."""
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Leaf):
            continue
        runs = [node.text, *(child.tail for child in node)]
        found.extend(Leaf(node, f"#text{index}", run) for index, run in enumerate(runs) if run)
    return found


def texts_below(nodes: Nodes) -> list[Node]:
    """`.//text()` of nodes none of which contains another, in document order."""
    return [
        Leaf(node, f"#text{index}", run)
        for node in nodes
        if not isinstance(node, Leaf)
        for index, run in enumerate(node.itertext())
        if run
    ]


def attribute(node: Node, name: str) -> Leaf | None:
    """The attribute of that name as a node."""
    value = node.get(name)
    return None if value is None or isinstance(node, Leaf) else Leaf(node, name, value)


def attributes(nodes: Iterable[Node], name: str) -> list[Leaf]:
    """The attributes of that name of several nodes, as nodes."""
    return [leaf for node in nodes if (leaf := attribute(node, name)) is not None]


def attribute_strings(nodes: Iterable[Node], name: str) -> list[str]:
    """The values of the attributes of that name."""
    return [value for node in nodes if (value := node.get(name)) is not None]


def parent(document: Document, node: Node | None) -> Element | None:
    """`..`, None above the document node."""
    if node is None:
        return None
    return node.owner if isinstance(node, Leaf) else document.parents.get(node)


def parents(document: Document, nodes: Nodes) -> list[Node]:
    """`..` of several nodes, in document order, each parent once."""
    found = dict.fromkeys(above for node in nodes if (above := parent(document, node)) is not None)
    return in_document_order(document, found) if len(found) > 1 else list(found)


def ancestors(document: Document, node: Node, tag: str) -> list[Element]:
    """`ancestor::tag`."""
    found: list[Element] = []
    above = parent(document, node)
    while above is not None:
        if above.tag == tag:
            found.append(above)
        above = parent(document, above)
    return found[::-1]


def descendants(node: Node, tag: str) -> list[Element]:
    """`descendant::tag`."""
    return [found for found in node.iter(tag) if found is not node]


def with_attribute(document: Document, name: str) -> list[Leaf]:
    """`//@name`."""
    return attributes(document.holders(name), name)


def preceding(document: Document, node: Node, tag: str) -> list[Element]:
    """`preceding::tag`: those that end before the node begins."""
    start = node.owner if isinstance(node, Leaf) else node
    order = document.order()
    position = order[start]
    around = set[Element]()
    above: Element | None = start
    while above is not None:
        around.add(above)
        above = document.parents.get(above)
    return [found for found in document.ending(tag) if order[found] < position and found not in around]


def named(node: Node, tag: str) -> Node | None:
    """`self::tag`."""
    return node if node.tag == tag else None


def optional_list(node: Node | None) -> Nodes:
    """A node that may be missing, as a list."""
    return NO_NODES if node is None else (node,)


def in_document_order(document: Document, nodes: Iterable[Node]) -> list[Node]:
    """Nodes sorted, each once; an attribute or a text comes after its element."""
    order = document.order()

    def position(node: Node) -> tuple[int, str]:
        return (order[node.owner], node.tag) if isinstance(node, Leaf) else (order[node], "")

    return sorted(dict.fromkeys(nodes), key=position)


def union(document: Document, *lists: Nodes) -> Nodes:
    """`a | b`, in document order, each node once."""
    filled = [nodes for nodes in lists if nodes]
    if len(filled) <= 1:
        return filled[0] if filled else NO_NODES
    return in_document_order(document, (node for nodes in filled for node in nodes))
