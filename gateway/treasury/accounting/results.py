"""What a file of entries brought, counted and named."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.customers.importing import RefusedCell
from gateway.treasury.accounting.settling import Outcome

_COUNTED = ("entries", "lines", "new", "relettered", "recorded", "reversed", "written_off", "restored")


@dataclass(slots=True)
class ImportResult:
    """What a file brought.

    Attributes:
        sha256: of the file. written: False for a dry run.
        entries: taken. lines: of customers' accounts in them; new, relettered: how many of them.
        outcomes: of every line kept of the accounts that the file names.
        recorded, reversed: receipts. written_off, restored: write-offs made and undone.
        refused: the first refused lines; refused_lines: all of them.
    """

    sha256: str
    written: bool
    entries: int = 0
    lines: int = 0
    new: int = 0
    relettered: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    recorded: int = 0
    reversed: int = 0
    written_off: int = 0
    restored: int = 0
    refused: list[RefusedCell] = field(default_factory=list)
    refused_lines: int = 0

    def counts(self) -> dict[str, int]:
        """What is counted, by name; without outcomes and refused lines."""
        return {name: getattr(self, name) for name in _COUNTED}

    def told(self) -> dict[str, Any]:
        """All that is counted, as it is kept: also the outcomes and how many lines are refused."""
        outcomes = {outcome.value: count for outcome, count in sorted(self.outcomes.items())}
        return {**self.counts(), "outcomes": outcomes, "refused": self.refused_lines}
