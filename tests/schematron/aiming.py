"""Documents that make one check fire: its context is built, and its test made false (for a report: true), part by part.

The parts of a test that cannot be steered exactly (sums, rounding, regular expressions) get values at random, so that a
shot may miss; whoever aims looks at what fired and aims again.
"""

import copy
import re
from dataclasses import dataclass, replace
from random import Random

from lxml import etree

from gateway.schematron.matching import alternatives
from gateway.schematron.strings import python_pattern
from gateway.schematron.stylesheet import Check, Rule, Stylesheet
from gateway.schematron.xpath_ast import (
    Arithmetic,
    Call,
    Cast,
    Comparison,
    Conditional,
    Expression,
    Literal,
    Logical,
    Loop,
    Path,
    Step,
    Union,
    Variable,
)
from gateway.schematron.xpath_parser import parse
from tests.schematron.documents import literals_of
from tests.schematron.places import Builder, MissedError, Place, Scope

OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}

MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}

#: By how much a number that stands so to another differs from it.
STEPS = {"eq": 0, "ne": 1, "lt": -1, "le": 0, "gt": 1, "ge": 0}

NUMBERS = ("0", "1", "-1", "7.77", "100", "100.00", "20", "-20.5", "12.345", "1000000")

DATES = ("2026-10-05", "2019-01-01", "2031-12-31", "1999-12-31", "2100-01-01")

SHORT_DATES = ("20261005", "20190101", "19991231", "21000101", "20260230")

TEXTS = (
    *("X", "", " ", "FR", "DE", "EUR", "USD", "VAT", "S", "552100554", "55210055400013", "380", "1", "a b", "a/b|c"),
    *("é" * 12, "A" * 300, "19991231080000", "20261005080000"),
)


@dataclass(frozen=True)
class Target:
    """A check and the rule it stands in."""

    rule: Rule
    check: Check


def location_of(element: etree._Element) -> str:
    """The location of an element as the SVRL states it."""
    steps: list[str] = []
    current: etree._Element | None = element
    while current is not None:
        name = etree.QName(current)
        number = 1 + sum(1 for _ in current.itersiblings(current.tag, preceding=True))
        tag = f"*:{name.localname}[namespace-uri()='{name.namespace}']" if name.namespace else name.localname
        steps.append(f"/{tag}[{number}]")
        current = current.getparent()
    return "".join(reversed(steps))


