"""Compiled rules, ready to check documents."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import localcontext
from itertools import groupby
from operator import attrgetter, itemgetter
from time import monotonic
from types import CodeType
from typing import Any, NamedTuple

from lxml import etree

from gateway.schematron.atoms import EXACT
from gateway.schematron.document import Document, Element, prepare
from gateway.schematron.errors import DynamicError
from gateway.schematron.findings import FINDING_LIMIT, TIME_LIMIT, Finding, FindingKind, Limits
from gateway.schematron.path_names import PathName

Memo = dict[int, Any]
Report = Callable[..., None]
Rule = Callable[[Document, Memo, Report, Sequence[Element]], None]
Selection = Callable[[Document, Memo, Sequence[Element]], Sequence[Element]]

_ANY = "*"
_KNOWN_PATHS = 20_000
_NODES_BETWEEN_CLOCK_READINGS = 32
_NO_LIMITS = Limits()
_PATTERN = attrgetter("pattern")


class _Check(NamedTuple):
    """What one assert or report says, as the generated module states it."""

    kind: FindingKind
    rule: str
    test: str
    flag: str | None
    role: str | None
    message: str


class _Branch(NamedTuple):
    """One alternative of a rule's context, as the generated module states it."""

    anchored: bool
    tags: tuple[str, ...]
    by_names: Selection | None
    by_value: Selection | None
    rule: Rule
    descends: bool


class _LimitReachedError(Exception):
    """Stops a check at a limit: TIME_LIMIT or FINDING_LIMIT, and a sentence with its value."""

    def __init__(self, limit: str, sentence: str) -> None:
        super().__init__(sentence)
        self.limit = limit


class _Chain:
    """The branches of one pattern that elements of some paths may match, in the order in which they are tried.

    Attributes:
        rule: that of the only branch, where it applies to every element; None where that has to be found out.
    """

    __slots__ = ("branches", "pattern", "rule")

    def __init__(self, pattern: int, branches: tuple[_Branch, ...]) -> None:
        self.pattern = pattern
        self.branches = branches
        first = branches[0]
        self.rule = first.rule if first.by_value is None and first.descends else None


Plan = list[tuple[_Chain, list[Element]]]


class Rules:
    """The rules of one Schematron file. Safe to use from several threads at once."""

    def __init__(self, code: CodeType) -> None:
        """`code` is the code object of a generated module."""
        module: dict[str, Any] = {"__name__": code.co_filename}
        exec(code, module)
        self._code_file = code.co_filename
        self._checks = tuple(_Check(*fields) for fields in module["CHECKS"])
        self._patterns = tuple(tuple(_Branch(*fields) for fields in branches) for _, branches in module["PATTERNS"])
        # Where a rule keeps elements below it from being visited, paths are visited one by one from the top.
        self._one_by_one = tuple(not all(branch.descends for branch in branches) for branches in self._patterns)
        self._lines: tuple[tuple[int, int], ...] = module["CHECK_LINES"]
        self._by_last_name = _by_last_name(self._patterns)
        self._chains: dict[str, tuple[_Chain, ...]] = {}
        self._shared: dict[tuple[int, ...], _Chain] = {}

    def check(
        self, tree: "etree._ElementTree | etree._Element | Document", limits: Limits | None = None
    ) -> list[Finding]:
        """Findings of a document in the order of the official SVRL: pattern, document order, assert.

        `tree` is parsed XML or, to share the work between rule sets, what `prepare` made of it. A dynamic error or a
        limit adds one last finding of kind "error" after those found so far.
        """
        document = prepare(tree)
        with localcontext(EXACT):
            return _Run(self, document, limits or _NO_LIMITS).findings()

    def plan(self, document: Document) -> Plan:
        """Which rules may apply to which elements, in the order of the patterns."""
        plan: dict[_Chain, list[Element]] = {}
        joined = set[_Chain]()
        for name, nodes in document.by_name:
            chains = self._chains.get(name.path)
            if chains is None:
                if len(self._chains) >= _KNOWN_PATHS:
                    self._chains.clear()
                chains = self._chains[name.path] = tuple(self._chains_of(document, name, nodes[:1]))
            for chain in chains:
                if chain not in plan:
                    plan[chain] = nodes
                elif chain in joined:
                    plan[chain] += nodes
                else:
                    joined.add(chain)
                    plan[chain] = plan[chain] + nodes
        return [(chain, plan[chain]) for chain in sorted(plan, key=_PATTERN)]

    def _chains_of(self, document: Document, name: PathName, sample: list[Element]) -> Iterator[_Chain]:
        candidates = sorted(self._by_last_name.get(name.last, []) + self._by_last_name.get(_ANY, []))
        for number, group in groupby(candidates, itemgetter(0)):
            branches = self._patterns[number]
            chosen: list[int] = []
            for _, index in group:
                branch = branches[index]
                if _names_match(branch, name.tags) and (
                    branch.by_names is None or branch.by_names(document, {}, sample)
                ):
                    chosen.append(index)
                    if branch.by_value is None:
                        break
            if chosen:
                chain = _Chain(number, tuple(branches[index] for index in chosen))
                yield chain if self._one_by_one[number] else self._shared.setdefault((number, *chosen), chain)

    def finding(self, number: int, location: str, message: str | None) -> Finding:
        """The finding of check `number`; `message` where it is computed."""
        check = self._checks[number]
        text = check.message if message is None else message
        return Finding(check.rule, check.kind, check.test, location, check.flag, check.role, text)

    def place(self, error: BaseException) -> tuple[Element | None, int | None]:
        """Context element and check number of the rule in which `error` was raised, as far as they can be told."""
        traceback = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_code.co_filename == self._code_file and frame.f_code.co_name.startswith("rule_"):
                position = bisect_left(self._lines, (traceback.tb_lineno, 0))
                number = self._lines[position][1] if position < len(self._lines) else None
                return frame.f_locals.get("node"), number
            traceback = traceback.tb_next
        return None, None


