"""The rules inside a Schematron that the ISO skeleton has compiled to XSLT 2.0.

The skeleton writes every pattern as a mode, every rule as a template of that mode (priority 1000 and up, first match
wins), every assert as `xsl:choose`, every report as `xsl:if`. This reader turns that back into rules, and refuses by
name whatever is not written that way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lxml import etree

from gateway.schematron.errors import StylesheetError, UnsupportedConstructError

_XSL = "{http://www.w3.org/1999/XSL/Transform}"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
#: Another version evaluates the same expressions otherwise: 1.0 takes the first of several items (XSLT 2.0, 3.8).
_VERSION = "2.0"
_FULL_PATH_MODE = "schematron-select-full-path"
_IGNORED_AT_TOP = frozenset({f"{_XSL}output", f"{_XSL}param", f"{_SVRL}text"})
_SKELETON_MATCHES = frozenset({"text()", "@*|node()"})


@dataclass(frozen=True, slots=True)
class MessageValue:
    """An `xsl:value-of` inside a message: the XPath whose value is printed there."""

    select: str


@dataclass(frozen=True, slots=True)
class Check:
    """One assert or report: `message` mixes literal text and values.

    `test` is evaluated; `printed_test`, the same but for white space, is what the SVRL shows. The SVRL's attribute is
    an attribute value template, so a processor prints `\\d{9}` as `\\d9`; here its braces stay.
    """

    kind: Literal["assert", "report"]
    rule: str
    test: str
    printed_test: str
    flag: str | None
    role: str | None
    message: tuple[str | MessageValue, ...]


@dataclass(frozen=True, slots=True)
class Let:
    """A variable; `type` is its declared sequence type, or None."""

    name: str
    select: str
    type: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a pattern. `descends` is false when its template stops the walk, so that nothing below is visited."""

    context: str
    lets: tuple[Let, ...]
    checks: tuple[Check, ...]
    descends: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, that is a mode: its rules, the first that matches a node wins."""

    mode: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """An `xsl:function`: parameters with their sequence types, local variables, the expression it returns."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    type: str
    lets: tuple[Let, ...]
    result: str


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """Everything the generator needs; patterns in the order the official file runs them."""

    path: Path
    namespaces: dict[str, str]
    variables: tuple[Let, ...]
    functions: tuple[Function, ...]
    patterns: tuple[Pattern, ...]


def read_stylesheet(path: Path) -> Stylesheet:
    """Read a compiled Schematron.

    Raises StylesheetError when the file is not one, UnsupportedConstructError when it is written another way than
    the skeleton writes.
    """
    try:
        tree = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    except (OSError, etree.XMLSyntaxError) as error:
        raise StylesheetError(path, str(error)) from error
    root = tree.getroot()
    if root.tag not in (f"{_XSL}stylesheet", f"{_XSL}transform"):
        raise StylesheetError(path, f"its root element is {root.tag}")
    for construct in _changes_of_meaning(tree):
        raise UnsupportedConstructError(construct, path.name)
    return _Reader(path, root).read()


def _changes_of_meaning(tree: etree._ElementTree) -> Iterator[str]:
    """What would give other expressions than those at hand, or another meaning to the same ones."""
    root = tree.getroot()
    if (version := root.get("version")) != _VERSION:
        yield f"XSLT {version}"
    if tree.docinfo.internalDTD is not None:
        yield "document type declaration"
    if root.xpath("//@*[local-name() = 'xpath-default-namespace']"):
        yield "xpath-default-namespace"


