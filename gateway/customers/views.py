"""Customers as programs read them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.customers.changes import CustomerChange
from gateway.customers.credit import covered_on
from gateway.customers.knowledge import Confidence, Identity, known_facts
from gateway.customers.model import Customer, CustomerContact, CustomerCover, CustomerNote
from gateway.customers.payment_terms import Lawfulness, TermVerdict, check_payment_terms, read_payment_terms
from gateway.customers.repository import plain_cover
from gateway.customers.statutory_terms import StatutoryTerms
from gateway.customers.taking import ImportResult, import_shown
from gateway.kernel.text import Language


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class ContactView(_View):
    """A person or a mailbox to write to."""

    id: UUID
    role: str = Field(description="accounting, buyer, management, legal or other")
    name: str
    email: str | None
    phone: str | None
    language: str
    postal: tuple[str, ...] = Field(description="Lines of the address")


class CoverView(_View):
    """A guarantee of a credit insurer; permanent without `valid_until`."""

    id: UUID
    insurer: str
    reference: str
    amount: Decimal
    currency: str
    valid_from: date
    valid_until: date | None


class NoteView(_View):
    """What someone wrote about the customer."""

    id: UUID
    text: str
    at: datetime
    author_name: str


class FactView(_View):
    """A fact about the customer's existence, and whether it holds."""

    name: str = Field(description="siren, siret, vat, directory or insolvency")
    confidence: Confidence
    says: str


class TermsView(_View):
    """The agreed payment terms, and what the law says of them."""

    written: str = Field(description="30, 45 FDM (45 days, then end of month), FDM 45, 45 P (periodic)")
    label: str
    lawfulness: Lawfulness
    reason: str


class CustomerView(_View):
    """A debtor account."""

    id: UUID
    key: str = Field(description="siren:…, siret:…, vat:… or name:…: what invoices are matched with")
    name: str
    siren: str | None
    siret: str | None
    vat_number: str | None
    group_name: str | None
    segment: str | None
    language: str
    payment_terms: str | None
    credit_limit: Decimal | None
    credit_currency: str
    collector_id: UUID | None
    is_key_account: bool
    is_public: bool
    is_consumer: bool
    insolvent_since: date | None
    directory_state: str | None
    directory_checked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CustomerPage(_View):
    """Some customers, by name."""

    customers: tuple[CustomerView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class WholeCustomerView(CustomerView):
    """A customer with all that is known of it."""

    contacts: tuple[ContactView, ...]
    covers: tuple[CoverView, ...] = Field(description="Past ones too, the oldest first")
    covered: Decimal = Field(description="Guaranteed today, in `credit_currency`")
    terms: TermsView | None
    facts: tuple[FactView, ...]
    notes: tuple[NoteView, ...] = Field(description="The latest hundred, the latest first")


class ChangedField(_View):
    """One fact before and after."""

    field: str
    before: str | None
    after: str | None


class ChangedCustomer(_View):
    """What a file changes of one customer."""

    key: str
    name: str
    line: int
    change: str = Field(description="created or changed")
    fields: tuple[ChangedField, ...]
    contacts: tuple[str, ...]
    covers: tuple[str, ...]
    remarks: tuple[str, ...] = Field(description="Taken, and not right all the same")

    @classmethod
    def of_change(cls, change: CustomerChange, language: Language) -> Self:
        """A change in words."""
        return cls(
            key=change.key,
            name=change.name,
            line=change.line,
            change=change.kind.value,
            fields=tuple(ChangedField.model_validate(each) for each in change.fields),
            contacts=tuple(" ".join(filter(None, (each.name, each.email))) for each in change.contacts),
            covers=tuple(f"{each.insurer} {each.reference} {each.amount}" for each in change.covers),
            remarks=tuple(each.in_language(language) for each in change.remarks),
        )


class RefusedRow(_View):
    """A row that is not taken."""

    line: int
    column: str
    value: str
    why: str
    fix: str


class ImportReport(_View):
    """What a file of customers changes, or would change; lists are cut at a thousand, counts are not."""

    written: bool = Field(description="False for a dry run")
    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    moved_invoices: int = Field(description="Invoices that went over to accounts of their own establishment")
    changes: tuple[ChangedCustomer, ...]
    refused_rows: tuple[RefusedRow, ...]

    @classmethod
    def of_result(cls, result: ImportResult, language: Language) -> Self:
        """A result in words."""
        shown = import_shown()
        return cls(
            written=result.written,
            rows=result.rows,
            **{kind.value: count for kind, count in result.counts.items()},
            refused=len(result.refused),
            moved_invoices=result.moved,
            changes=tuple(ChangedCustomer.of_change(each, language) for each in result.changes[:shown]),
            refused_rows=tuple(
                RefusedRow(
                    line=each.line,
                    column=each.column,
                    value=each.value,
                    why=each.why.in_language(language),
                    fix=each.fix.in_language(language),
                )
                for each in result.refused[:shown]
            ),
        )


def whole_view(
    row: Customer,
    contacts: Iterable[CustomerContact],
    covers: Iterable[CustomerCover],
    notes: Iterable[CustomerNote],
    *,
    on: date,
    law: StatutoryTerms,
    language: Language,
) -> WholeCustomerView:
    """A customer with all that is known of it on a day, its terms against the law, in words of a language. Pure."""
    covers = list(covers)
    verdict = terms_verdict(row, on, law)
    terms = read_payment_terms(row.payment_terms) if row.payment_terms else None
    return WholeCustomerView(
        **CustomerView.model_validate(row).model_dump(),
        contacts=tuple(ContactView.model_validate(each) for each in contacts),
        covers=tuple(CoverView.model_validate(each) for each in covers),
        covered=covered_on(map(plain_cover, covers), on, row.credit_currency),
        terms=TermsView(
            written=str(terms),
            label=terms.label.in_language(language),
            lawfulness=verdict.lawfulness,
            reason=verdict.reason.in_language(language),
        )
        if terms and verdict
        else None,
        facts=tuple(
            FactView(name=fact.name, confidence=fact.confidence, says=fact.says.in_language(language))
            for fact in known_facts(identity_of_row(row))
        ),
        notes=tuple(NoteView.model_validate(each) for each in notes),
    )


def terms_verdict(row: Customer, on: date, law: StatutoryTerms) -> TermVerdict | None:
    """What the law says of the agreed terms; None without any. Pure."""
    if not row.payment_terms:
        return None
    terms = read_payment_terms(row.payment_terms)
    return check_payment_terms(terms, on, law, is_public=row.is_public, is_consumer=row.is_consumer)


def identity_of_row(row: Customer) -> Identity:
    """What an account says it is. Pure."""
    return Identity(
        siren=row.siren,
        siret=row.siret,
        vat_number=row.vat_number,
        is_consumer=row.is_consumer,
        directory_state=row.directory_state,
        insolvent_since=row.insolvent_since,
    )
