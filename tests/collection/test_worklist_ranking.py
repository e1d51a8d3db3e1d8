"""The order of the worklist: total, steady, more money or more chance never lower; the list page by page. Pure."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.decisions import ActionKind
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.collection.worklist.ranking import Matter, Source, place, rank, ranked
from gateway.database.errors import InvalidCursorError
from gateway.kernel.text import Text

TODAY = date(2026, 10, 7)
POLICY = worklist_policy(TODAY)
KINDS = sorted(POLICY.chance)
days = st.dates(TODAY - timedelta(days=90), TODAY + timedelta(days=90))
amounts = st.decimals("-1000000", "1000000", places=2)
lines = st.builds(
    Matter,
    source=st.sampled_from(Source),
    id=st.uuids(),
    kind=st.sampled_from([*KINDS, "unheard_of"]),
    title=st.just(Text("Appeler", "Call")),
    explanation=st.just(Text("", "")),
    team=st.sampled_from(["ar", "sales"]),
    since=st.dates(TODAY - timedelta(days=90), TODAY),
    amount=st.none() | amounts,
    currency=st.sampled_from(["EUR", "USD", "JPY", "XOF"]),
    due_on=st.none() | days,
    calls=st.integers(0, 5),
    back_on=st.none() | days,
)
many = st.lists(lines, unique_by=lambda line: line.id, max_size=12)


def line(**changes):
    usual = {
        "source": Source.ACTION, "id": UUID(int=1), "kind": "call", "title": Text("Appeler Durand", "Call Durand"),
        "explanation": Text("", ""), "team": "ar", "since": TODAY, "amount": Decimal("1000.00"), "currency": "EUR",
    }  # fmt: skip
    return Matter(**usual | changes)


@given(many, st.randoms())
def test_the_order_is_the_same_however_the_matters_come_in(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert rank(shuffled, TODAY, POLICY) == rank(found, TODAY, POLICY)
    assert len({place(each) for each in rank(found, TODAY, POLICY)}) == len(found)


@given(many.filter(bool), st.decimals("0.01", "1000000", places=2))
def test_more_money_never_ranks_lower(found, more):
    first = found[0] if found[0].amount is not None else replace(found[0], amount=Decimal(0))
    richer = replace(first, amount=abs(first.amount) + more)
    others = found[1:]
    before = [each.matter.id for each in rank([first, *others], TODAY, POLICY)].index(first.id)
    after = [each.matter.id for each in rank([richer, *others], TODAY, POLICY)].index(first.id)
    assert after <= before


@given(many.filter(bool), st.sampled_from(KINDS), st.integers(0, 5))
def test_more_chance_never_ranks_lower(found, kind, calls):
    first, others = found[0], found[1:]
    likelier = replace(first, kind=kind, calls=calls)
    if ranked(likelier, TODAY, POLICY).chance < ranked(first, TODAY, POLICY).chance:
        first, likelier = likelier, first
    before = [each.matter.id for each in rank([first, *others], TODAY, POLICY)].index(first.id)
    after = [each.matter.id for each in rank([likelier, *others], TODAY, POLICY)].index(first.id)
    assert after <= before


@given(many, st.integers(1, 5), st.booleans())
def test_pages_give_every_line_once_in_the_order_of_the_whole(found, limit, later):
    wanted = WorklistFilter(later=later)
    whole = worklist_of(found, wanted, TODAY, POLICY, limit=500)
    seen, cursor = [], None
    while True:
        part = worklist_of(found, wanted, TODAY, POLICY, cursor=cursor, limit=limit)
        assert len(part.page.items) <= limit
        assert part.total == whole.total == sum(whole.by_kind.values()) == sum(whole.by_team.values())
        seen += part.page.items
        cursor = part.page.next_cursor
        if cursor is None:
            break
    assert seen == whole.page.items
    assert whole.total + worklist_of(found, replace(wanted, later=not later), TODAY, POLICY).total == len(found)


def test_a_late_call_is_worth_more_than_the_same_one_in_time_and_each_call_in_vain_less():
    in_time, late = line(due_on=TODAY + timedelta(days=9)), line(due_on=TODAY - timedelta(days=1))
    assert ranked(in_time, TODAY, POLICY).expected == Decimal("450.00")  # 1,000.00 x 45 %
    assert ranked(late, TODAY, POLICY).expected == Decimal("675.00")  # x 1.5
    assert ranked(line(calls=2), TODAY, POLICY).expected == Decimal("220.50")  # x 0.7 x 0.7
    assert ranked(line(since=TODAY - timedelta(days=30)), TODAY, POLICY).expected == Decimal("562.50")  # x 1.25


def test_each_place_is_explained_in_one_line_of_both_languages():
    why = ranked(line(due_on=TODAY, since=TODAY - timedelta(days=12), calls=1), TODAY, POLICY).why
    assert why.fr.replace("\u202f", " ").replace("\xa0", " ") == (
        "1 000,00 € × 32 % de chances, à faire aujourd’hui (× 1,3), attend depuis 12 jours (× 1,1), 1 appel sans suite"
    )
    assert why.en == ("€1,000.00 × 32% chance, due today (× 1.3), waiting for 12 days (× 1.1), 1 call in vain")
    assert "montant inconnu" in ranked(line(amount=None), TODAY, POLICY).why.fr


def test_every_kind_of_action_has_its_chance_and_every_outcome_its_name():
    assert {kind.value for kind in ActionKind} <= set(POLICY.chance)
    assert all(outcome.label.fr and outcome.label.en for outcome in CallOutcome)
    assert POLICY.back_on(CallOutcome.NO_ANSWER, date(2026, 10, 9)) == date(2026, 10, 12)  # Friday, then Monday
    assert POLICY.back_on(CallOutcome.PROMISE, TODAY) is None


ME, AGENCY, CUSTOMER = UUID(int=7), UUID(int=8), UUID(int=9)


@pytest.mark.parametrize(
    ("wanted", "fits", "does_not"),
    [
        ({"person": ME}, {"assigned_to": ME}, {"assigned_to": UUID(int=3), "collector_id": ME}),
        ({"person": ME}, {"collector_id": ME}, {}),
        ({"unowned": True}, {}, {"collector_id": ME}),
        ({"agency_id": AGENCY}, {"agencies": (AGENCY,)}, {}),
        ({"customer_id": CUSTOMER}, {"customer_id": CUSTOMER}, {}),
        ({"key_accounts_only": True}, {"is_key_account": True}, {}),
        ({"teams": ("ar",)}, {}, {"team": "sales"}),
        ({"kinds": ("call",)}, {}, {"kind": "chase"}),
        ({"text": "dURand"}, {}, {"title": Text("Autre", "Other")}),
        ({"text": "bâtir"}, {"customer_name": "Bâtir"}, {}),
        ({}, {"back_on": TODAY}, {"back_on": TODAY + timedelta(days=1)}),
    ],
)
def test_each_filter_keeps_what_fits_and_nothing_else(wanted, fits, does_not):
    found = [line(**fits), line(**{"id": UUID(int=2), **does_not})]
    kept = worklist_of(found, WorklistFilter(**wanted), TODAY, POLICY).page.items
    assert [each.matter.id for each in kept] == [UUID(int=1)]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJOYU4iXQ"])
def test_a_cursor_of_another_list_is_refused(cursor):
    with pytest.raises(InvalidCursorError):
        worklist_of([line()], WorklistFilter(), TODAY, POLICY, cursor=cursor)
