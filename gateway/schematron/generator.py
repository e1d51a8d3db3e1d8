"""A stylesheet to the source of one Python module.

The module holds `CHECKS` (what each finding says), `PATTERNS` (which rule function applies to which elements), one
function per rule, per context predicate, per stylesheet function and per remembered value. A rule function takes all
the elements that it applies to: `rule(doc, memo, report, nodes)`, and calls `report(check, node[, message])`.
"""

import re
from collections import Counter
from dataclasses import replace

from gateway.schematron.analysis import dependencies
from gateway.schematron.calls import Signature
from gateway.schematron.code import Code, Kind, Occurs, Scope
from gateway.schematron.code_lists import CodeLists
from gateway.schematron.errors import UnsupportedConstructError
from gateway.schematron.expressions import DOCUMENT_SCOPE, Compiler
from gateway.schematron.matching import Alternative, alternatives, asks_names_only, conjuncts
from gateway.schematron.module import Module
from gateway.schematron.rewriting import anchored_at_root, climbing_to_root, listed_below, substituted
from gateway.schematron.stylesheet import Check, Function, Let, MessageValue, Rule, Stylesheet
from gateway.schematron.xpath_ast import Call, Expression
from gateway.schematron.xpath_parser import parse

_REPORT = re.compile(r" +report\((\d+), ")
_SPACE = " \t\r\n"
_PARAMETERS = {
    "xs:string": (Kind.STRING, Occurs.ONE),
    "xs:string?": (Kind.STRING, Occurs.OPTIONAL),
    "element()?": (Kind.NODE, Occurs.OPTIONAL),
    "element()*": (Kind.NODE, Occurs.MANY),
}


def generate(stylesheet: Stylesheet, code_lists: CodeLists) -> str:
    """Python source of the rules. Raises UnsupportedConstructError naming what the engine cannot express."""
    first = _Generator(stylesheet, code_lists, None)
    first.generate()
    return _Generator(stylesheet, code_lists, first.module.uses).generate()


