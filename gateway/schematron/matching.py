"""Rule contexts: which elements a rule applies to.

A context is an XSLT pattern: alternatives of names read from the element upwards, with predicates. Names are settled
once per distinct path of a document; predicates that only ask about names too; the others are asked of each element.
"""

from dataclasses import dataclass

from gateway.schematron.errors import UnsupportedConstructError
from gateway.schematron.xpath_ast import ANY_NODE, Call, Expression, Filter, Literal, Logical, Path, Step, Union


@dataclass(frozen=True, slots=True)
class Alternative:
    """One branch of a context.

    Attributes:
        anchored: whether the first name is the document element.
        names: qualified names, `*` or `prefix:*`, from the top down; the last is the element's own.
        predicates: for each name, what must hold of the node at that place.
    """

    anchored: bool
    names: tuple[str, ...]
    predicates: tuple[tuple[Expression, ...], ...]

    @property
    def is_root(self) -> bool:
        """Whether only the document element can match."""
        return self.anchored and len(self.names) == 1


def alternatives(pattern: Expression, where: str) -> list[Alternative]:
    """The branches of a context. Raises UnsupportedConstructError on a pattern of another form."""
    match pattern:
        case Union(operands):
            return [branch for operand in operands for branch in alternatives(operand, where)]
        case Path(anchor, steps) if steps:
            return _branches(anchor, steps, where)
    raise UnsupportedConstructError("rule context that is not a path", where)


def _branches(anchor: str, steps: tuple[Step | Filter, ...], where: str) -> list[Alternative]:
    anchored = anchor == "document"
    if steps[0] == ANY_NODE:
        anchored, steps = False, steps[1:]
    branches = [Alternative(anchored, (), ())]
    for index, step in enumerate(steps):
        match step:
            case Step("child", test, predicates) if not test.endswith("()"):
                tails = [Alternative(False, (test,), (predicates,))]
            case Filter(base, predicates):
                tails = [_narrowed(tail, predicates) for tail in alternatives(base, where)]
                if index == 0 and anchor == "context":
                    branches = [Alternative(tail.anchored, (), ()) for tail in tails[:1]]
                    if len({tail.anchored for tail in tails}) > 1:
                        raise UnsupportedConstructError("rule context of mixed anchors", where)
            case _:
                raise UnsupportedConstructError(f"{step.axis}::{step.test} in a rule context", where)
        branches = [
            Alternative(branch.anchored, branch.names + tail.names, branch.predicates + tail.predicates)
            for branch in branches
            for tail in tails
        ]
    return branches


def _narrowed(branch: Alternative, predicates: tuple[Expression, ...]) -> Alternative:
    *others, last = branch.predicates
    return Alternative(branch.anchored, branch.names, (*others, (*last, *predicates)))


def conjuncts(predicate: Expression) -> list[Expression]:
    """`a and b and c` as its parts."""
    match predicate:
        case Logical("and", left, right):
            return conjuncts(left) + conjuncts(right)
    return [predicate]


def asks_names_only(predicate: Expression) -> bool:
    """Whether the answer is the same for every element that stands on the same path of names."""
    match predicate:
        case Logical(_, left, right):
            return asks_names_only(left) and asks_names_only(right)
        case Call("not", (operand,)):
            return asks_names_only(operand)
        case Call("ends-with", (Call("name" | "local-name", ()), Literal(str() as suffix))):
            return ":" not in suffix
        case Path("context", (Step("self" | "ancestor", test, ()),)):
            return "*" not in test and not test.endswith("()")
    return False
