"""The tree of an XPath 2.0 expression, limited to what compiled Schematron uses.

Every node is frozen and hashable: equal expressions are equal values, which is what lets the generator compute a
repeated subexpression once per document.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, integer, decimal or double literal."""

    value: str | int | Decimal | float


@dataclass(frozen=True, slots=True)
class ContextItem:
    """The dot."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`, the name without its dollar."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """`(a, b, …)`; no item for the empty sequence."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Logical:
    """`and`, `or`."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A general (`=`, `<=`…) or a value (`eq`, `le`…) comparison; `operator` is always the value form."""

    operator: str
    left: "Expression"
    right: "Expression"
    general: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * div mod`."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Union:
    """`a | b | …`."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if (test) then a else b`."""

    test: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class Loop:
    """`for $v in e return body`, `some … satisfies`, `every … satisfies`."""

    kind: str
    bindings: tuple[tuple[str, "Expression"], ...]
    body: "Expression"


@dataclass(frozen=True, slots=True)
class Cast:
    """`operand cast as type`."""

    operand: "Expression"
    type: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the `fn:` prefix is dropped."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Step:
    """An axis step: `axis` in XPath's words, `test` a name, `*`, `prefix:*`, `text()` or `node()`."""

    axis: str
    test: str
    predicates: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """A primary expression used as a step, with its predicates."""

    base: "Expression"
    predicates: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from an anchor: "context" (the dot), "document" (`/`) or "root" (the document element).

    The anchor "root" is not written in XPath: the generator sets it where the context is known to be that element.
    """

    anchor: str
    steps: tuple["Step | Filter", ...]


Expression = (
    Literal
    | ContextItem
    | Variable
    | Sequence
    | Logical
    | Comparison
    | Arithmetic
    | Negation
    | Union
    | Conditional
    | Loop
    | Cast
    | Call
    | Path
)

ANY_NODE = Step("descendant-or-self", "node()")
"""What `//` stands for."""
