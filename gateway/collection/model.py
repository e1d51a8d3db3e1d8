"""Tables of collection: the worklist's actions; reminders, what they claim, whom they spare, by which scenarios."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, UtcDateTime
from gateway.kernel.text import Text


class ActionState(StrEnum):
    """Where an action stands."""

    TODO = "todo"
    DONE = "done"
    #: The matter was cured before anyone acted.
    CANCELLED = "cancelled"


class _WithOutcome(IdentifiedRow):
    """Something that comes to an end of which people are told."""

    outcome_fr: str | None = Field(default=None, description="What came of it, why it failed, was refused or withdrawn")
    outcome_en: str | None = Field(default=None, description="The same; words of a person stay as they are")

    @property
    def outcome(self) -> Text | None:
        """What came of it; None while nothing has."""
        return None if self.outcome_fr is None else Text(self.outcome_fr, self.outcome_en or self.outcome_fr)

    def tell(self, outcome: Text | str | None) -> None:
        """Say what came of it, or that nothing has."""
        told = None if outcome is None else Text.of(outcome)
        self.outcome_fr, self.outcome_en = (told.fr, told.en) if told else (None, None)


class CollectionAction(_WithOutcome, table=True):
    """One thing to do so that cash comes in. An alert creates exactly one."""

    __tablename__ = "collection_action"
    __table_args__ = (
        UniqueConstraint("organisation_id", "alert_id"),
        Index("ix_action_worklist", "organisation_id", "state", "priority"),
    )

    alert_id: UUID
    invoice_id: UUID | None = Field(default=None, index=True)
    agency_id: UUID | None = Field(default=None, index=True)
    customer_siren: str | None = Field(default=None, max_length=9)
    customer_id: UUID | None = Field(
        default=None, foreign_key="customer.id", description="Whose it is, when it is about no invoice"
    )
    kind: str = Field(description="fix_and_reissue, call, answer_dispute, send_document…")
    title_fr: str
    title_en: str
    explanation_fr: str
    explanation_en: str
    team: str
    priority: int = Field(description="The higher, the sooner.")
    amount: Decimal | None = Field(default=None, sa_type=Amount, description="At stake, in the invoice’s currency.")
    currency: str | None = None
    due_on: date | None = None
    state: str = Field(default=ActionState.TODO.value)
    created_at: datetime = Field(sa_type=UtcDateTime)
    assigned_to: UUID | None = None
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_by: UUID | None = None


class ReminderState(StrEnum):
    """Where a reminder stands."""

    #: A person confirms, changes or refuses it first.
    AWAITING = "awaiting"
    #: Decided; it is worded and leaves next.
    PLANNED = "planned"
    #: A person posts the letter, calls, or does the task.
    TODO = "todo"
    QUEUED = "queued"
    #: It left, was posted, or was done.
    SENT = "sent"
    #: It may have left, and only a person can tell.
    IN_DOUBT = "in_doubt"
    FAILED = "failed"
    #: A person refused it: its steps count as taken.
    CANCELLED = "cancelled"
    #: What it claimed was paid, disputed or otherwise held back before it left: its steps were not taken.
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> Text:
        """For people."""
        return _REMINDER_STATES[self]


_REMINDER_STATES = {
    ReminderState.AWAITING: Text("à confirmer", "to be confirmed"),
    ReminderState.PLANNED: Text("décidée", "decided"),
    ReminderState.TODO: Text("à faire", "to do"),
    ReminderState.QUEUED: Text("en partance", "leaving"),
    ReminderState.SENT: Text("envoyée ou faite", "sent or done"),
    ReminderState.IN_DOUBT: Text("envoi incertain", "in doubt"),
    ReminderState.FAILED: Text("en échec", "failed"),
    ReminderState.CANCELLED: Text("écartée", "set aside"),
    ReminderState.WITHDRAWN: Text("retirée", "withdrawn"),
}


class Reminder(_WithOutcome, table=True):
    """One message, call or task about one account, decided once by a step of its scenario."""

    __tablename__ = "reminder"
    __table_args__ = (
        Index(
            "uq_reminder_step",
            "organisation_id",
            "customer_id",
            "currency",
            "step",
            "anchor_id",
            unique=True,
            postgresql_where="state <> 'withdrawn'",
        ),
        Index("ix_reminder_state", "organisation_id", "state", "decided_at", "id"),
    )

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    currency: str
    scenario: str
    step: str = Field(description="Its key in the scenario; of an instalment, with the day it is due")
    title_fr: str
    title_en: str
    anchor_id: UUID = Field(
        description="The most advanced invoice, or line of the books that is no invoice here, which sets the step"
    )
    channel: str
    template: str
    tone: int
    is_thanks: bool = Field(default=False, description="Its lines are thanked for, not claimed")
    language: str
    contact: dict[str, Any] | None = Field(default=None, sa_type=Json, description="To whom; none: nobody is known")
    credits: list[dict[str, str]] = Field(default_factory=list, sa_type=Json, description="Credit notes taken off")
    unallocated: Decimal = Field(sa_type=Amount, description="Negative or nil")
    total: Decimal = Field(sa_type=Amount, description="Claims less credit notes and unallocated money")
    note: str = Field(default="", description="Words of a person for this message")
    state: str
    decided_at: datetime = Field(sa_type=UtcDateTime)
    decided_on: date = Field(description="Europe/Paris")
    decided_by: str = Field(description="clock, or who confirmed it: user:<id>, client:<id>, operator")
    delivery_id: UUID | None = Field(default=None, description="Its message in the outbox")
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = Field(default=None, description="Who posted, did, refused or settled it")
    subject: str | None = None
    text: str | None = Field(default=None, description="As it left")
    documents: list[dict[str, str]] = Field(
        default_factory=list, sa_type=Json, description="Letter and attachments: name, media_type, sha256"
    )


class ReminderInvoice(IdentifiedRow, table=True):
    """One line of a reminder: an invoice, or a line of the books that is no invoice here.

    `step` is taken for it by the reminder, once; none: the line is only shown.
    """

    __tablename__ = "reminder_invoice"
    __table_args__ = (
        UniqueConstraint("invoice_id", "step"),
        UniqueConstraint("entry_id", "step"),
        CheckConstraint("(invoice_id IS NULL) <> (entry_id IS NULL)", "ck_reminder_invoice_one"),
    )

    reminder_id: UUID = Field(foreign_key="reminder.id", index=True)
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id")
    entry_id: UUID | None = Field(default=None, foreign_key="accounting_entry.id")
    step: str | None = None
    position: int
    number: str = Field(description="BT-1; of an instalment, those of the plan; of a line of the books, its document")
    seller_siren: str = Field(max_length=9)
    issue_date: date
    due_date: date
    total: Decimal = Field(sa_type=Amount)
    remaining: Decimal = Field(sa_type=Amount)
    claimed: Decimal = Field(sa_type=Amount, description="Less the disputed part")
    is_instalment: bool = False

    @property
    def item_id(self) -> UUID:
        """What it is about: the invoice, or the line of the books."""
        found = self.invoice_id or self.entry_id
        assert found is not None  # the database sees to it
        return found


class AddressFaultRow(IdentifiedRow, table=True):
    """An address of a customer that reaches nobody, or the wrong person. Never deleted: it is lifted."""

    __tablename__ = "address_fault"
    __table_args__ = (
        Index(
            "uq_address_fault",
            "organisation_id",
            "customer_id",
            "kind",
            "address",
            unique=True,
            postgresql_where="lifted_at IS NULL",
        ),
    )

    customer_id: UUID = Field(foreign_key="customer.id")
    address: str = Field(description="E-mail address, number or name, as `as_kept` writes it")
    kind: str = Field(description="A `FaultKind`")
    words: str = Field(description="The server’s answer, or a person’s words")
    call_id: UUID | None = Field(default=None, description="The call that found it out")
    reminder_id: UUID | None = Field(default=None, description="The message that was refused or came back")
    told_at: datetime = Field(sa_type=UtcDateTime)
    told_by: str = Field(description="gateway, user:<id>, client:<id> or operator")
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_by: str | None = None


class ReminderExclusion(IdentifiedRow, table=True):
    """Someone decided not to chase an invoice, a line of the books, or a customer. Never deleted: it is lifted."""

    __tablename__ = "reminder_exclusion"
    __table_args__ = (
        Index("ix_exclusion_customer", "organisation_id", "customer_id", postgresql_where="lifted_at IS NULL"),
        CheckConstraint("invoice_id IS NULL OR entry_id IS NULL", "ck_reminder_exclusion_one"),
    )

    customer_id: UUID = Field(foreign_key="customer.id")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id")
    entry_id: UUID | None = Field(
        default=None, foreign_key="accounting_entry.id", description="With no invoice either: the whole customer"
    )
    until: date | None = Field(default=None, description="Last day, included; none: until it is lifted")
    reason: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: str = Field(description="user:<id>, client:<id> or operator")
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_by: str | None = None


class ScenarioBookRow(IdentifiedRow, table=True):
    """The organisation's own scenarios from a day on. Never changed, never deleted: a later one replaces it."""

    __tablename__ = "scenario_book"
    __table_args__ = (Index("ix_scenario_book", "organisation_id", "valid_from", "stored_at"),)

    valid_from: date
    content: dict[str, Any] = Field(sa_type=Json, description="As `ScenarioBook` reads it")
    comment: str
    stored_at: datetime = Field(sa_type=UtcDateTime)
    stored_by: str = Field(description="user:<id>, client:<id> or operator")
