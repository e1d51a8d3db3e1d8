"""The places of a document that XPath expressions read: found, or made."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from lxml import etree

from gateway.schematron.stylesheet import Let, Stylesheet
from gateway.schematron.xpath_ast import (
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
from gateway.schematron.xpath_parser import parse

#: What a new element holds, by the end of its name.
NEW_TEXTS = (
    *(("Amount", "10.00"), ("Percent", "20"), ("Quantity", "2"), ("Numeric", "1"), ("Indicator", "true")),
    *(("IssueDate", "2026-10-05"), ("Date", "2026-10-05"), ("DateTimeString", "20261005"), ("DateString", "20261005")),
)
#: Functions that, without an argument, tell something of the context node.
STEERED_BY_CONTEXT = frozenset({"string", "normalize-space", "string-length", "number", "name", "local-name"})


class MissedError(Exception):
    """The check cannot be aimed at from here."""


@dataclass(frozen=True)
class Place:
    """An element, or an attribute of it."""

    element: etree._Element
    attribute: str | None = None

    @property
    def text(self) -> str:
        if self.attribute is not None:
            return self.element.get(self.attribute, "")
        return "".join(map(str, self.element.itertext()))

    def write(self, text: str) -> None:
        text = "".join(character for character in text if character >= " " or character in "\t\n\r")
        if self.attribute is not None:
            self.element.set(self.attribute, text)
        elif len(self.element) == 0:
            self.element.text = text


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its context node, None for the document; what its variables stand for."""

    node: etree._Element | None
    bound: Mapping[str, "tuple[Expression, Scope] | Place"] = field(default_factory=dict)


