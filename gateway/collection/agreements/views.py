"""Promises, disputes and plans as programs, pages and commands read them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from gateway.access.model import User
from gateway.collection.agreements import repository
from gateway.collection.agreements.history import GATEWAY, lines_of
from gateway.collection.agreements.model import (
    AgreementLine,
    Dispute,
    DisputeOutcome,
    Plan,
    Promise,
    PromiseOrigin,
    Step,
)
from gateway.collection.agreements.money_rows import Owed, owed_of
from gateway.collection.agreements.naming import Named, named_by_plans, named_by_promises
from gateway.collection.agreements.owing import Owing, owing_of
from gateway.collection.agreements.policy import reason_label
from gateway.collection.agreements.reading import disputed_of_row
from gateway.collection.agreements.values import Agreements, PlanState, PromiseState
from gateway.customers.repository import customers_by_id, customers_of_invoices
from gateway.kernel.text import Text
from gateway.lifecycle.statuses import status


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InvoiceNamed(_View):
    """An invoice that a promise or a plan is about."""

    id: UUID
    number: str = Field(description="BT-1")


class EntryNamed(_View):
    """A line of the books, which is no invoice here, that a promise or a plan is about."""

    id: UUID
    number: str = Field(description="The document that the books name, else the entry")


class LineView(_View):
    """One thing that happened."""

    at: datetime
    by: str = Field(description="user:<id>, client:<id>, operator, or gateway")
    step: Step
    text: str = Field(description="What the person wrote; the status code when a status did it")
    event_id: UUID | None = Field(description="The lifecycle status behind it")

    @property
    def said(self) -> Text:
        """What happened in words, with the status behind it."""
        if self.by == GATEWAY and self.text:
            named = status(self.text).label
            return Text(f"{self.step.label.fr} : {named.fr} ({self.text})", f"{self.step.label.en}: {named.en}")
        return self.step.label


class PromiseView(_View):
    """A promise to pay and where it stands."""

    id: UUID
    customer_id: UUID
    customer: str = Field(description="Its name")
    amount: Decimal = Field(description="VAT included, over all that it is about")
    currency: str
    due_on: date
    grace_until: date = Field(description="Last day on which money keeps it")
    state: PromiseState
    awaited: Decimal = Field(description="Still to come of it")
    contact: str
    comment: str
    origin: PromiseOrigin
    made_at: datetime
    made_by: str
    invoices: tuple[InvoiceNamed, ...] = Field(description="The first to be paid first")
    entries: tuple[EntryNamed, ...] = Field(description="What only the books know, the first to be paid first")
    history: tuple[LineView, ...]


class InstalmentView(_View):
    """One payment of a plan."""

    due_on: date
    grace_until: date = Field(description="After that day, what is missing breaks the plan")
    amount: Decimal
    paid: Decimal


class PlanView(_View):
    """An instalment plan and where it stands."""

    id: UUID
    customer_id: UUID
    customer: str = Field(description="Its name")
    total: Decimal = Field(description="VAT included: the sum of its instalments")
    currency: str
    state: PlanState
    suspends_penalties: bool
    comment: str
    made_at: datetime
    made_by: str
    invoices: tuple[InvoiceNamed, ...] = Field(description="The first to be paid first")
    entries: tuple[EntryNamed, ...] = Field(description="What only the books know, the first to be paid first")
    instalments: tuple[InstalmentView, ...]
    history: tuple[LineView, ...]


class DisputeView(_View):
    """A dispute and its thread."""

    id: UUID
    invoice_id: UUID
    number: str = Field(description="BT-1")
    customer_id: UUID | None
    customer: str = Field(description="Its name")
    amount: Decimal | None = Field(description="The contested part, null for the whole invoice")
    contested: Decimal = Field(description="Of what is left to pay; zero once closed")
    currency: str
    reason: str = Field(description="MDT-113, or a category of ours; empty when none was told")
    reason_label: Text
    comment: str
    team: str
    owner_id: UUID | None
    owner: str = Field(description="Name of who follows it, empty when nobody does")
    deadline: date | None
    opened_on: date
    opened_by: str
    status: str = Field(description="206, 207 or 210 when a status opened it, else empty")
    event_id: UUID | None
    closed_on: date | None
    outcome: DisputeOutcome | None
    history: tuple[LineView, ...] = Field(description="The thread of messages is among it")


class PromisePage(_View):
    """Some promises, the nearest day first."""

    promises: tuple[PromiseView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class DisputePage(_View):
    """Some disputes, the nearest deadline first."""

    disputes: tuple[DisputeView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class PlanPage(_View):
    """Some plans."""

    plans: tuple[PlanView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


def promise_views(session: Session, rows: Sequence[Promise]) -> list[PromiseView]:
    """Promises as they are read, whatever their number in so many statements; no rows ask for none."""
    if not rows:
        return []
    session.flush()
    about = named_by_promises(session, [row.id for row in rows])
    owing = owing_of(session, (each for named in about.values() for each in named))
    names, history = _names(session, rows), _history(session, [row.id for row in rows])
    return [
        PromiseView(
            **_common(PromiseView, row),
            customer=names[row.customer_id],
            **_about(about.get(row.id, ()), owing),
            history=history.get(row.id, ()),
        )
        for row in rows
    ]


def plan_views(session: Session, rows: Sequence[Plan]) -> list[PlanView]:
    """Plans as they are read, whatever their number in so many statements; no rows ask for none."""
    if not rows:
        return []
    session.flush()
    ids = [row.id for row in rows]
    about, instalments = named_by_plans(session, ids), repository.instalments_of(session, ids)
    owing = owing_of(session, (each for named in about.values() for each in named))
    names, history = _names(session, rows), _history(session, ids)
    return [
        PlanView(
            **_common(PlanView, row),
            customer=names[row.customer_id],
            **_about(about.get(row.id, ()), owing),
            instalments=tuple(InstalmentView(**_common(InstalmentView, each)) for each in instalments.get(row.id, ())),
            history=history.get(row.id, ()),
        )
        for row in rows
    ]


def dispute_views(session: Session, rows: Sequence[Dispute]) -> list[DisputeView]:
    """Disputes as they are read, whatever their number in six statements; no rows ask for none."""
    if not rows:
        return []
    session.flush()
    invoice_ids = {row.invoice_id for row in rows}
    owed = owed_of(session, invoice_ids)
    customers = customers_of_invoices(session, invoice_ids)
    names = {key: row.name for key, row in customers_by_id(session, customers.values()).items()}
    owners = _owners(session, rows)
    history = _history(session, [row.id for row in rows])
    return [
        DisputeView(
            **_common(DisputeView, row),
            number=owed[row.invoice_id].invoice.number,
            currency=owed[row.invoice_id].invoice.currency,
            contested=_contested(row, owed[row.invoice_id]),
            customer_id=customers.get(row.invoice_id),
            customer=_customer(row, customers, names, owed),
            reason_label=reason_label(row.reason, row.opened_on),
            owner=owners.get(row.owner_id, "") if row.owner_id else "",
            history=history.get(row.id, ()),
        )
        for row in rows
    ]


def _common(view: type[_View], row: object) -> dict[str, object]:
    """The columns of a row that a view shows as they are."""
    return {name: getattr(row, name) for name in view.model_fields if hasattr(row, name)}


def _contested(row: Dispute, owed: Owed) -> Decimal:
    return Agreements(disputes=(disputed_of_row(row),)).disputed(row.invoice_id, owed.amount)


def _customer(row: Dispute, customers: dict[UUID, UUID], names: dict[UUID, str], owed: dict[UUID, Owed]) -> str:
    customer_id = customers.get(row.invoice_id)
    return names[customer_id] if customer_id else owed[row.invoice_id].invoice.buyer_name


def _names(session: Session, rows: Sequence[Promise] | Sequence[Plan]) -> dict[UUID, str]:
    return {key: row.name for key, row in customers_by_id(session, (row.customer_id for row in rows)).items()}


def _about(named: Iterable[Named], owing: Mapping[UUID, Owing]) -> dict[str, Any]:
    """What an agreement is about: invoices, and what only the books know."""
    every = [owing[each.item_id] for each in named]
    return {
        "invoices": tuple(InvoiceNamed(id=each.item_id, number=each.number) for each in every if each.invoice),
        "entries": tuple(EntryNamed(id=each.item_id, number=each.number) for each in every if not each.invoice),
    }


def _owners(session: Session, rows: Sequence[Dispute]) -> dict[UUID, str]:
    wanted = {row.owner_id for row in rows if row.owner_id}
    return dict(session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all()) if wanted else {}


def _history(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[LineView, ...]]:
    return {key: tuple(map(_line, lines)) for key, lines in lines_of(session, ids).items()}


def _line(row: AgreementLine) -> LineView:
    return LineView(at=row.at, by=row.by, step=Step(row.step), text=row.text, event_id=row.event_id)
