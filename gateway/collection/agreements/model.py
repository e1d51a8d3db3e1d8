"""Tables of promises, disputes and instalment plans, and of everything that happened to each."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.database.columns import Amount, IdentifiedRow, OrganisationRow, UtcDateTime
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text


class PromiseOrigin(StrEnum):
    """How a promise reached us."""

    PERSON = "person"
    REPLY = "reply"

    @property
    def label(self) -> Text:
        """For people."""
        return _ORIGINS[self]


_ORIGINS = {
    PromiseOrigin.PERSON: Text("recueillie par une personne", "taken by a person"),
    PromiseOrigin.REPLY: Text("réponse du client", "the customer’s reply"),
}


class DisputeOutcome(StrEnum):
    """How a dispute ended."""

    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    #: We hold the dispute to be unfounded: chasing resumes.
    REFUSED = "refused"
    #: The customer takes it back, without a status that says so: chasing resumes.
    WITHDRAWN = "withdrawn"
    #: The buyer approved the invoice after all (205), or disputes it in another way (206, 207, 210).
    SUPERSEDED = "superseded"
    #: The invoice was rejected or cancelled: nothing is left to dispute.
    INVOICE_CLOSED = "invoice_closed"

    @property
    def label(self) -> Text:
        """For people."""
        return _OUTCOMES[self]


class Settlement(StrEnum):
    """The outcomes that a person may give."""

    CREDIT_NOTE = DisputeOutcome.CREDIT_NOTE.value
    PAYMENT = DisputeOutcome.PAYMENT.value
    REFUSED = DisputeOutcome.REFUSED.value
    WITHDRAWN = DisputeOutcome.WITHDRAWN.value

    @property
    def outcome(self) -> DisputeOutcome:
        """How the dispute ends."""
        return DisputeOutcome(self.value)


_OUTCOMES = {
    DisputeOutcome.CREDIT_NOTE: Text("réglé par un avoir", "settled by a credit note"),
    DisputeOutcome.PAYMENT: Text("réglé par le paiement", "settled by payment"),
    DisputeOutcome.REFUSED: Text("contestation non fondée", "dispute refused"),
    DisputeOutcome.WITHDRAWN: Text("retiré par le client", "withdrawn by the customer"),
    DisputeOutcome.SUPERSEDED: Text("levé par un autre statut", "lifted by another status"),
    DisputeOutcome.INVOICE_CLOSED: Text("facture close", "invoice closed"),
}


class AgreementKind(StrEnum):
    """What a line of history is about; the first part of its subject in the ledger."""

    PROMISE = "promise"
    DISPUTE = "dispute"
    PLAN = "plan"


class Step(StrEnum):
    """What happened to a promise, a dispute or a plan."""

    MADE = "made"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"
    RESUMED = "resumed"
    DONE = "done"
    CANCELLED = "cancelled"
    MESSAGE = "message"
    ASSIGNED = "assigned"
    STATUS = "status"
    CLOSED = "closed"
    REOPENED = "reopened"

    @property
    def label(self) -> Text:
        """For people."""
        return _STEPS[self]


_STEPS = {
    Step.MADE: Text("enregistré", "recorded"),
    Step.KEPT: Text("tenu", "kept"),
    Step.PARTLY_KEPT: Text("tenu en partie", "partly kept"),
    Step.BROKEN: Text("non tenu", "broken"),
    Step.RESUMED: Text("en cours de nouveau", "running again"),
    Step.DONE: Text("soldé", "paid in full"),
    Step.CANCELLED: Text("annulé", "cancelled"),
    Step.MESSAGE: Text("message", "message"),
    Step.ASSIGNED: Text("confié", "assigned"),
    Step.STATUS: Text("nouveau statut", "new status"),
    Step.CLOSED: Text("clos", "closed"),
    Step.REOPENED: Text("rouvert", "reopened"),
}


class Promise(IdentifiedRow, table=True):
    """Money that a customer said would come by a day."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_due", "organisation_id", "due_on", "id"),
        Index("ix_promise_open", "organisation_id", "grace_until", postgresql_where="state = 'open'"),
    )

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    amount: Decimal = Field(sa_type=Amount, description="VAT included, over all its invoices")
    currency: str
    due_on: date
    grace_until: date = Field(description="Last day on which money still keeps it")
    contact: str = Field(description="Who promised; empty when not told")
    comment: str
    origin: str
    made_at: datetime = Field(sa_type=UtcDateTime, description="Money known before does not count")
    made_by: str = Field(description="user:<id>, client:<id> or operator")
    state: str = Field(default=PromiseState.OPEN.value)
    awaited: Decimal = Field(default=ZERO, sa_type=Amount, description="Still to come of it at the last review")