class Builder(ABC):
    """Finds the places of a document that an expression reads, and makes those that are not there."""

    def __init__(self, rng: Random, stylesheet: Stylesheet) -> None:
        self._rng = rng
        self._namespaces = stylesheet.namespaces
        self._functions = {function.name: function for function in stylesheet.functions}
        self._globals = stylesheet.variables
        self._root = etree.Element("none")
        self._made: etree._Element | None = None

    @abstractmethod
    def _want(self, test: Expression, wanted: bool, scope: Scope) -> None:
        """Change the document so that the test becomes true, or false."""

    def _with_lets(self, scope: Scope, lets: tuple[Let, ...]) -> Scope:
        for let in lets:
            scope = replace(scope, bound={**scope.bound, let.name: (parse(let.select), scope)})
        return scope

    def _inlined(
        self, name: str, arguments: tuple[Expression, ...], scope: Scope, wanted: bool
    ) -> tuple[Expression, bool, Scope]:
        function = self._functions[name]
        bound = {
            parameter: (argument, scope)
            for (parameter, _), argument in zip(function.parameters, arguments, strict=True)
        }
        inner = self._with_lets(Scope(None), self._globals)
        inner = self._with_lets(replace(inner, bound={**inner.bound, **bound}), function.lets)
        return parse(function.result), wanted, inner

    def _values(self, expression: Expression, scope: Scope) -> list[str]:
        """The values of a constant expression."""
        match expression:
            case Literal(value):
                return [str(value)]
            case Negation(operand):
                return [f"-{value}" for value in self._values(operand, scope)]
            case Sequence(items):
                return [value for item in items for value in self._values(item, scope)]
            case Call("true" | "false" as name, ()):
                return [name]
            case Call("tokenize", (Literal(str() as text), _)):
                return text.replace(",", " ").replace("|", " ").split()
            case Call("xs:decimal" | "xs:date" | "upper-case" | "normalize-space", (Literal(value),)):
                return [str(value)]
            case Variable(name) if isinstance(bound := scope.bound.get(name), tuple):
                return self._values(*bound)
        return []

    def _build(self, expression: Expression, scope: Scope) -> Place:
        """A place that the expression reads, made where there is none. Raises MissedError when it reads none."""
        match expression:
            case ContextItem() if scope.node is not None:
                return Place(scope.node)
            case Variable(name) if name in scope.bound:
                bound = scope.bound[name]
                return bound if isinstance(bound, Place) else self._build(*bound)
            case Path(anchor, steps):
                return self._walk(scope.node if anchor == "context" else None, steps, scope)
            case Union(operands) | Sequence(operands):
                return self._build_any(operands, scope)
            case Arithmetic(_, left, right) | Logical(_, left, right) | Comparison(_, left, right):
                readable = [operand for operand in (left, right) if not self._values(operand, scope)]
                if readable:
                    return self._build(self._rng.choice(readable), scope)
            case Negation(operand) | Cast(operand, _):
                return self._build(operand, scope)
            case Conditional(condition, then, otherwise):
                goes = self._rng.random() < 0.7
                self._want(condition, goes, scope)
                return self._build(then if goes else otherwise, scope)
            case Loop(_, ((name, items), *others), body):
                inner = replace(scope, bound={**scope.bound, name: self._build(items, scope)})
                return self._build(Loop("for", tuple(others), body) if others else body, inner)
            case Call(name, arguments) if name in self._functions:
                body, _, inner = self._inlined(name, arguments, scope, True)
                return self._build(body, inner)
            case Call(name, ()) if name in STEERED_BY_CONTEXT and scope.node is not None:
                return Place(scope.node)
            case Call(name, arguments) if arguments:
                readable = [argument for argument in arguments if not self._values(argument, scope)]
                if readable:
                    return self._build(readable[0] if self._rng.random() < 0.8 else self._rng.choice(readable), scope)
        raise MissedError

    def _build_any(self, operands: tuple[Expression, ...], scope: Scope) -> Place:
        for operand in self._rng.sample(operands, len(operands)):
            try:
                return self._build(operand, scope)
            except MissedError:
                continue
        raise MissedError

    def _walk(self, start: etree._Element | None, steps: tuple[Step | Filter, ...], scope: Scope) -> Place:
        place = Place(start) if start is not None else None
        below = False
        for step in steps:
            if below and isinstance(step, Step) and step.axis == "attribute":
                top = self._root if place is None else place.element
                place = Place(self._rng.choice(list(top.iter("*"))))
            match step:
                case Step("attribute", name) if place is not None:
                    name = "X" if "*" in name else self._tag(name)
                    place = Place(place.element, name)
                    if place.element.get(name) is None:
                        place.write("X")
                    return place
                case Step("descendant-or-self"):
                    below = True
                    continue
                case Step("child", "text()") if place is not None:
                    return place
                case Step("child", name):
                    place = Place(self._below(place, name) if below else self._child_or_root(place, name))
                case Step("parent" | "ancestor" | "ancestor-or-self") if place is not None:
                    parent = place.element.getparent()
                    if parent is None:
                        raise MissedError
                    place = Place(parent)
                case Step("self") if place is not None:
                    pass
                case Filter(base):
                    inner = replace(scope, node=place.element if place is not None else None)
                    place = self._build(base, scope if step is steps[0] and place is None else inner)
                case _:
                    raise MissedError
            below = False
            for predicate in step.predicates:
                if not isinstance(predicate, Literal):
                    self._want(predicate, True, replace(scope, node=place.element))
        if place is None:
            raise MissedError
        return place

    def _child_or_root(self, place: Place | None, name: str) -> etree._Element:
        if place is not None:
            return self._child(place.element, name)
        if name != "*" and self._tag(name) != self._root.tag:
            raise MissedError
        return self._root

    def _below(self, place: Place | None, name: str) -> etree._Element:
        top = self._root if place is None else place.element
        found = list(top.iter("*" if name == "*" else self._tag(name)))
        return self._rng.choice(found) if found and self._rng.random() < 0.8 else self._new(top, name)

    def _child(self, element: etree._Element, name: str) -> etree._Element:
        found = element.findall("*" if "*" in name else self._tag(name))
        if found and self._rng.random() < 0.95:
            return self._rng.choice(found)
        return self._new(element, name)

    def _new(self, parent: etree._Element, name: str) -> etree._Element:
        if len(parent) == 0:
            parent.text = None
        if "*" in name:
            name = name.replace("*", "Other")
        made = etree.SubElement(parent, self._tag(name))
        made.text = next((text for ending, text in NEW_TEXTS if name.endswith(ending)), "X")
        self._made = made
        return made

    def _tag(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        return f"{{{self._namespaces[prefix]}}}{local}" if colon else name

    def _places(self, expression: Expression, scope: Scope) -> list[Place]:
        """Where the expression looks in the document as it is, predicates aside."""
        match expression:
            case ContextItem() if scope.node is not None:
                return [Place(scope.node)]
            case Variable(name) if name in scope.bound:
                bound = scope.bound[name]
                return [bound] if isinstance(bound, Place) else self._places(*bound)
            case Union(operands) | Sequence(operands):
                return [place for operand in operands for place in self._places(operand, scope)]
            case Call(_, (operand, *_)):
                return self._places(operand, scope)
            case Path(anchor, steps):
                return self._reached(scope.node if anchor == "context" else None, steps, scope)
        return []

    def _reached(self, start: etree._Element | None, steps: tuple[Step | Filter, ...], scope: Scope) -> list[Place]:
        nodes: list[etree._Element | None] = [start]
        below = False
        for step in steps:
            found: list[etree._Element | None] = []
            for node in nodes:
                match step:
                    case Step("attribute", name):
                        key = self._tag(name) if "*" not in name else ""
                        return [Place(each, key) for each in nodes if each is not None and each.get(key) is not None]
                    case Step("descendant-or-self"):
                        found.append(node)
                    case Step("child", name) if not name.endswith("()"):
                        tag = "*" if "*" in name else self._tag(name)
                        top = self._root if node is None else node
                        if below:
                            found.extend(top.iter(tag))
                        elif node is not None:
                            found.extend(node.findall(tag))
                        elif tag in ("*", self._root.tag):
                            found.append(self._root)
                    case Step("parent", "node()") if node is not None:
                        found.append(node.getparent())
                    case Step("self" | "parent" | "ancestor" as axis, name) if node is not None:
                        above = list(node.iterancestors())
                        others = {"self": [node], "parent": above[:1], "ancestor": above}[axis]
                        found.extend(each for each in others if each.tag == self._tag(name))
                    case Filter(base):
                        found.extend(place.element for place in self._places(base, replace(scope, node=node)))
                    case _:
                        found.append(node)
            below = isinstance(step, Step) and step.axis == "descendant-or-self"
            nodes = found
        return [Place(node) for node in nodes if node is not None]

    def _remove(self, place: Place) -> None:
        if place.attribute is not None:
            if place.attribute in place.element.attrib:
                del place.element.attrib[place.attribute]
        elif (parent := place.element.getparent()) is not None:
            parent.remove(place.element)