class _Generator:
    def __init__(self, stylesheet: Stylesheet, code_lists: CodeLists, uses: Counter[object] | None) -> None:
        self._stylesheet = stylesheet
        self.module = Module(stylesheet.namespaces, uses)
        self._signatures = {
            function.name: Signature(
                self.module.fresh(_python_name("function", function.name)),
                tuple(sequence_type for _, sequence_type in function.parameters),
            )
            for function in stylesheet.functions
        }
        self._compiler = Compiler(self.module, self._signatures, code_lists)
        self._globals: dict[str, Expression] = {}
        self._checks: list[str] = []
        self._rules = 0
        self._selections = 0

    def generate(self) -> str:
        for variable in self._stylesheet.variables:
            expression = self._parsed(variable.select, f"variable ${variable.name}")
            self._globals[variable.name] = anchored_at_root(expression, "document")
        for function in self._stylesheet.functions:
            self._function(function)
        patterns = [
            f"    ({pattern.mode!r}, (\n{''.join(map(self._rule, pattern.rules))}    )),\n"
            for pattern in self._stylesheet.patterns
        ]
        source = (
            f'"""Generated from {self._stylesheet.path.name}; do not edit."""\n\n'
            "from gateway.schematron.runtime import *\n\n"
            f"{self.module.source()}\n\n"
            f"CHECKS = (\n{''.join(self._checks)})\n\n"
            f"PATTERNS = (\n{''.join(patterns)})\n\n"
        )
        return f"{source}CHECK_LINES = {_check_lines(source)!r}\n"

    def _parsed(self, source: str, where: str) -> Expression:
        self.module.where = f"{self._stylesheet.path.name}, {where}: {' '.join(source.split())}"
        try:
            return substituted(parse(source), self._globals)
        except UnsupportedConstructError as error:
            raise UnsupportedConstructError(error.construct, self.module.where) from error

    def _function(self, function: Function) -> None:
        where = f"function {function.name}"
        scope = replace(DOCUMENT_SCOPE, context="None")
        names: list[str] = []
        for name, sequence_type in function.parameters:
            if sequence_type not in _PARAMETERS:
                raise UnsupportedConstructError(f"parameter of type {sequence_type}", where)
            names.append(self.module.fresh(_python_name("argument", name)))
            scope = scope.binding(name, Code(names[-1], *_PARAMETERS[sequence_type]))
        body, scope, known = self._lets(function.lets, scope, where, None)
        result = self._compiler.emit(substituted(self._parsed(function.result, where), known), scope)
        if function.type != "xs:boolean" or (result.kind, result.occurs) != (Kind.BOOLEAN, Occurs.ONE):
            raise UnsupportedConstructError(f"result of type {function.type}", where)
        signature = f"def {self._signatures[function.name].python_name}(doc, memo, {', '.join(names)}):\n"
        self.module.function(f"{signature}{''.join(f'    {line}' for line in body)}    return {result.text}\n")

    def _lets(
        self, lets: tuple[Let, ...], scope: Scope, where: str, depth: int | None
    ) -> tuple[list[str], Scope, dict[str, Expression]]:
        """Assignments of local variables, the scope they make, and those whose expression replaces them.

        A variable whose value may not exist is computed when it is first used, as XSLT processors do.
        """
        lines: list[str] = []
        known: dict[str, Expression] = {}
        for let in lets:
            parsed = self._parsed(let.select, f"{where}, ${let.name}")
            expression = _anchored(substituted(parsed, known), depth)
            if not dependencies(expression):
                known[let.name] = expression
                continue
            known.pop(let.name, None)
            code = self._compiler.emit(expression, scope)
            if let.type is not None and let.type != "xs:string":
                raise UnsupportedConstructError(f"variable of type {let.type}", where)
            name = self.module.fresh(_python_name("let", let.name))
            if code.raises:
                lines.append(f"{name} = Lazy(lambda: {code.text})\n")
                scope = scope.binding(let.name, replace(code, text=f"{name}()", constant=None))
            else:
                lines.append(f"{name} = {code.text}\n")
                scope = scope.binding(let.name, replace(code, text=name, constant=None))
        return lines, scope, known

    def _rule(self, rule: Rule) -> str:
        """Add the function of a rule; return its entries of `PATTERNS`, one per alternative of its context."""
        where = f"rule {' '.join(rule.context.split())}"
        branches = alternatives(self._parsed(rule.context, where), self.module.where)
        depths = {len(branch.names) - 1 if branch.anchored else None for branch in branches}
        depth = depths.pop() if len(depths) == 1 else None
        scope = Scope("node", once=depth == 0)
        body, scope, known = self._lets(rule.lets, scope, where, depth)
        forbidden: dict[int, tuple[tuple[str, ...], ...]] = {}
        for check in rule.checks:
            paths = self._forbidden(check, where, known) if depth == 0 else None
            if paths is None:
                body.extend(self._report_present(forbidden))
                forbidden = {}
                body.extend(self._check(check, scope, where, known, depth))
            else:
                forbidden[self._add_check(check)] = paths
        body.extend(self._report_present(forbidden))
        name = f"rule_{self._rules}"
        self._rules += 1
        if body:
            lines = "".join(f"        {line}" for line in body)
            self.module.function(f"def {name}(doc, memo, report, nodes):\n    for node in nodes:\n{lines}")
        else:
            name = "no_checks"
        return "".join(f"        {self._entry(branch, name, rule.descends, where)},\n" for branch in branches)

    def _check(
        self, check: Check, scope: Scope, where: str, known: dict[str, Expression], depth: int | None
    ) -> list[str]:
        place = f"{where}, {check.kind} {check.rule}".rstrip()

        def expression(source: str) -> Expression:
            return _anchored(substituted(self._parsed(source, place), known), depth)

        test = self._compiler.truth_of(expression(check.test), scope)
        number = self._add_check(check)
        if test.text == ("True" if check.kind == "assert" else "False"):
            return []
        arguments = f"{number}, node"
        if not _is_fixed(check):
            parts = [
                self._compiler.printed(expression(part.select), scope).text
                if isinstance(part, MessageValue)
                else repr(part)
                for part in check.message
            ]
            arguments += f", ({' + '.join(parts)}).strip(SPACE)"
        condition = f"not {test.text}" if check.kind == "assert" else test.text
        return [f"if {condition}:\n", f"    report({arguments})\n"]

    def _add_check(self, check: Check) -> int:
        """Add what the findings of a check say; return its number."""
        fixed = "".join(map(str, check.message)).strip(_SPACE) if _is_fixed(check) else ""
        fields = (check.kind, check.rule, check.printed_test, check.flag, check.role, fixed)
        self._checks.append(f"    {fields!r},\n")
        return len(self._checks) - 1

    def _forbidden(self, check: Check, where: str, known: dict[str, Expression]) -> tuple[tuple[str, ...], ...] | None:
        """The paths below the document element which a check on it forbids; None when it asks for something else."""
        if check.kind != "assert" or not _is_fixed(check):
            return None
        match _anchored(substituted(self._parsed(check.test, f"{where}, assert {check.rule}"), known), 0):
            case Call("not", (operand,)):
                return listed_below(operand)
        return None

    def _report_present(self, forbidden: dict[int, tuple[tuple[str, ...], ...]]) -> list[str]:
        """One look at the paths of the document in place of hundreds of asserts that each forbid a path."""
        if not forbidden:
            return []
        checks: dict[str, list[int]] = {}
        for number, paths in forbidden.items():
            for names in dict.fromkeys(paths):
                checks.setdefault(" ".join(map(self.module.tag, names)), []).append(number)
        constant = self.module.constant("FORBIDDEN", repr({path: tuple(numbers) for path, numbers in checks.items()}))
        return [f"report_present(doc, {constant}, report, node)\n"]

    def _entry(self, branch: Alternative, rule: str, descends: bool, where: str) -> str:
        tags = tuple(name if name == "*" else self.module.tag(name) for name in branch.names)
        by_names: list[Code] = []
        by_value: list[Code] = []
        node = "node"
        for predicates in reversed(branch.predicates):
            scope = Scope(node)
            for predicate in (part for whole in predicates for part in conjuncts(whole)):
                self.module.where = f"{self._stylesheet.path.name}, {where}"
                code = self._compiler.emit(predicate, scope)
                if code.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE):
                    raise UnsupportedConstructError("position in a rule context", where)
                test = self._compiler.truth_of(predicate, scope)
                is_own = node == "node" and asks_names_only(predicate)
                (by_names if is_own else by_value).append(test)
            node = f"doc.parents[{node}]"
        functions = f"{self._selection(by_names)}, {self._selection(by_value)}"
        return f"({branch.anchored}, {tags!r}, {functions}, {rule}, {descends})"

    def _selection(self, tests: list[Code]) -> str:
        """Name of a function that selects the elements that satisfy all tests, "None" without tests."""
        if not tests:
            return "None"
        name = f"matches_{self._selections}"
        self._selections += 1
        test = " and ".join(code.text for code in tests)
        raises = any(code.raises for code in tests)
        selected = f"satisfying(lambda node: {test}, nodes)" if raises else f"[node for node in nodes if {test}]"
        self.module.function(f"def {name}(doc, memo, nodes):\n    return {selected}\n")
        return name


def _check_lines(source: str) -> tuple[tuple[int, int], ...]:
    """Line and number of every check: tells in which one an error was raised."""
    calls = ((line, _REPORT.match(text)) for line, text in enumerate(source.split("\n"), start=1))
    return tuple((line, int(call[1])) for line, call in calls if call is not None)


def _is_fixed(check: Check) -> bool:
    """Whether the message holds no value of the document."""
    return all(isinstance(part, str) for part in check.message)


def _anchored(expression: Expression, depth: int | None) -> Expression:
    """An expression of a rule whose context stands `depth` levels below the document element, None if unknown."""
    if depth is None:
        return expression
    return anchored_at_root(expression) if depth == 0 else climbing_to_root(expression, depth)


def _python_name(prefix: str, name: str) -> str:
    return f"{prefix}_{re.sub(r'[^a-zA-Z0-9]', '_', name)}_"