class Marksman(Builder):
    """Makes documents in which a check of one stylesheet should fire."""

    def __init__(self, rng: Random, stylesheet: Stylesheet) -> None:
        super().__init__(rng, stylesheet)
        self._texts: tuple[str, ...] = TEXTS

    def shot(self, document: bytes, target: Target) -> tuple[bytes, str]:
        """The document changed so that the check may fire, and where. Raises MissedError when nothing leads there."""
        self._root = etree.fromstring(document)
        self._made = None
        context = self._context(parse(target.rule.context), target.rule.context)
        scope = self._with_lets(Scope(None), self._globals)
        scope = self._with_lets(replace(scope, node=context), target.rule.lets)
        tests = [target.check.test, *(let.select for let in target.rule.lets)]
        words = tuple(word for test in tests for word in literals_of(parse(test)))
        self._texts = (*TEXTS, *words, *(word * 3 for word in words))
        if self._rng.random() < 0.15:
            self._double(Place(context))
        for _ in range(self._rng.choice((1, 1, 2))):
            self._want(parse(target.check.test), target.check.kind == "report", scope)
        if self._made is not None and self._rng.random() < 0.2:
            self._make_only(self._made)
        if context is not self._root and context.getparent() is None:
            raise MissedError
        return etree.tostring(self._root, encoding="UTF-8", xml_declaration=True), location_of(context)

    def _make_only(self, made: etree._Element) -> None:
        """Remove the other elements of that name: many rules stop where they find two."""
        for element in list(self._root.iter(made.tag)):
            if element is not made and element not in list(made.iterancestors()):
                self._remove(Place(element))

    def _context(self, pattern: Expression, where: str) -> etree._Element:
        """An element that the pattern of the rule matches, as far as predicates can be met."""
        branches = [
            branch
            for branch in alternatives(pattern, where)
            if not (branch.anchored or branch.names[0] in ("ubl:Invoice", "cn:CreditNote"))
            or branch.names[0] == "*"
            or self._tag(branch.names[0]) == self._root.tag
        ]
        if not branches:
            raise MissedError
        branch = self._rng.choice(branches)
        scope = self._with_lets(Scope(None), self._globals)
        element: etree._Element | None = None
        for name, predicates in zip(branch.names, branch.predicates, strict=True):
            element = self._top(name, branch.anchored) if element is None else self._child(element, name)
            for predicate in predicates:
                self._want(predicate, True, replace(scope, node=element))
        assert element is not None
        return element

    def _top(self, name: str, anchored: bool) -> etree._Element:
        if anchored or (name != "*" and self._tag(name) == self._root.tag):
            return self._root
        found = list(self._root.iter("*" if name == "*" else self._tag(name)))
        if found and self._rng.random() < 0.8:
            return self._rng.choice(found)
        return self._new(self._rng.choice(list(self._root.iter("*"))), name)

    def _want(self, test: Expression, wanted: bool, scope: Scope) -> None:
        """Change the document so that the test becomes true, or false."""
        match test:
            case Call("not" | "empty", (operand,)):
                self._want(operand, not wanted, scope)
            case Call("exists" | "boolean", (operand,)):
                self._want(operand, wanted, scope)
            case Cast(operand, _):
                self._write(operand, "true" if wanted else "false", scope)
            case Logical(operator, left, right):
                both = (operator == "and") is wanted
                chosen = (left, right) if both or self._rng.random() < 0.3 else (self._rng.choice((left, right)),)
                for operand in chosen:
                    self._want(operand, wanted, scope)
            case Conditional(condition, then, otherwise):
                goes = self._rng.random() < 0.6
                self._want(condition, goes, scope)
                self._want(then if goes else otherwise, wanted, scope)
            case Loop("some" | "every" as kind, bindings, body):
                self._want_of_items((kind == "some") is wanted, bindings, body, wanted, scope)
            case Comparison(operator, left, right):
                self._compare(operator if wanted else OPPOSITE[operator], left, right, scope)
            case Variable(name) if isinstance(bound := scope.bound.get(name), tuple):
                self._want(bound[0], wanted, bound[1])
            case Call(name, arguments) if name in self._functions:
                self._want(*self._inlined(name, arguments, scope, wanted))
            case Call("ends-with", (Call("name" | "local-name"), Literal(str() as ending))) if scope.node is not None:
                self._name(scope.node, ending, wanted)
            case Path("context", (Step("self" | "ancestor" | "parent"),)):
                if bool(self._places(test, scope)) is not wanted:
                    raise MissedError
            case Call("matches", (held, Literal(str() as pattern))):
                found = re.compile(python_pattern(pattern, "")).search
                fitting = [
                    text for text in (*self._texts, *NUMBERS, *SHORT_DATES, *DATES) if bool(found(text)) is wanted
                ]
                self._write(held, self._rng.choice(fitting or TEXTS), scope)
            case Call("string" | "normalize-space", (operand,)):
                self._write(operand, "X" if wanted else "", scope)
            case Call("contains" | "starts-with" | "ends-with", (holder, Literal(str() as text))):
                self._write(holder, text if wanted else self._rng.choice(self._texts), scope)
            case Call("contains", (Literal(str() as text), held)):
                self._write(held, self._rng.choice(text.split() or [text]) if wanted else "none", scope)
            case Path() | Union():
                self._build(test, scope) if wanted else self._clear(test, scope)
            case Call("true" | "false", ()):
                pass
            case Call(_, arguments) if arguments:
                self._write(arguments[0], self._rng.choice((*self._texts, *NUMBERS, *SHORT_DATES)), scope)

    def _name(self, element: etree._Element, ending: str, wanted: bool) -> None:
        """Have the name of the element end so; another end would change what its rule is about."""
        if str(element.tag).endswith(ending):
            if not wanted:
                raise MissedError
        elif wanted and element is not self._root:
            element.tag = f"{element.tag}{ending}"

    def _want_of_items(
        self, one: bool, bindings: tuple[tuple[str, Expression], ...], body: Expression, wanted: bool, scope: Scope
    ) -> None:
        """Have one item, or else every item there is, make the body true or false."""
        (name, items), *others = bindings
        if values := self._values(items, scope):
            constant = (Literal(self._rng.choice(values)), scope)
            self._want(body, wanted, replace(scope, bound={**scope.bound, name: constant}))
            return
        if not one and not self._places(items, scope):
            return
        for place in [self._build(items, scope)] if one else self._places(items, scope):
            inner = replace(scope, bound={**scope.bound, name: place})
            if others:
                self._want_of_items(one, tuple(others), body, wanted, inner)
            else:
                self._want(body, wanted, inner)

    def _compare(self, operator: str, left: Expression, right: Expression, scope: Scope) -> None:
        if self._values(left, scope) and not self._values(right, scope):
            left, right, operator = right, left, MIRRORED[operator]
        values = self._values(right, scope)
        match self._meant(left, scope), values:
            case Call("count", (counted,)), [value, *_]:
                step = -1 if operator == "ne" and self._rng.random() < 0.5 else STEPS[operator]
                self._count(counted, max(0, int(float(value)) + step), scope)
            case Call("string-length", (measured,)), [value, *_]:
                self._write(measured, self._rng.choice("A1") * max(0, int(float(value)) + STEPS[operator]), scope)
            case (Call("not" | "exists" | "empty", _) | Logical() | Comparison()) as test, ["true" | "false"]:
                self._want(test, (values == ["true"]) is (operator == "eq"), scope)
            case meant, [""] if operator == "eq" and self._rng.random() < 0.5:
                self._clear(meant, scope)
            case _, [*_] if values:
                text = self._beside(operator, self._rng.choice(values))
                if isinstance(left, Arithmetic) and self._rng.random() < 0.3:
                    text = self._rng.choice(self._texts)
                self._write(left, text, scope)
            case _:
                steered, other = self._rng.choice(((left, right), (right, left)))
                try:
                    text = self._build(other, scope).text
                except MissedError:
                    text = self._rng.choice(NUMBERS)
                if self._rng.random() < 0.2:
                    self._double(self._build(steered, scope))
                    return
                self._write(steered, self._beside(operator if steered is left else MIRRORED[operator], text), scope)

    def _beside(self, operator: str, value: str) -> str:
        """A value that stands so to another."""
        if operator == "eq":
            return value
        try:
            number = float(value)
        except ValueError:
            return self._rng.choice((*self._texts, *DATES, *SHORT_DATES))
        if operator == "ne" and self._rng.random() < 0.4:
            return self._rng.choice((*self._texts, *NUMBERS))
        if operator == "ne" and self._rng.random() < 0.3:
            return f"{number:.2f}5"
        return f"{number + STEPS[operator] * self._rng.choice((1, 1, 10, 1000)):.2f}".removesuffix(".00")

    def _meant(self, expression: Expression, scope: Scope) -> Expression:
        """What a variable stands for, when it stands for something in the same place."""
        match expression:
            case Variable(name) if isinstance(bound := scope.bound.get(name), tuple) and bound[1].node is scope.node:
                return self._meant(bound[0], scope)
        return expression

    def _write(self, expression: Expression, text: str, scope: Scope) -> None:
        """Give the expression a value through one of the places it reads."""
        if "xs:date" in repr(expression) and self._rng.random() < 0.9:
            text = text if text in DATES else self._rng.choice(DATES)
        elif "xs:decimal" in repr(expression) and not _is_number(text):
            text = self._rng.choice(NUMBERS)
        match self._meant(expression, scope):
            case Call("substring-after", (holder, Literal(str() as mark))):
                self._write(holder, f"1{mark}{text}", scope)
            case Call("substring-before", (holder, Literal(str() as mark))):
                self._write(holder, f"{text}{mark}1", scope)
            case Call("number" | "normalize-space" | "upper-case", (Call() as inner,)):
                self._write(inner, text, scope)
            case Call("substring", (holder, Literal(1), Literal(int() as length))):
                place = self._build(holder, scope)
                place.write(text.rjust(length, "0")[:length] + place.text[length:])
            case _:
                self._write_at(self._build(expression, scope), text)

    def _write_at(self, place: Place, text: str) -> None:
        """Write at a place, sometimes also wherever the document has the same text."""
        same = [place]
        if self._rng.random() < 0.2 and (old := place.text):
            for element in self._root.iter("*"):
                same.extend(Place(element, str(name)) for name, value in element.items() if value == old)
                if element.text == old:
                    same.append(Place(element))
        for each in same:
            each.write(text)

    def _count(self, counted: Expression, wanted: int, scope: Scope) -> None:
        """Have so many of something, as far as its places can be told apart."""
        if wanted == 0:
            self._clear(counted, scope)
            return
        place = self._build(counted, scope)
        for _ in range(wanted - 1):
            self._double(place)
        if self._rng.random() < 0.5:
            for other in self._places(counted, scope)[wanted:]:
                self._remove(other)

    def _double(self, place: Place) -> None:
        """Put a copy after the element, or after the one that holds it, sometimes with another text."""
        owner = place.element
        parent = owner.getparent()
        if parent is not None and parent is not self._root and self._rng.random() < 0.3:
            owner = parent
        if owner is self._root or owner.getparent() is None:
            raise MissedError
        copied = copy.deepcopy(owner)
        copied.tail = None
        owner.addnext(copied)
        if self._rng.random() < 0.5:
            place.write(self._rng.choice((*self._texts, *NUMBERS)))

    def _clear(self, expression: Expression, scope: Scope) -> None:
        """Have nothing where the expression looks."""
        predicates = _last_predicates(expression)
        for place in self._places(expression, scope):
            if predicates and self._rng.random() < 0.5:
                self._want(self._rng.choice(predicates), False, replace(scope, node=place.element))
            else:
                self._remove(place)


def _last_predicates(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case Path(_, (*_, last)):
            return tuple(predicate for predicate in last.predicates if not isinstance(predicate, Literal))
    return ()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text not in ("NaN", "INF", "-INF")
