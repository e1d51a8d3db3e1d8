"""Rewriting of expressions before they are compiled."""

from collections.abc import Callable, Mapping

from gateway.schematron.analysis import lookup_names
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

Rewrite = Callable[[Expression], Expression]


def _map_parts(expression: Expression, rewrite: Rewrite) -> Expression:
    """The expression with each direct subexpression rewritten, those of a path's steps excepted."""
    match expression:
        case Sequence(items):
            return Sequence(tuple(map(rewrite, items)))
        case Union(operands):
            return Union(tuple(map(rewrite, operands)))
        case Call(name, arguments):
            return Call(name, tuple(map(rewrite, arguments)))
        case Logical(operator, left, right):
            return Logical(operator, rewrite(left), rewrite(right))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, rewrite(left), rewrite(right))
        case Comparison(operator, left, right, general):
            return Comparison(operator, rewrite(left), rewrite(right), general)
        case Negation(operand):
            return Negation(rewrite(operand))
        case Cast(operand, type_name):
            return Cast(rewrite(operand), type_name)
        case Conditional(test, then, otherwise):
            return Conditional(rewrite(test), rewrite(then), rewrite(otherwise))
        case Loop(kind, bindings, body):
            return Loop(kind, tuple((name, rewrite(sequence)) for name, sequence in bindings), rewrite(body))
        case Literal() | ContextItem() | Variable() | Path():
            return expression


def substituted(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with variables replaced by expressions that have the same value everywhere."""
    if not values:
        return expression

    def rewrite(part: Expression) -> Expression:
        return substituted(part, values)

    match expression:
        case Variable(name):
            return values.get(name, expression)
        case Path(anchor, steps):
            return Path(anchor, tuple(_map_step(step, rewrite) for step in steps))
        case Loop(kind, bindings, body):
            bound: list[tuple[str, Expression]] = []
            for name, sequence in bindings:
                bound.append((name, substituted(sequence, values)))
                values = {known: value for known, value in values.items() if known != name}
            return Loop(kind, tuple(bound), substituted(body, values))
    return _map_parts(expression, rewrite)


def _map_step(step: Step | Filter, rewrite: Rewrite) -> Step | Filter:
    predicates = tuple(map(rewrite, step.predicates))
    if isinstance(step, Step):
        return Step(step.axis, step.test, predicates)
    return Filter(rewrite(step.base), predicates)


def anchored_at_root(expression: Expression, anchor: str = "root") -> Expression:
    """The expression of a rule whose context is the document element, with every path starting there.

    It then depends on the document alone, and its paths can be looked up in the index. `anchor` "document" does the
    same for an expression whose context is the document node.
    """

    def rewrite(part: Expression) -> Expression:
        return anchored_at_root(part, anchor)

    match expression:
        case ContextItem():
            return Path(anchor, ())
        case Call(name, ()) if name not in ("true", "false"):
            return Call(name, (Path(anchor, ()),))
        case Path("context", (Filter(base, predicates), *rest)):
            return Path("context", (Filter(rewrite(base), predicates), *rest))
        case Path("context", steps):
            return Path(anchor, steps)
    return _map_parts(expression, rewrite)


def climbing_to_root(expression: Expression, depth: int) -> Expression:
    """The expression of a rule whose context always stands `depth` levels below the document element.

    As many `..` as that lead to the document element: what follows them depends on the document alone.
    """

    def rewrite(part: Expression) -> Expression:
        return climbing_to_root(part, depth)

    match expression:
        case Path("context", (Filter(base, predicates), *rest)):
            return Path("context", (Filter(rewrite(base), predicates), *rest))
        case Path("context", steps) if depth > 0 and steps[:depth] == (_PARENT,) * depth:
            return Path("root", steps[depth:])
    return _map_parts(expression, rewrite)


_PARENT = Step("parent", "node()")


def lengthened_union(operands: tuple[Expression, ...], rest: tuple[Step | Filter, ...]) -> Union | None:
    """`(/a|/b)/c` as `/a/c|/b/c`, so that each branch is one look-up; None for what is no such chain of names."""
    longer = tuple(Path(part.anchor, (*part.steps, *rest)) for part in operands if isinstance(part, Path))
    is_listed = len(longer) == len(operands) and all(lookup_names(path) is not None for path in longer)
    return Union(longer) if is_listed else None


def listed_below(expression: Expression) -> tuple[tuple[str, ...], ...] | None:
    """The chains of names below the document element at which the nodes of a path or a union stand.

    None for what is not a union of such chains.
    """
    match expression:
        case Union(operands):
            lists = [listed_below(operand) for operand in operands]
            return None if None in lists else tuple(names for listed in lists if listed for names in listed)
        case Path("context", (Filter(Union(operands), ()), *rest)):
            longer = lengthened_union(operands, tuple(rest)) if rest else Union(operands)
            return None if longer is None else listed_below(longer)
        case Path("root", steps) if steps and steps[0] != ANY_NODE:
            names = lookup_names(expression)
            if names is not None:
                return (names,)
            distributed = distributed_union(expression)
            return None if distributed is None else listed_below(distributed)
    return None


def distributed_union(path: Path) -> Path | None:
    """`a/(b|c)/d` with its union brought to the front, `(a/b|a/c)/d`, so that each branch can be looked up."""
    for index, step in enumerate(path.steps):
        is_written_first = index == 0 and path.anchor == "context"
        if is_written_first or not isinstance(step, Filter) or not isinstance(step.base, Union):
            continue
        operands = [part for part in step.base.operands if isinstance(part, Path) and part.anchor == "context"]
        if len(operands) == len(step.base.operands):
            branches = tuple(Path(path.anchor, (*path.steps[:index], *operand.steps)) for operand in operands)
            # The union is its own anchor now: its operands carry the path that led here.
            return Path("context", (Filter(Union(branches), step.predicates), *path.steps[index + 1 :]))
    return None