class _Reader:
    def __init__(self, path: Path, root: etree._Element) -> None:
        self._path = path
        self._root = root
        self._rules: dict[str, list[tuple[float, Rule]]] = {}

    def read(self) -> Stylesheet:
        variables: list[Let] = []
        functions: list[Function] = []
        modes: list[str] = []
        for element in _elements(self._root):
            if element.tag == f"{_XSL}variable":
                if element.get("select") is not None:
                    variables.append(self._let(element))
                elif element.get("name") != "document-uri":
                    raise self._refuse(element, "global variable without select")
            elif element.tag == f"{_XSL}function":
                functions.append(self._function(element))
            elif element.tag == f"{_XSL}template":
                if element.get("match") == "/" and element.get("mode") is None:
                    modes = self._modes(element)
                else:
                    self._template(element)
            elif element.tag not in _IGNORED_AT_TOP:
                raise self._refuse(element, "top-level element")
        if not modes:
            raise StylesheetError(self._path, "it runs no pattern")
        return Stylesheet(
            path=self._path,
            namespaces={prefix or "": uri for prefix, uri in self._root.nsmap.items()},
            variables=tuple(variables),
            functions=tuple(functions),
            patterns=tuple(Pattern(mode, self._by_precedence(mode)) for mode in modes),
        )

    def _refuse(self, element: etree._Element, what: str) -> UnsupportedConstructError:
        name = etree.QName(element).localname
        return UnsupportedConstructError(f"{what} ({name})", f"{self._path.name}:{element.sourceline}")

    def _by_precedence(self, mode: str) -> tuple[Rule, ...]:
        # XSLT 2.0, 6.4: higher priority first; of two equal ones the last in the file wins.
        numbered = enumerate(self._rules.get(mode, ()))
        ordered = sorted(numbered, key=lambda entry: (entry[1][0], entry[0]), reverse=True)
        return tuple(rule for _, (_, rule) in ordered)

    def _modes(self, template: etree._Element) -> list[str]:
        modes: list[str] = []
        for call in template.iter(f"{_XSL}apply-templates"):
            mode = call.get("mode")
            if mode is None:
                continue
            if call.get("select") != "/":
                raise self._refuse(call, "pattern that does not start at the document")
            modes.append(mode)
        return modes

    def _template(self, template: etree._Element) -> None:
        mode, match = template.get("mode"), template.get("match")
        priority = float(template.get("priority") or 0)
        if mode is None or match is None:
            if template.find(f".//{_SVRL}fired-rule") is not None:
                raise self._refuse(template, "rule without a mode")
            return
        if template.find(f"{_SVRL}fired-rule") is None:
            if not mode.startswith(("schematron-", "generate-id-")) and match not in _SKELETON_MATCHES:
                raise self._refuse(template, f"template {match}")
            return
        self._rules.setdefault(mode, []).append((priority, self._rule(template, match, mode)))

    def _rule(self, template: etree._Element, context: str, mode: str) -> Rule:
        lets: list[Let] = []
        checks: list[Check] = []
        descends = False
        for element in _elements(template):
            if element.tag == f"{_XSL}variable":
                lets.append(self._let(element))
            elif element.tag == f"{_XSL}choose":
                checks.append(self._assert(element))
            elif element.tag == f"{_XSL}if":
                checks.append(self._report(element))
            elif element.tag == f"{_XSL}apply-templates":
                if element.get("mode") != mode or not _walks_down(element.get("select")):
                    raise self._refuse(element, f"walk by {element.get('select')}")
                descends = True
            elif element.tag != f"{_SVRL}fired-rule":
                raise self._refuse(element, "element in a rule")
        return Rule(context, tuple(lets), tuple(checks), descends)

    def _let(self, element: etree._Element) -> Let:
        name, select = element.get("name"), element.get("select")
        if name is None or select is None:
            raise self._refuse(element, "variable without select")
        return Let(name, select, element.get("as"))

    def _function(self, element: etree._Element) -> Function:
        parameters: list[tuple[str, str]] = []
        lets: list[Let] = []
        result: str | None = None
        for part in _elements(element):
            if part.tag == f"{_XSL}param":
                parameters.append((str(part.get("name")), part.get("as") or "item()*"))
            elif part.tag == f"{_XSL}variable":
                lets.append(self._let(part))
            elif part.tag == f"{_XSL}sequence" and result is None:
                result = part.get("select")
            else:
                raise self._refuse(part, "element in a function")
        if result is None:
            raise self._refuse(element, "function without a sequence")
        return Function(
            str(element.get("name")), tuple(parameters), element.get("as") or "item()*", tuple(lets), result
        )

    def _assert(self, choose: etree._Element) -> Check:
        match list(_elements(choose)):
            case [when, otherwise] if when.tag == f"{_XSL}when" and otherwise.tag == f"{_XSL}otherwise":
                return self._check("assert", str(when.get("test")), otherwise, f"{_SVRL}failed-assert")
        raise self._refuse(choose, "assert of another shape")

    def _report(self, condition: etree._Element) -> Check:
        return self._check("report", str(condition.get("test")), condition, f"{_SVRL}successful-report")

    def _check(self, kind: Literal["assert", "report"], test: str, holder: etree._Element, tag: str) -> Check:
        match list(_elements(holder)):
            case [outcome] if outcome.tag == tag:
                pass
            case _:
                raise self._refuse(holder, f"{kind} of another shape")
        attributes: dict[str, str] = {}
        message: tuple[str | MessageValue, ...] = ()
        for part in _elements(outcome):
            name = part.get("name")
            if part.tag == f"{_SVRL}text":
                message = self._message(part)
            elif part.tag != f"{_XSL}attribute" or name is None:
                raise self._refuse(part, f"element in an {kind}")
            elif name == "location":
                self._expect_full_path(part)
            elif len(part):
                raise self._refuse(part, f"computed attribute {name}")
            else:
                attributes[name] = part.text or ""
        unknown = attributes.keys() - {"id", "flag", "role", "see", "icon", "fpi"}
        if unknown:
            raise self._refuse(outcome, f"attribute {min(unknown)}")
        printed_test = outcome.get("test") or test
        return Check(
            kind,
            attributes.get("id", ""),
            test,
            printed_test,
            attributes.get("flag"),
            attributes.get("role"),
            message,
        )

    def _expect_full_path(self, attribute: etree._Element) -> None:
        match list(_elements(attribute)):
            case [call] if call.get("mode") == _FULL_PATH_MODE and call.get("select") == ".":
                return
        raise self._refuse(attribute, "location that is not the full path")

    def _message(self, text: etree._Element) -> tuple[str | MessageValue, ...]:
        parts: list[str | MessageValue] = [_unless_blank(text.text)]
        for part in text:
            if part.tag == f"{_XSL}value-of" and part.get("separator") is None:
                parts.append(MessageValue(str(part.get("select"))))
            elif part.tag == f"{_XSL}text":
                parts.append(part.text or "")
            elif isinstance(part.tag, str):
                raise self._refuse(part, "element in a message")
            parts.append(_unless_blank(part.tail))
        return tuple(part for part in parts if part != "")


def _walks_down(select: str | None) -> bool:
    """Whether a selection takes all child elements, and otherwise nothing that a rule can match."""
    parts = set((select or "").split("|"))
    return "*" in parts and parts <= {"*", "@*", "comment()", "processing-instruction()"}


def _unless_blank(text: str | None) -> str:
    """A text node of a stylesheet, empty when it holds only white space (XSLT 2.0, 4.2)."""
    return text if text is not None and text.strip(" \t\r\n") else ""


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    """Children that are elements: no comments, no processing instructions."""
    return (child for child in parent if isinstance(child.tag, str))
