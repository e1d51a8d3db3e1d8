"""XPath 2.0 source to its tree, by recursive descent along the grammar (XPath 2.0, appendix A.1).

What compiled Schematron does not use (ranges, `intersect`, `instance of`, …) is refused by name.
"""

from collections.abc import Callable
from decimal import Decimal

from gateway.schematron.errors import UnsupportedConstructError
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
from gateway.schematron.xpath_lexer import Token, tokenize

GENERAL_COMPARISONS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
VALUE_COMPARISONS = frozenset(GENERAL_COMPARISONS.values())
FORWARD_AXES = frozenset({"child", "descendant", "attribute", "self", "descendant-or-self", "following"})
REVERSE_AXES = frozenset({"parent", "ancestor", "preceding", "ancestor-or-self"})
SIBLING_AXES = frozenset({"following-sibling", "preceding-sibling"})
AXES = FORWARD_AXES | REVERSE_AXES | SIBLING_AXES
KIND_TESTS = frozenset({"node", "text", "comment", "processing-instruction", "element", "attribute", "item"})
REFUSED_OPERATORS = frozenset({"to", "intersect", "except", "instance", "treat", "castable", "idiv", "is"})


def parse(source: str) -> Expression:
    """The tree of an XPath expression. Raises UnsupportedConstructError naming what is not understood."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._position = 0

    def parse(self) -> Expression:
        expression = self._expression()
        token = self._peek()
        if token.kind != "end":
            raise self._refuse(f"operator {token.text}" if token.text in REFUSED_OPERATORS else f"token {token.text!r}")
        return expression

    def _refuse(self, construct: str) -> UnsupportedConstructError:
        return UnsupportedConstructError(construct, self._source)

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._position + ahead, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _at_symbol(self, *symbols: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind == "symbol" and token.text in symbols

    def _at_name(self, *names: str) -> bool:
        token = self._peek()
        return token.kind == "name" and token.text in names

    def _expect(self, kind: str, text: str | None = None) -> str:
        token = self._next()
        if token.kind != kind or (text is not None and token.text != text):
            raise self._refuse(f"{token.text or 'end'!r} where {text or kind!r} is expected")
        return token.text

    def _expression(self) -> Expression:
        items = [self._single()]
        while self._at_symbol(","):
            self._next()
            items.append(self._single())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _single(self) -> Expression:
        if self._at_name("for", "some", "every") and self._peek(1).kind == "variable":
            return self._loop()
        if self._at_name("if") and self._at_symbol("(", ahead=1):
            return self._conditional()
        return self._left_associative(("or",), self._and)

    def _loop(self) -> Expression:
        kind = self._next().text
        bindings: list[tuple[str, Expression]] = []
        while True:
            name = self._expect("variable")
            self._expect("name", "in")
            bindings.append((name, self._single()))
            if not self._at_symbol(","):
                break
            self._next()
        self._expect("name", "return" if kind == "for" else "satisfies")
        return Loop(kind, tuple(bindings), self._single())

    def _conditional(self) -> Expression:
        self._next()
        self._expect("symbol", "(")
        test = self._expression()
        self._expect("symbol", ")")
        self._expect("name", "then")
        then = self._single()
        self._expect("name", "else")
        return Conditional(test, then, self._single())

    def _left_associative(self, operators: tuple[str, ...], operand: Callable[[], Expression]) -> Expression:
        left = operand()
        while self._at_name(*operators):
            left = Logical(self._next().text, left, operand())
        return left

    def _and(self) -> Expression:
        return self._left_associative(("and",), self._comparison)

    def _comparison(self) -> Expression:
        left = self._additive()
        if self._at_symbol(*GENERAL_COMPARISONS):
            return Comparison(GENERAL_COMPARISONS[self._next().text], left, self._additive(), general=True)
        if self._at_name(*VALUE_COMPARISONS):
            return Comparison(self._next().text, left, self._additive(), general=False)
        return left

    def _additive(self) -> Expression:
        left = self._multiplicative()
        while self._at_symbol("+", "-"):
            left = Arithmetic(self._next().text, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Expression:
        left = self._union()
        while self._at_symbol("*") or self._at_name("div", "mod"):
            left = Arithmetic(self._next().text, left, self._union())
        return left

    def _union(self) -> Expression:
        operands = [self._cast()]
        while self._at_symbol("|") or self._at_name("union"):
            self._next()
            operands.append(self._cast())
        return operands[0] if len(operands) == 1 else Union(tuple(operands))

    def _cast(self) -> Expression:
        operand = self._unary()
        if self._at_name("cast"):
            self._next()
            self._expect("name", "as")
            operand = Cast(operand, self._expect("name"))
            if self._at_symbol("?"):
                raise self._refuse("cast to an optional type")
        return operand

    def _unary(self) -> Expression:
        negative = False
        while self._at_symbol("-", "+"):
            negative ^= self._next().text == "-"
        return Negation(self._path()) if negative else self._path()

    def _path(self) -> Expression:
        anchor, steps = "context", list[Step | Filter]()
        if self._at_symbol("//"):
            self._next()
            anchor = "document"
            steps.append(ANY_NODE)
        elif self._at_symbol("/"):
            self._next()
            if not self._at_step():
                return Path("document", ())
            anchor = "document"
        steps.append(self._step())
        while self._at_symbol("/", "//"):
            if self._next().text == "//":
                steps.append(ANY_NODE)
            steps.append(self._step())
        match steps:
            case [Filter(base, ())] if anchor == "context":
                return base
        return Path(anchor, tuple(steps))

    def _at_step(self) -> bool:
        token = self._peek()
        if token.kind == "symbol":
            return token.text in ("(", ".", "..", "@", "*")
        return token.kind in ("number", "string", "variable", "name")

    def _step(self) -> Step | Filter:
        if self._at_symbol(".."):
            self._next()
            return Step("parent", "node()", self._predicates())
        if self._at_symbol("@"):
            self._next()
            return Step("attribute", self._node_test(), self._predicates())
        if self._at_symbol("*"):
            return Step("child", self._node_test(), self._predicates())
        token = self._peek()
        if token.kind == "name":
            if self._at_symbol("::", ahead=1):
                axis = self._next().text
                self._next()
                if axis not in AXES:
                    raise self._refuse(f"axis {axis}")
                return Step(axis, self._node_test(), self._predicates())
            if token.text in KIND_TESTS or not self._at_symbol("(", ahead=1):
                return Step("child", self._node_test(), self._predicates())
        return Filter(self._primary(), self._predicates())

    def _predicates(self) -> tuple[Expression, ...]:
        predicates: list[Expression] = []
        while self._at_symbol("["):
            self._next()
            predicates.append(self._expression())
            self._expect("symbol", "]")
        return tuple(predicates)

    def _node_test(self) -> str:
        if self._at_symbol("*"):
            return self._next().text
        name = self._expect("name")
        if not self._at_symbol("("):
            return name
        self._next()
        self._expect("symbol", ")")
        if name not in ("node", "text"):
            raise self._refuse(f"node test {name}()")
        return f"{name}()"

    def _primary(self) -> Expression:
        token = self._next()
        match token.kind, token.text:
            case "number", text:
                if "e" in text.lower():
                    return Literal(float(text))
                return Literal(Decimal(text) if "." in text else int(text))
            case "string", text:
                return Literal(text)
            case "variable", name:
                return Variable(name)
            case "symbol", ".":
                return ContextItem()
            case "symbol", "(":
                if self._at_symbol(")"):
                    self._next()
                    return Sequence(())
                inner = self._expression()
                self._expect("symbol", ")")
                return inner
            case "name", name:
                return Call(name.removeprefix("fn:"), self._arguments())
        raise self._refuse(f"token {token.text!r}")

    def _arguments(self) -> tuple[Expression, ...]:
        self._expect("symbol", "(")
        arguments: list[Expression] = []
        while not self._at_symbol(")"):
            arguments.append(self._single())
            if self._at_symbol(","):
                self._next()
        self._next()
        return tuple(arguments)
