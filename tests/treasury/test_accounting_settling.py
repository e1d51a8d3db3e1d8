"""What the books alone settle is paid by the payments in its letter, on their days, and by nothing else."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.treasury.accounting.entries import Nature
from gateway.treasury.accounting.settling import Line, Outcome, settle

TODAY = date(2027, 3, 1)
SOLD, PAID, PAID_LATER = date(2026, 6, 1), date(2026, 10, 8), date(2026, 10, 20)


def line(nature, amount, day=SOLD, letter="A", piece="V1"):
    return Line(uuid4(), day, nature, piece, Decimal(amount), "", letter, PAID_LATER if letter else None)


def settled(*lines):
    """What becomes of each line: its outcome, what was paid of it, and when."""
    decisions = settle(lines, [], customer_known=True, currency="EUR", today=TODAY)
    return [(each.outcome, each.paid, each.paid_on) for each in decisions]


SALE = (Nature.INVOICE, "500.00")


@pytest.mark.parametrize(
    ("others", "paid", "paid_on"),
    [
        ([(Nature.PAYMENT, "-500.00", PAID)], "500.00", PAID),
        ([(Nature.PAYMENT, "-200.00", PAID), (Nature.PAYMENT, "-300.00", PAID_LATER)], "500.00", PAID_LATER),
        ([(Nature.CREDIT_NOTE, "-200.00", SOLD), (Nature.PAYMENT, "-300.00", PAID)], "300.00", PAID),
        ([(Nature.CREDIT_NOTE, "-500.00", PAID)], None, None),
        ([(Nature.LOSS, "-500.00", PAID)], None, None),
    ],
)
def test_only_money_pays_and_the_last_of_it_gives_the_day(others, paid, paid_on):
    (first, *_) = settled(line(*SALE), *(line(nature, amount, day) for nature, amount, day in others))
    assert first == (Outcome.SETTLED, None if paid is None else Decimal(paid), paid_on)


def test_the_oldest_debt_of_a_letter_is_paid_first():
    sold = [line(*SALE, SOLD + timedelta(days=each), piece=f"V{each}") for each in (1, 0)]
    money = [line(Nature.PAYMENT, "-500.00", PAID), line(Nature.PAYMENT, "-500.00", PAID_LATER)]
    (newer, older, *_) = settled(*sold, *money)
    assert (older[2], newer[2]) == (PAID, PAID_LATER)


def test_an_open_debt_was_paid_by_nobody():
    assert settled(line(*SALE, letter="")) == [(Outcome.OPENING, None, None)]


def test_what_was_carried_forward_and_paid_in_the_next_year_is_paid_in_the_year_it_was_sold():
    carried = line(Nature.CARRIED_FORWARD, "500.00", date(2027, 1, 1))
    (first, *_) = settled(line(*SALE, letter=""), carried, line(Nature.PAYMENT, "-500.00", date(2027, 2, 3)))
    assert first == (Outcome.SETTLED, Decimal("500.00"), date(2027, 2, 3))


CENTS = st.integers(1, 100_000).map(lambda cents: Decimal(cents) / 100)


@given(st.lists(CENTS, min_size=1, max_size=5), st.lists(CENTS, max_size=4), st.randoms(use_true_random=False))
def test_the_payments_of_a_letter_pay_its_debts_to_the_cent(debts, payments, chance):
    lines = [line(Nature.INVOICE, each, SOLD + timedelta(days=place)) for place, each in enumerate(debts)]
    lines += [line(Nature.PAYMENT, -each, PAID + timedelta(days=place)) for place, each in enumerate(payments)]
    rest = sum((each.amount for each in lines), Decimal(0))
    if rest:
        nature = Nature.CREDIT_NOTE if rest > 0 else Nature.INVOICE
        lines.append(line(nature, -rest, PAID))
    chance.shuffle(lines)
    decisions = settle(lines, [], customer_known=True, currency="EUR", today=TODAY)
    by_id = {each.id: each.amount for each in lines}
    paid = {each.line_id: each.paid for each in decisions if each.paid}
    assert all(0 < amount <= by_id[line_id] for line_id, amount in paid.items())
    assert sum(paid.values(), Decimal(0)) == sum(payments, Decimal(0))