class _Run:
    """One check of one document."""

    def __init__(self, rules: Rules, document: Document, limits: Limits) -> None:
        self._rules = rules
        self._document = document
        self._limits = limits
        self._memo: Memo = {}
        self._deadline = math.inf if limits.max_seconds is None else monotonic() + limits.max_seconds
        self._reported: list[tuple[Element, int, str | None]] = []
        self._finished: list[Finding] = []

    def findings(self) -> list[Finding]:
        document, memo, report, deadline = self._document, self._memo, self._report, self._deadline
        reported = self._reported
        pattern, cut = -1, set[Element]()
        try:
            for chain, nodes in self._rules.plan(document):
                if chain.pattern != pattern:
                    if reported:
                        self._finish_pattern()
                    pattern, cut = chain.pattern, set()
                if monotonic() > deadline:
                    raise self._too_late()
                rule = chain.rule
                if cut or rule is None:
                    self._run_chain(chain, nodes, cut)
                elif len(nodes) <= _NODES_BETWEEN_CLOCK_READINGS:
                    rule(document, memo, report, nodes)
                else:
                    self._apply(rule, nodes)
            self._finish_pattern()
        except _LimitReachedError as limit:
            self._finish_pattern()
            self._finished.append(Finding(limit.limit, "error", "", "", None, None, str(limit)))
        except (DynamicError, ArithmeticError) as error:
            self._finish_pattern()
            self._finished.append(self._error(error))
        return self._finished

    def _run_chain(self, chain: _Chain, nodes: Sequence[Element], cut: set[Element]) -> None:
        """Apply to each node the first rule that it matches.

        Nodes below those of `cut` have none; a rule that does not descend adds its own to them.
        """
        if cut:
            nodes = [node for node in nodes if not self._is_below(node, cut)]
        for branch in chain.branches:
            matching = nodes if branch.by_value is None else self._selected(branch.by_value, nodes)
            if not matching:
                continue
            self._apply(branch.rule, matching)
            if not branch.descends:
                cut.update(matching)
            if len(matching) == len(nodes):
                break
            if branch is not chain.branches[-1]:
                matched = set(matching)
                nodes = [node for node in nodes if node not in matched]

    def _apply(self, rule: Rule, nodes: Sequence[Element]) -> None:
        for part in _parts(nodes):
            if monotonic() > self._deadline:
                raise self._too_late()
            rule(self._document, self._memo, self._report, part)

    def _selected(self, selection: Selection, nodes: Sequence[Element]) -> Sequence[Element]:
        selected: list[Element] = []
        for part in _parts(nodes):
            if monotonic() > self._deadline:
                raise self._too_late()
            selected += selection(self._document, self._memo, part)
        return selected

    def _too_late(self) -> _LimitReachedError:
        return _LimitReachedError(TIME_LIMIT, f"time limit of {self._limits.max_seconds} s reached")

    def _is_below(self, node: Element, cut: set[Element]) -> bool:
        above = self._document.parents.get(node)
        while above is not None:
            if above in cut:
                return True
            above = self._document.parents.get(above)
        return False

    def _report(self, check: int, node: Element, message: str | None = None) -> None:
        limit = self._limits.max_findings
        if limit is not None and len(self._finished) + len(self._reported) >= limit:
            raise _LimitReachedError(FINDING_LIMIT, f"limit of {limit} findings reached")
        self._reported.append((node, check, message))

    def _finish_pattern(self) -> None:
        """Turn what the pattern reported into findings, in document order."""
        reported = self._reported
        if not reported:
            return
        if len(reported) > 1:
            order = self._document.order()
            reported.sort(key=lambda entry: (order[entry[0]], entry[1]))
        location, finding = self._document.location, self._rules.finding
        self._finished.extend(finding(check, location(node), message) for node, check, message in reported)
        reported.clear()

    def _error(self, error: DynamicError | ArithmeticError) -> Finding:
        reason = error.reason if isinstance(error, DynamicError) else f"FOAR0002: {type(error).__name__}"
        node, number = self._rules.place(error)
        location = "" if node is None else self._document.location(node)
        if number is None:
            return Finding("", "error", "", location, None, None, reason)
        found = self._rules.finding(number, location, reason)
        return replace(found, kind="error")


def _parts(nodes: Sequence[Element]) -> Sequence[Sequence[Element]]:
    """The nodes, in parts before each of which the clock is read."""
    size = _NODES_BETWEEN_CLOCK_READINGS
    return (nodes,) if len(nodes) <= size else [nodes[start : start + size] for start in range(0, len(nodes), size)]


def _by_last_name(patterns: Iterable[Sequence[_Branch]]) -> dict[str, list[tuple[int, int]]]:
    """Numbers of the pattern and of the branch, by the tag that a branch asks of the element itself."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, branches in enumerate(patterns):
        for index, branch in enumerate(branches):
            last = branch.tags[-1]
            found.setdefault(_ANY if last.endswith("*") else last, []).append((number, index))
    return found


def _names_match(branch: _Branch, tags: tuple[str, ...]) -> bool:
    count = len(branch.tags)
    if count > len(tags) or (branch.anchored and count != len(tags)):
        return False
    return all(
        test in ("*", tag) or (test.endswith("}*") and tag.startswith(test[:-1]))
        for test, tag in zip(branch.tags, tags[-count:], strict=True)
    )
