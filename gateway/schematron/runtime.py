"""Everything that generated modules name."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, ne, neg
from operator import mul as multiply
from operator import sub as subtract
from typing import Any

from gateway.schematron.atoms import (
    any_cast,
    any_pair,
    any_untyped,
    any_untyped_pair,
    apply,
    combine,
    combine_lazily,
    compare,
    compare_lazily,
    divide,
    divide_by_power_of_ten,
    divide_doubles,
    double_to_decimal,
    exact_to_double,
    modulo,
    modulo_doubles,
    not_missing,
    number,
    only,
    optional_date,
    optional_decimal,
    optional_double,
    order_untyped,
    present,
    required,
    round_double,
    round_exact,
    share_a_value,
    string_of_boolean,
    string_of_double,
    string_of_exact,
    sum_doubles,
    sum_numbers,
    to_boolean,
    to_date,
    to_decimal,
    to_double,
    truth_of_atoms,
    truth_of_double,
)
from gateway.schematron.axes import (
    Nodes,
    all_children,
    ancestors,
    attribute,
    attribute_strings,
    attributes,
    child_string,
    child_strings,
    children,
    children_of_optional,
    descendants,
    in_document_order,
    in_namespace,
    named,
    optional_list,
    parent,
    parents,
    preceding,
    string_of,
    string_of_optional,
    strings_of,
    texts,
    texts_below,
    union,
    with_attribute,
)
from gateway.schematron.document import NO_NODES, Document, Element, Node, local_name
from gateway.schematron.errors import DynamicError
from gateway.schematron.strings import (
    distinct,
    normalize_space,
    substring,
    substring_after,
    substring_before,
    tokens,
    translate,
)

__all__ = [
    "NO_NODES",
    "SPACE",
    "Decimal",
    "Lazy",
    "add",
    "all_children",
    "ancestors",
    "any_cast",
    "any_pair",
    "any_untyped",
    "any_untyped_pair",
    "apply",
    "attribute",
    "attribute_strings",
    "attributes",
    "by_key",
    "by_keys",
    "child_string",
    "child_strings",
    "children",
    "children_of_optional",
    "combine",
    "combine_lazily",
    "compare",
    "compare_lazily",
    "descendants",
    "distinct",
    "divide",
    "divide_by_power_of_ten",
    "divide_doubles",
    "double_to_decimal",
    "eq",
    "exact_to_double",
    "ge",
    "gt",
    "in_document_order",
    "in_namespace",
    "le",
    "local_name",
    "lt",
    "modulo",
    "modulo_doubles",
    "multiply",
    "named",
    "ne",
    "neg",
    "no_checks",
    "normalize_space",
    "not_missing",
    "number",
    "only",
    "optional_date",
    "optional_decimal",
    "optional_double",
    "optional_list",
    "order_untyped",
    "parent",
    "parents",
    "preceding",
    "present",
    "re",
    "report_present",
    "required",
    "round_double",
    "round_exact",
    "satisfying",
    "share_a_value",
    "string_of",
    "string_of_boolean",
    "string_of_double",
    "string_of_exact",
    "string_of_optional",
    "strings_of",
    "strings_of_mixed",
    "substring",
    "substring_after",
    "substring_before",
    "subtract",
    "sum_doubles",
    "sum_numbers",
    "texts",
    "texts_below",
    "to_boolean",
    "to_date",
    "to_decimal",
    "to_double",
    "tokens",
    "translate",
    "truth_of_atoms",
    "truth_of_double",
    "truth_of_mixed",
    "union",
    "with_attribute",
    "with_keys",
]

SPACE = " \t\r\n"


class Lazy:
    """A variable computed when it is first used."""

    __slots__ = ("_compute", "_value")

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute: Callable[[], Any] | None = compute
        self._value: Any = None

    def __call__(self) -> Any:
        if self._compute is not None:
            self._value = self._compute()
            self._compute = None
        return self._value


def by_key(nodes: Iterable[Node], key: Callable[[Node], Any]) -> dict[Any, list[Node]]:
    """Nodes by the value of `key`; those where it has none are left out."""
    found: dict[Any, list[Node]] = {}
    for node in nodes:
        value = key(node)
        if value is not None:
            found.setdefault(value, []).append(node)
    return found


def by_keys(nodes: Iterable[Node], keys: Callable[[Node], Iterable[Any]]) -> dict[Any, list[Node]]:
    """Nodes by each of the values of `keys`."""
    found: dict[Any, list[Node]] = {}
    for node in nodes:
        for value in dict.fromkeys(keys(node)):
            found.setdefault(value, []).append(node)
    return found


def with_keys(document: Document, index: dict[Any, list[Node]], keys: Iterable[Any]) -> Nodes:
    """The nodes of an index that have any of the keys, in document order."""
    return union(document, *(index[key] for key in dict.fromkeys(keys) if key in index))


def report_present(
    document: Document, forbidden: Mapping[str, tuple[int, ...]], report: Callable[[int, Element], None], node: Element
) -> None:
    """Report on `node` each check that forbids a path, given below the document element, which the document has."""
    present = forbidden.keys() & document.below.keys()
    for check in sorted({check for path in present for check in forbidden[path]}):
        report(check, node)


def satisfying(test: Callable[[Element], Any], nodes: Iterable[Element]) -> list[Element]:
    """The elements that satisfy the predicates of a context; one on which they have no value does not."""
    found: list[Element] = []
    for node in nodes:
        try:
            if test(node):
                found.append(node)
        except DynamicError:
            continue
    return found


def strings_of_mixed(items: Sequence[Any]) -> list[str]:
    """The atoms of a sequence of nodes and strings."""
    return [item if isinstance(item, str) else string_of(item) for item in items]


def truth_of_mixed(items: Sequence[Any]) -> bool:
    """Effective boolean value of a sequence of nodes and strings."""
    return bool(items) and (not isinstance(items[0], str) or truth_of_atoms(items))


def no_checks(_doc: object, _memo: object, _report: object, _nodes: object) -> None:
    """The rule that checks nothing: it only keeps the rules after it from applying."""
