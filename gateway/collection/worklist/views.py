"""Lines of the worklist, calls and comments, as programs read them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.collection.worklist.listing import Worklist
from gateway.collection.worklist.model import CollectionCall, MatterComment
from gateway.collection.worklist.ranking import Ranked, Source


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LineView(_View):
    """One thing to do."""

    source: Source
    id: UUID = Field(description="Of the action, the reminder or the call it comes from")
    kind: str
    title_fr: str
    title_en: str
    explanation_fr: str
    explanation_en: str
    why_fr: str = Field(description="Why it stands at this place")
    why_en: str
    expected: Decimal = Field(description="Expected cash in rough euros: for the order only")
    team: str
    customer_id: UUID | None
    customer_name: str
    invoice_id: UUID | None
    amount: Decimal | None = Field(description="At stake, VAT included")
    currency: str | None
    since: date
    due_on: date | None
    assigned_to: UUID | None
    collector_id: UUID | None
    calls: int = Field(description="Made in vain so far")
    back_on: date | None

    @classmethod
    def of(cls, line: Ranked) -> "LineView":
        """The view of a line."""
        matter, why = line.matter, line.why
        same = ("source", "id", "kind", "team", "customer_id", "customer_name", "invoice_id", "amount", "currency")
        rest = ("since", "due_on", "assigned_to", "collector_id", "calls", "back_on")
        return cls(
            title_fr=matter.title.fr,
            title_en=matter.title.en,
            explanation_fr=matter.explanation.fr,
            explanation_en=matter.explanation.en,
            why_fr=why.fr,
            why_en=why.en,
            expected=line.expected,
            **{name: getattr(matter, name) for name in (*same, *rest)},
        )


class WorklistView(_View):
    """A page of the worklist, and how much there is in all."""

    lines: tuple[LineView, ...]
    total: int
    later: int = Field(description="Lines that come back another day, after a call")
    overdue: int
    by_kind: dict[str, int]
    by_team: dict[str, int]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Worklist) -> "WorklistView":
        """The view of a page."""
        return cls(
            lines=tuple(LineView.of(each) for each in found.page.items),
            total=found.total,
            later=found.later,
            overdue=found.overdue,
            by_kind=dict(sorted(found.by_kind.items())),
            by_team=dict(sorted(found.by_team.items())),
            next_cursor=found.page.next_cursor,
        )


class CallView(_View):
    """A call and what came of it."""

    id: UUID
    customer_id: UUID
    source: str | None
    matter_id: UUID | None
    outcome: str
    contact: str
    note: str
    back_on: date | None
    agreement_id: UUID | None = Field(description="The promise or the dispute that was recorded")
    at: datetime
    made_by: str

    @classmethod
    def of(cls, row: CollectionCall) -> "CallView":
        """The view of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class CommentView(_View):
    """What someone wrote."""

    id: UUID
    subject: str
    subject_id: UUID
    text: str
    mentioned: tuple[UUID, ...]
    at: datetime
    author: str
    author_name: str

    @classmethod
    def of(cls, row: MatterComment) -> "CommentView":
        """The view of a row."""
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "mentioned"}
        return cls(mentioned=tuple(UUID(each) for each in row.mentioned), **fields)


class CallList(_View):
    """The latest calls, the newest first."""

    calls: tuple[CallView, ...]

    @classmethod
    def of(cls, rows: Sequence[CollectionCall]) -> "CallList":
        """The view of rows."""
        return cls(calls=tuple(CallView.of(each) for each in rows))


class CommentList(_View):
    """The latest comments, the newest first."""

    comments: tuple[CommentView, ...]

    @classmethod
    def of(cls, rows: Sequence[MatterComment]) -> "CommentList":
        """The view of rows."""
        return cls(comments=tuple(CommentView.of(each) for each in rows))
