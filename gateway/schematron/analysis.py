"""What can be told about an expression from its tree alone."""

from gateway.schematron.xpath_ast import (
    ANY_NODE,
    Arithmetic,
    Call,
    Cast,
    Comparison,
    Conditional,
    ContextItem,
    Expression,
    Filter,
    Literal,
    Logical,
    Loop,
    Negation,
    Path,
    Sequence,
    Step,
    Union,
    Variable,
)

CONTEXT = "."


def dependencies(expression: Expression) -> frozenset[str]:
    """What the value depends on besides the document: `CONTEXT` and the names of the free variables."""
    match expression:
        case Literal():
            return frozenset()
        case ContextItem():
            return frozenset((CONTEXT,))
        case Variable(name):
            return frozenset((name,))
        case Call(name, ()) if name not in ("true", "false"):
            return frozenset((CONTEXT,))
        case Sequence(parts) | Union(parts) | Call(_, parts):
            return frozenset().union(*map(dependencies, parts))
        case Logical(_, left, right) | Arithmetic(_, left, right) | Comparison(_, left, right, _):
            return dependencies(left) | dependencies(right)
        case Negation(operand) | Cast(operand, _):
            return dependencies(operand)
        case Conditional(test, then, otherwise):
            return dependencies(test) | dependencies(then) | dependencies(otherwise)
        case Loop(_, bindings, body):
            found: frozenset[str] = frozenset()
            bound: set[str] = set()
            for name, sequence in bindings:
                found |= dependencies(sequence) - bound
                bound.add(name)
            return found | (dependencies(body) - bound)
        case Path():
            return _path_dependencies(expression)


def _path_dependencies(path: Path) -> frozenset[str]:
    found = frozenset((CONTEXT,)) if path.anchor == "context" else frozenset[str]()
    for index, step in enumerate(path.steps):
        if isinstance(step, Filter):
            base = dependencies(step.base)
            if index == 0 and path.anchor == "context":
                found = base
            else:
                found |= base - {CONTEXT}
        for predicate in step.predicates:
            found |= dependencies(predicate) - {CONTEXT}
    return found


def is_costly(expression: Expression) -> bool:
    """Whether remembering the value can pay: it walks the document, beyond one look-up in an index."""
    match expression:
        case Path(_, steps):
            plain = all(
                isinstance(step, Step) and not step.predicates and (step.axis == "child" or step == ANY_NODE)
                for step in steps
            )
            return not plain or ANY_NODE in steps[1:]
        case Literal() | ContextItem() | Variable():
            return False
    return _walks(expression)


def _walks(expression: Expression) -> bool:
    match expression:
        case Path():
            return True
        case Literal() | ContextItem() | Variable():
            return False
        case Sequence(parts) | Union(parts) | Call(_, parts):
            return any(map(_walks, parts))
        case Logical(_, left, right) | Arithmetic(_, left, right) | Comparison(_, left, right, _):
            return _walks(left) or _walks(right)
        case Negation(operand) | Cast(operand, _):
            return _walks(operand)
        case Conditional(test, then, otherwise):
            return _walks(test) or _walks(then) or _walks(otherwise)
        case Loop(_, bindings, body):
            return _walks(body) or any(_walks(sequence) for _, sequence in bindings)


def power_of_ten(expression: Expression) -> int | None:
    """The exponent of a literal 10, 100, 1000…"""
    match expression:
        case Literal(int() as value) | Call("xs:decimal", (Literal(int() as value),)) if value >= 10:
            exponent = len(str(value)) - 1
            return exponent if value == 10**exponent and exponent <= 18 else None
    return None


def lookup_names(path: Path) -> tuple[str, ...] | None:
    """The names of `/a/b`, of `//a/b`, or of `a/b` from the root; None for any other path."""
    if path.anchor == "context" or not path.steps:
        return None
    steps = path.steps[1:] if path.anchor == "document" and path.steps[0] == ANY_NODE else path.steps
    names: list[str] = []
    for step in steps:
        if not isinstance(step, Step) or step.axis != "child" or step.predicates or not is_name(step.test):
            return None
        names.append(step.test)
    return tuple(names) or None


def is_name(test: str) -> bool:
    return not test.endswith("()") and "*" not in test
