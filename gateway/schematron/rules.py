"""Compiled rules, ready to check documents."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import localcontext
from types import CodeType
from typing import Any, NamedTuple

from lxml import etree

from gateway.schematron.atoms import EXACT
from gateway.schematron.document import Document, Element, prepare
from gateway.schematron.errors import DynamicError
from gateway.schematron.findings import Finding, FindingKind, Limits

Memo = dict[int, Any]
Report = Callable[..., None]
Predicate = Callable[[Document, Memo, Element], Any]

_KNOWN_PATHS = 20_000
_NODES_BETWEEN_CLOCK_READINGS = 32
_NO_LIMITS = Limits()


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
    by_names: Predicate | None
    by_value: Predicate | None
    rule: Callable[[Document, Memo, Report, Sequence[Element]], None]
    descends: bool


class _LimitReachedError(Exception):
    """Stops a check; its argument says which limit."""


Chain = tuple[_Branch, ...]


class Rules:
    """The rules of one Schematron file. Safe to use from several threads at once."""

    def __init__(self, code: CodeType) -> None:
        """`code` is the code object of a generated module."""
        module: dict[str, Any] = {"__name__": code.co_filename}
        exec(code, module)
        self._code_file = code.co_filename
        self._checks = tuple(_Check(*fields) for fields in module["CHECKS"])
        self._patterns = tuple(tuple(_Branch(*fields) for fields in branches) for _, branches in module["PATTERNS"])
        self._lines: tuple[tuple[int, int], ...] = module["CHECK_LINES"]
        self._cuts = tuple(any(not branch.descends for branch in branches) for branches in self._patterns)
        self._chains: dict[str, list[tuple[int, Chain]]] = {}

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

    def plan(self, document: Document) -> list[list[tuple[list[Element], Chain]]]:
        """For each pattern, the elements of the document by path with the rules that may apply to them."""
        plan: list[list[tuple[list[Element], Chain]]] = [[] for _ in self._patterns]
        for path, nodes in document.paths.items():
            chains = self._chains.get(path)
            if chains is None:
                if len(self._chains) >= _KNOWN_PATHS:
                    self._chains.clear()
                chains = self._chains[path] = list(self._chains_of(document, document.tags[path], nodes[0]))
            for pattern, chain in chains:
                plan[pattern].append((nodes, chain))
        return plan

    def _chains_of(self, document: Document, tags: tuple[str, ...], sample: Element) -> Iterator[tuple[int, Chain]]:
        for number, branches in enumerate(self._patterns):
            chain: list[_Branch] = []
            for branch in branches:
                if _names_match(branch, tags) and (branch.by_names is None or branch.by_names(document, {}, sample)):
                    chain.append(branch)
                    if branch.by_value is None:
                        break
            if chain:
                yield number, tuple(chain)

    def finding(self, number: int, location: str, message: str | None) -> Finding:
        """The finding of check `number`; `message` where it is computed."""
        check = self._checks[number]
        text = check.message if message is None else message
        return Finding(check.rule, check.kind, check.test, location, check.flag, check.role, text)

    def cuts(self, pattern: int) -> bool:
        """Whether some rule of the pattern keeps the elements below its context from being visited."""
        return self._cuts[pattern]

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
        self._deadline = None if limits.max_seconds is None else time.monotonic() + limits.max_seconds
        self._reported: list[tuple[Element, int, str | None]] = []
        self._finished: list[Finding] = []

    def findings(self) -> list[Finding]:
        try:
            for number, entries in enumerate(self._rules.plan(self._document)):
                self._run_pattern(entries, self._rules.cuts(number))
                if self._reported:
                    self._finish_pattern()
        except _LimitReachedError as limit:
            self._finish_pattern()
            self._finished.append(Finding("limit", "error", "", "", None, None, str(limit)))
        except (DynamicError, ArithmeticError) as error:
            self._finish_pattern()
            self._finished.append(self._error(error))
        return self._finished

    def _run_pattern(self, entries: list[tuple[list[Element], Chain]], has_cuts: bool) -> None:
        document, memo, report = self._document, self._memo, self._report
        cut: set[Element] = set()
        for path_nodes, chain in entries:
            nodes = path_nodes
            if cut:
                nodes = [node for node in nodes if not self._is_below(node, cut)]
            for branch in chain:
                if branch.by_value is None:
                    matching, nodes = nodes, []
                else:
                    matching, nodes = self._divided(branch.by_value, nodes)
                if matching:
                    for part in self._parts(matching):
                        branch.rule(document, memo, report, part)
                    if has_cuts and not branch.descends:
                        cut.update(matching)
                if not nodes:
                    break

    def _divided(self, predicate: Predicate, nodes: list[Element]) -> tuple[list[Element], list[Element]]:
        """Nodes that satisfy a context's predicate, and the others; one that has no value is not satisfied."""
        matching: list[Element] = []
        others: list[Element] = []
        for part in self._parts(nodes):
            for node in part:
                try:
                    matches = predicate(self._document, self._memo, node)
                except DynamicError:
                    matches = False
                (matching if matches else others).append(node)
        return matching, others

    def _parts(self, nodes: list[Element]) -> Iterable[list[Element]]:
        """The nodes, in parts between which the clock is read when there is a time limit."""
        return (nodes,) if self._deadline is None else self._timed_parts(nodes, self._deadline)

    def _timed_parts(self, nodes: list[Element], deadline: float) -> Iterator[list[Element]]:
        for start in range(0, len(nodes), _NODES_BETWEEN_CLOCK_READINGS):
            if time.monotonic() > deadline:
                raise _LimitReachedError(f"time limit of {self._limits.max_seconds} s reached")
            yield nodes[start : start + _NODES_BETWEEN_CLOCK_READINGS]

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
            raise _LimitReachedError(f"limit of {limit} findings reached")
        self._reported.append((node, check, message))

    def _finish_pattern(self) -> None:
        """Turn what the pattern reported into findings, in document order."""
        reported = self._reported
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


def _names_match(branch: _Branch, tags: tuple[str, ...]) -> bool:
    count = len(branch.tags)
    if count > len(tags) or (branch.anchored and count != len(tags)):
        return False
    return all(
        test in ("*", tag) or (test.endswith("}*") and tag.startswith(test[:-1]))
        for test, tag in zip(branch.tags, tags[-count:], strict=True)
    )
