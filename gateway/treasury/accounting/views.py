"""The books as programs and commands show them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.kernel.text import Language
from gateway.treasury.accounting.model import AccountingImport
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
    lines: int = Field(description="Of customers’ accounts")
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
    def of_result(cls, result: ImportResult, language: Language) -> Self:
        """The report in a language."""
        refused = [each.as_json() for each in result.refused]
        return cls(
            sha256=result.sha256, written=result.written, **result.told(), refused_lines=_refused(refused, language)
        )


class ImportView(_View):
    """A file that was taken."""

    id: UUID
    sha256: str
    file_name: str
    imported_at: datetime
    imported_by: str = Field(description="user:<id>, client:<id> or operator")
    counts: dict[str, Any] = Field(description="As the report told them that day")
    refused_lines: tuple[RefusedLineView, ...]

    @classmethod
    def of_row(cls, row: AccountingImport, language: Language) -> Self:
        """A kept import in a language."""
        kept = row.model_dump(include=set(cls.model_fields))
        return cls(**kept, refused_lines=_refused(row.refused, language))


class ImportPage(_View):
    """Some imports, the latest first."""

    imports: tuple[ImportView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


def _refused(lines: Iterable[Mapping[str, Any]], language: Language) -> tuple[RefusedLineView, ...]:
    return tuple(
        RefusedLineView(**{**each, "why": each["why"][language], "fix": each["fix"][language]}) for each in lines
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
    due_date: date | None = Field(description="As a table told it; a FEC tells none")


class EntryPage(_View):
    """Some lines, by day."""

    entries: tuple[EntryView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class AccountView(_View):
    """A customer's account of the books, and whose it is."""

    account: str
    name: str
    customer_id: UUID | None
