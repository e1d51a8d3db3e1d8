"""Pieces of generated Python: an expression's text together with the static type of its value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from types import MappingProxyType


class Kind(Enum):
    """What the items of a sequence are."""

    NODE = auto()
    STRING = auto()
    UNTYPED = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    DECIMAL = auto()
    DOUBLE = auto()
    DATE = auto()
    MIXED = auto()
    """Nodes and strings in one sequence: told apart at run time."""


class Occurs(Enum):
    """How many items there can be, and so how the value is represented: itself, itself or None, a sequence."""

    ONE = auto()
    OPTIONAL = auto()
    MANY = auto()


TEXTUAL = frozenset({Kind.STRING, Kind.UNTYPED})
EXACT = frozenset({Kind.INTEGER, Kind.DECIMAL})
NUMERIC = EXACT | {Kind.DOUBLE}


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression.

    Attributes:
        text: its source, safe to use as an operand without parentheses.
        kind, occurs: the static type of its value.
        raises: whether evaluating it may raise a dynamic error.
        constant: the value, a tuple of items, when it is known at compile time.
        is_cheap: whether computing it again costs no more than remembering it.
    """

    text: str
    kind: Kind
    occurs: Occurs
    raises: bool = False
    constant: tuple[object, ...] | None = None
    is_cheap: bool = False

    def having(self, text: str, *, occurs: Occurs | None = None, raises: bool = False) -> "Code":
        """The same kind of item, computed by another expression from this one."""
        return Code(text, self.kind, occurs or self.occurs, self.raises or raises)


EMPTY = Code("()", Kind.MIXED, Occurs.MANY, constant=())


def is_empty(code: Code) -> bool:
    """Whether the value is the literal empty sequence."""
    return code.constant == () and code.occurs is Occurs.MANY


def truth(text: str, *operands: Code) -> Code:
    """A boolean computed from operands."""
    is_cheap = any(operand.is_cheap and operand.text == text for operand in operands)
    return Code(text, Kind.BOOLEAN, Occurs.ONE, any(operand.raises for operand in operands), is_cheap=is_cheap)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression is evaluated.

    Attributes:
        context: Python name of the context node.
        once: whether the place runs at most once per document, so that remembering a value gains nothing.
        is_element: whether the context node is known to be an element, which always has a parent.
        variables: code of each XPath variable in scope.
    """

    context: str
    once: bool = False
    is_element: bool = True
    variables: Mapping[str, Code] = field(default_factory=lambda: MappingProxyType({}))

    def at(self, context: str, *, is_element: bool = True) -> "Scope":
        """The scope of a predicate or a step, evaluated on each node `context`."""
        return replace(self, context=context, once=False, is_element=is_element)

    def binding(self, name: str, code: Code) -> "Scope":
        """The scope inside a variable's reach."""
        return replace(self, variables={**self.variables, name: code})
