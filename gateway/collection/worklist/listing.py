"""The worklist of a person: what is wanted of it, how much there is, a page at a time. Pure."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from gateway.collection.worklist.policy import WorklistPolicy
from gateway.collection.worklist.ranking import Matter, Place, Ranked, place, rank
from gateway.database.errors import InvalidCursorError
from gateway.database.paging import Page


@dataclass(frozen=True, slots=True)
class WorklistFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        person: of one person: given to them, or of a customer they follow and given to nobody.
        unowned: given to nobody, of a customer whom nobody follows.
        agency_id: about that agency. customer_id: about that customer.
        key_accounts_only: about key accounts.
        teams, kinds: values as stored.
        later: only what comes back another day after a call, instead of what is to be done today.
        text: part of the title, the explanation or the customer's name, in any case.
    """

    person: UUID | None = None
    unowned: bool = False
    agency_id: UUID | None = None
    customer_id: UUID | None = None
    key_accounts_only: bool = False
    teams: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    later: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of lines, and how much there is in all of what is wanted.

    Attributes:
        total: lines wanted. later: lines that would be wanted on another day. overdue: past their deadline.
        by_kind, by_team: lines wanted of each.
    """

    page: Page[Ranked]
    total: int
    later: int
    overdue: int
    by_kind: Mapping[str, int]
    by_team: Mapping[str, int]


def worklist_of(
    found: Iterable[Matter],
    wanted: WorklistFilter,
    today: date,
    policy: WorklistPolicy,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Worklist:
    """The lines wanted, the most expected cash first, after `cursor`. Raises InvalidCursorError."""
    kept = [each for each in found if _wanted(each, wanted)]
    waiting = [each for each in kept if _comes_back_later(each, today)]
    lines = rank(
        (each for each in kept if _comes_back_later(each, today) == wanted.later),
        today,
        policy,
    )
    return Worklist(
        page=_page(lines, cursor, limit),
        total=len(lines),
        later=len(waiting),
        overdue=sum(1 for each in lines if each.matter.due_on is not None and each.matter.due_on < today),
        by_kind=Counter(each.matter.kind for each in lines),
        by_team=Counter(each.matter.team for each in lines),
    )


def _comes_back_later(matter: Matter, today: date) -> bool:
    return matter.back_on is not None and matter.back_on > today


def _wanted(matter: Matter, wanted: WorklistFilter) -> bool:
    owner = matter.assigned_to or matter.collector_id
    return (
        (wanted.person is None or owner == wanted.person)
        and not (wanted.unowned and owner is not None)
        and (wanted.agency_id is None or wanted.agency_id in matter.agencies)
        and (wanted.customer_id is None or wanted.customer_id == matter.customer_id)
        and (not wanted.key_accounts_only or matter.is_key_account)
        and (not wanted.teams or matter.team in wanted.teams)
        and (not wanted.kinds or matter.kind in wanted.kinds)
        and _says(matter, wanted.text.strip().casefold())
    )


def _says(matter: Matter, sought: str) -> bool:
    if not sought:
        return True
    title, explanation = matter.title, matter.explanation
    said = (title.fr, title.en, explanation.fr, explanation.en, matter.customer_name, matter.customer_siren or "")
    return any(sought in each.casefold() for each in said)


def _page(lines: Sequence[Ranked], cursor: str | None, limit: int) -> Page[Ranked]:
    if cursor is not None:
        seen = _read(cursor)
        lines = [each for each in lines if place(each) > seen]
    shown = list(lines[:limit])
    return Page(shown, _written(place(shown[-1])) if len(lines) > limit else None)


def _written(seen: Place) -> str:
    return urlsafe_b64encode(json.dumps([str(part) for part in seen]).encode()).decode().rstrip("=")


def _read(cursor: str) -> Place:
    try:
        expected, due_on, since, source, matter_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not Decimal(expected).is_finite():
            raise InvalidCursorError(cursor)
        return (
            Decimal(expected), date.fromisoformat(due_on), date.fromisoformat(since), str(source), UUID(matter_id)
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError, InvalidOperation) as error:
        raise InvalidCursorError(cursor) from error
