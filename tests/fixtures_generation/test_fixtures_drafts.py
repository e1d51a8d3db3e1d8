"""Drafts add up, follow French law and are repeatable."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from fixtures.companies import make_customers, make_seller
from fixtures.content import InvoiceDraft
from fixtures.drafts import ON_RECEIPT, Kind, make_draft
from fixtures.goods import S10

SELLER = make_seller(1, agencies=3)
CUSTOMER = make_customers(1, 1)[0]
CENT = Decimal("0.01")


def draft_of(seed: int, kind: Kind, issue_date: date | None = None) -> InvoiceDraft:
    return make_draft(Random(seed), SELLER, SELLER.agencies[0], CUSTOMER, kind, issue_date=issue_date)


DRAFTS = st.builds(draft_of, st.integers(0, 10**9), st.sampled_from(Kind))


@given(DRAFTS)
def test_totals_are_those_a_person_would_add_up(draft: InvoiceDraft) -> None:
    net = sum((line.net_amount for line in draft.lines), Decimal(0))
    for one in draft.adjustments:
        net += one.amount if one.is_charge else -one.amount
    assert draft.net_total == net
    assert sum((group.base for group in draft.vat_breakdown), Decimal(0)) == net
    by_hand = sum(
        ((group.base * group.vat.rate / 100).quantize(CENT, ROUND_HALF_UP) for group in draft.vat_breakdown), Decimal(0)
    )
    assert draft.payable + draft.prepaid == net + by_hand


@given(DRAFTS)
def test_every_amount_has_two_decimals_and_nothing_is_negative(draft: InvoiceDraft) -> None:
    amounts = [draft.line_total, draft.net_total, draft.vat_total, draft.gross_total, draft.payable, draft.prepaid]
    amounts += [line.net_amount for line in draft.lines] + [one.amount for one in draft.adjustments]
    for amount in amounts:
        assert amount.as_tuple().exponent == -2
        assert amount >= 0


@given(DRAFTS)
def test_prices_and_quantities_keep_within_the_decimals_of_br_fr_dec(draft: InvoiceDraft) -> None:
    for line in draft.lines:
        assert line.quantity == round(line.quantity, 4) > 0
        assert line.net_price == round(line.net_price, 6) > 0
        assert line.gtin is None or ean.is_valid(line.gtin)


@given(DRAFTS)
def test_the_due_date_keeps_the_statutory_terms(draft: InvoiceDraft) -> None:
    """60 days, or 45 days then the end of the month: article L441-10 of the commercial code."""
    if draft.due_date is None:
        assert draft.is_credit_note
        return
    days = (draft.due_date - draft.issue_date).days
    month_ends = (draft.due_date + timedelta(days=1)).day == 1
    assert 0 <= days <= 60 or (month_ends and days <= 45 + 30)


@given(DRAFTS)
def test_numbers_keep_to_the_french_characters_and_length(draft: InvoiceDraft) -> None:
    for number in [draft.number, *([draft.preceding.number] if draft.preceding else [])]:
        assert re.fullmatch(r"[A-Za-z0-9+\-_/]{1,35}", number)


@given(DRAFTS)
def test_mandatory_notes_are_there_once(draft: InvoiceDraft) -> None:
    subjects = [note.subject for note in draft.notes]
    assert [subjects.count(code) for code in ("PMT", "PMD", "AAB", "BAR")] == [1, 1, 1, 1]
    assert all(note.text for note in draft.notes)


@pytest.mark.parametrize("kind", Kind)
def test_the_same_generator_gives_the_same_draft(kind: Kind) -> None:
    assert draft_of(5, kind) == draft_of(5, kind)
    assert draft_of(5, kind) != draft_of(6, kind)


@pytest.mark.parametrize(
    ("kind", "type_code", "process"),
    [
        (Kind.INVOICE, "380", "B1"),
        (Kind.CREDIT_NOTE, "381", "B1"),
        (Kind.CORRECTED, "384", "B1"),
        (Kind.DEPOSIT, "386", "B1"),
        (Kind.AFTER_DEPOSIT, "380", "B4"),
        (Kind.ALREADY_PAID, "380", "B2"),
        (Kind.SEVERAL_RATES, "380", "M1"),
        (Kind.ON_RECEIPTS, "380", "S1"),
    ],
)
def test_each_kind_has_its_type_code_and_framework(kind: Kind, type_code: str, process: str) -> None:
    draft = draft_of(3, kind)
    assert (draft.type_code, draft.process) == (type_code, process)


def test_kinds_show_what_they_are_for() -> None:
    rates = {group.vat.rate for group in draft_of(3, Kind.SEVERAL_RATES).vat_breakdown}
    assert {Decimal(rate) for rate in ("20", "10", "5.5", "2.1", "0")} == rates
    assert draft_of(3, Kind.ON_RECEIPTS).vat_point == ON_RECEIPT
    assert draft_of(3, Kind.ALREADY_PAID).payable == 0
    assert 0 < draft_of(3, Kind.AFTER_DEPOSIT).prepaid < draft_of(3, Kind.AFTER_DEPOSIT).gross_total
    assert draft_of(3, Kind.REVERSE_CHARGE).vat_total == 0
    assert draft_of(3, Kind.DIRECT_DEBIT).payment.mandate
    assert len(draft_of(3, Kind.LONG).lines) == 120
    for kind in (Kind.CREDIT_NOTE, Kind.CORRECTED, Kind.AFTER_DEPOSIT):
        draft = draft_of(3, kind)
        assert draft.preceding is not None
        assert draft.preceding.issue_date < draft.issue_date


def test_half_cents_round_up() -> None:
    draft = draft_of(3, Kind.DEPOSIT)
    line = replace(draft.lines[0], gross_price=Decimal("0.05"), vat=S10)  # 0.005 of VAT
    assert replace(draft, lines=(line,)).vat_total == Decimal("0.01")
    line = replace(draft.lines[0], gross_price=Decimal("0.125"))
    assert replace(draft, lines=(line,)).line_total == Decimal("0.13")
