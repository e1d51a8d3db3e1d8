"""The books as programs and commands show them."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.kernel.text import Language
from gateway.treasury.accounting.results import ImportResult


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class RefusedLineView(_View):
    """A line that is not taken."""

    line: int = Field(description="In the file; the header is line 1")
    column: str = Field(description="As the file calls it")
    value: str
    why: str
    fix: str


class AccountingReport(_View):
    """What a file of entries brought, or would bring."""

    sha256: str
    written: bool = Field(description="False for a dry run")
    entries: int
    lines: int = Field(description="Of customers' accounts")
    new: int
    relettered: int
    outcomes: dict[str, int] = Field(description="Lines of the accounts named in the file, by what became of them")
    recorded: int = Field(description="Receipts; 0 in a dry run")
    reversed: int = Field(description="Receipts undone because the lettering changed; 0 in a dry run")
    written_off: int = Field(description="Write-offs made; 0 in a dry run")
    restored: int = Field(description="Write-offs undone because the lettering changed; 0 in a dry run")
    refused: int
    refused_lines: tuple[RefusedLineView, ...]

    @classmethod
    def of_result(cls, result: ImportResult, language: Language) -> "AccountingReport":
        """The report in a language."""
        return cls(
            sha256=result.sha256,
            written=result.written,
            **result.counts(),
            outcomes={outcome.value: count for outcome, count in sorted(result.outcomes.items())},
            refused=result.refused_lines,
            refused_lines=tuple(
                RefusedLineView(
                    line=each.line,
                    column=each.column,
                    value=each.value,
                    why=each.why.in_language(language),
                    fix=each.fix.in_language(language),
                )
                for each in result.refused
            ),
        )


class EntryView(_View):
    """A line of a customer's account as it is kept."""

    id: UUID
    account: str
    account_name: str
    journal: str
    number: str
    day: date
    piece: str
    amount: Decimal = Field(description="Debit less credit")
    nature: str
    lettering: str
    outcome: str | None
    invoice_id: UUID | None
    receipt_id: UUID | None


class AccountView(_View):
    """A customer's account of the books, and whose it is."""

    account: str
    name: str
    customer_id: UUID | None