class PromiseInvoice(OrganisationRow, table=True):
    """An invoice that a promise is about, or a line of the books that is no invoice here."""

    __tablename__ = "promise_invoice"
    __table_args__ = (
        UniqueConstraint("promise_id", "invoice_id"),
        UniqueConstraint("promise_id", "entry_id"),
        CheckConstraint("(invoice_id IS NULL) <> (entry_id IS NULL)", "ck_promise_invoice_one"),
    )

    promise_id: UUID = Field(primary_key=True, foreign_key="promise.id")
    position: int = Field(primary_key=True, description="1 is paid first")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id", index=True)
    entry_id: UUID | None = Field(default=None, foreign_key="accounting_entry.id", index=True)


class Dispute(IdentifiedRow, table=True):
    """What is contested of one invoice, who settles it, by when."""

    __tablename__ = "dispute"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "owner_id"], ["app_user.organisation_id", "app_user.id"]),
        Index("ix_dispute_open", "organisation_id", "deadline", "id", postgresql_where="closed_on IS NULL"),
    )

    invoice_id: UUID = Field(foreign_key="invoice.id", index=True)
    amount: Decimal | None = Field(default=None, sa_type=Amount, description="The contested part; none: all of it")
    reason: str = Field(description="MDT-113 such as PU_ERR, or a category of ours such as price")
    comment: str
    team: str
    owner_id: UUID | None = None
    deadline: date | None = None
    opened_on: date
    opened_by: str = Field(description="user:<id>, client:<id>, operator, or gateway for a status")
    since: datetime = Field(sa_type=UtcDateTime, description="What is dated before settles nothing of it")
    status: str = Field(default="", description="206, 207 or 210 when a status opened it")
    fingerprint: str = Field(default="", max_length=64, description="Of that status")
    event_id: UUID | None = Field(default=None, description="Of that status")
    closed_on: date | None = None
    outcome: str | None = None


class Plan(IdentifiedRow, table=True):
    """What a customer owes, spread over dates that both sides agreed on."""

    __tablename__ = "plan"

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    currency: str
    total: Decimal = Field(sa_type=Amount, description="VAT included: the sum of its instalments")
    suspends_penalties: bool
    comment: str
    made_at: datetime = Field(sa_type=UtcDateTime, description="Money known before does not count")
    made_by: str = Field(description="user:<id>, client:<id> or operator")
    state: str = Field(default=PlanState.ACTIVE.value)


class PlanInvoice(OrganisationRow, table=True):
    """An invoice that a plan spreads, or a line of the books that is no invoice here."""

    __tablename__ = "plan_invoice"
    __table_args__ = (
        UniqueConstraint("plan_id", "invoice_id"),
        UniqueConstraint("plan_id", "entry_id"),
        CheckConstraint("(invoice_id IS NULL) <> (entry_id IS NULL)", "ck_plan_invoice_one"),
    )

    plan_id: UUID = Field(primary_key=True, foreign_key="plan.id")
    position: int = Field(primary_key=True, description="1 is paid first")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id", index=True)
    entry_id: UUID | None = Field(default=None, foreign_key="accounting_entry.id", index=True)


class PlanInstalment(OrganisationRow, table=True):
    """One payment of a plan."""

    __tablename__ = "plan_instalment"
    __table_args__ = (
        Index("ix_plan_instalment_late", "organisation_id", "grace_until", postgresql_where="paid < amount"),
    )

    plan_id: UUID = Field(primary_key=True, foreign_key="plan.id")
    position: int = Field(primary_key=True, description="From 1, in the order of the dates")
    due_on: date
    grace_until: date = Field(description="After that day, what is missing breaks the plan")
    amount: Decimal = Field(sa_type=Amount)
    paid: Decimal = Field(default=ZERO, sa_type=Amount, description="Of it, at the last review")


class AgreementLine(OrganisationRow, table=True):
    """One thing that happened to a promise, a dispute or a plan. Never changed: the database refuses it."""

    __tablename__ = "agreement_line"

    agreement_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, description="From 1, in the order things happened")
    kind: str = Field(description="promise, dispute or plan")
    step: str
    text: str = Field(description="What the person wrote; the status code (MDT-105) when a status did it")
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(description="user:<id>, client:<id>, operator or gateway")
    event_id: UUID | None = Field(default=None, description="The lifecycle status behind it")
