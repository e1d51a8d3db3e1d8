"""What a check gives back: findings, and the limits that may stop it."""

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["assert", "report", "error"]

#: What stands in place of an assert's identifier in the last finding of rules that a limit stopped.
TIME_LIMIT, FINDING_LIMIT = "limit of time", "limit of findings"


@dataclass(frozen=True, slots=True)
class Finding:
    """One failed assert, one successful report, or the error that stopped the rules.

    Attributes:
        rule: identifier of the assert (`BR-CO-15`), empty where the official file gives none; for an error the
            identifier of the assert that could not be evaluated, TIME_LIMIT or FINDING_LIMIT when that was reached.
        kind: "assert" (its test is false), "report" (its test is true) or "error".
        test: the XPath test as the official file states it.
        location: XPath of the context element in the form of the official SVRL, `/*:Invoice[namespace-uri()='…'][1]`.
        flag: severity set by the official file (`fatal`, `warning`, …), or None.
        role: role set by the official file, or None.
        message: official text with its values filled in; for an error its reason, the W3C code first.
    """

    rule: str
    kind: FindingKind
    test: str
    location: str
    flag: str | None
    role: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may cost. None means no limit; `max_seconds` is wall-clock time."""

    max_findings: int | None = None
    max_seconds: float | None = None
