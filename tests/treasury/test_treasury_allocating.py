"""What of a receipt pays what: by VAT rate, within what is open, and never counted twice."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.treasury.allocating import NewReceipt, Part, require_room, require_sound, told, undeclared
from gateway.treasury.errors import (
    AllocationExceedsInvoiceError,
    AllocationExceedsReceiptError,
    ReceiptAmountError,
    ReceiptInTheFutureError,
)
from gateway.treasury.vat_split import split_by_rate

TODAY = date(2026, 11, 20)
CENTS = st.decimals("0.01", 100_000, places=2)
SIGNED = st.decimals(-100_000, 100_000, places=2).filter(bool)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "2.1", "5.5", "10", "20")])
TOTALS = st.dictionaries(RATES, CENTS, min_size=1)


def amounts(**by_rate):
    return {Decimal(rate.strip("r").replace("_", ".")): Decimal(amount) for rate, amount in by_rate.items()}


def part(amount, *, declared="0", reverses=None):
    return Part(uuid4(), uuid4(), uuid4(), TODAY, Decimal(amount), Decimal(declared), reverses)


def test_a_part_payment_is_split_like_the_invoice():
    split = split_by_rate(Decimal("50.00"), amounts(r20="120.00", r5_5="80.00"), {})
    assert split == amounts(r20="30.00", r5_5="20.00")


def test_a_refund_is_split_like_what_was_collected():
    split = split_by_rate(Decimal("-50.00"), amounts(r20="120.00", r5_5="80.00"), amounts(r20="100.00", r5_5="0.00"))
    assert split == amounts(r20="-50.00")


def test_a_credit_note_is_split_like_itself():
    split = split_by_rate(Decimal("-10.00"), amounts(r20="-60.00", r10="-40.00"), {})
    assert split == amounts(r20="-6.00", r10="-4.00")


def test_nothing_is_split_without_rates():
    assert split_by_rate(Decimal("10.00"), {}, {}) == {}


@given(SIGNED, st.dictionaries(RATES, SIGNED, min_size=1), st.dictionaries(RATES, SIGNED))
def test_the_parts_always_add_up_to_the_cent(amount, totals, collected):
    split = split_by_rate(amount, totals, collected)
    assert sum(split.values()) == amount or (split == {} and sum(totals.values()) == 0)
    assert split.keys() <= totals.keys()


@given(TOTALS, st.lists(st.integers(1, 100), min_size=1, max_size=6), st.booleans())
def test_payments_that_settle_an_invoice_settle_it_at_every_rate(totals, shares, credit_note):
    totals = {rate: -amount if credit_note else amount for rate, amount in totals.items()}
    due, collected = sum(totals.values()), {}
    left = due
    for place, share in enumerate(shares):
        last = place == len(shares) - 1
        payment = left if last else (left * share / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
        for rate, amount in split_by_rate(payment, totals, collected).items() if payment else ():
            collected[rate] = collected.get(rate, Decimal(0)) + amount
            assert abs(collected[rate]) <= abs(totals[rate])
        left -= payment
    assert collected == totals


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": Decimal("0.00")}, ReceiptAmountError),
        ({"amount": Decimal("10.001")}, ReceiptAmountError),
        ({"received_on": date(2026, 11, 21)}, ReceiptInTheFutureError),
        ({"allocations": {1: Decimal("100.01")}}, AllocationExceedsReceiptError),
        ({"allocations": {1: Decimal("60.00"), 2: Decimal("40.01")}}, AllocationExceedsReceiptError),
        ({"allocations": {1: Decimal("-1.00")}}, AllocationExceedsReceiptError),
        ({"allocations": {1: Decimal("0.00")}}, ReceiptAmountError),
    ],
)
def test_a_receipt_that_makes_no_sense_is_refused_by_name(change, error):
    sound = {"amount": Decimal("100.00"), "currency": "EUR", "received_on": TODAY, "reference": "VIR-1"}
    require_sound(NewReceipt(**sound, allocations={1: Decimal("120.00"), 2: Decimal("-20.00")}), TODAY)
    with pytest.raises(error):
        require_sound(NewReceipt(**{**sound, **change}), TODAY)


@pytest.mark.parametrize(
    ("amount", "due", "left", "fits"),
    [
        ("70.00", "120.00", "70.00", True),
        ("70.01", "120.00", "70.00", False),
        ("0.01", "120.00", "0.00", False),
        ("-50.00", "120.00", "70.00", True),
        ("-50.01", "120.00", "70.00", False),
        ("-20.00", "-20.00", "-20.00", True),
        ("-20.01", "-20.00", "-20.00", False),
        ("5.00", "-20.00", "-15.00", True),
        ("5.01", "-20.00", "-15.00", False),
        ("1.00", "120.00", "-5.00", False),
        ("-125.00", "120.00", "-5.00", True),
    ],
)
def test_an_invoice_takes_what_is_open_and_gives_back_what_came_in(amount, due, left, fits):
    def ask():
        require_room("F1", Decimal(amount), due=Decimal(due), open_amount=Decimal(left))

    if fits:
        ask()
    else:
        with pytest.raises(AllocationExceedsInvoiceError, match="F1"):
            ask()


def test_a_part_and_its_counter_entry_call_for_no_status():
    first = part("50.00")
    assert undeclared([first, part("-50.00", reverses=first.id)]) == {}


def test_what_was_told_of_a_reversed_part_is_to_be_told_back():
    first = part("50.00", declared="30.00")
    counter = part("-50.00", reverses=first.id)
    assert undeclared([first, counter]) == {counter.id: Decimal("-30.00")}


def test_a_212_tells_the_parts_in_order_and_no_more_than_each():
    first, second = part("50.00", declared="20.00"), part("40.00")
    left = undeclared([first, second])
    assert told(Decimal("45.00"), [first, second], left) == {first.id: Decimal("30.00"), second.id: Decimal("15.00")}
    assert told(Decimal("500.00"), [first, second], left) == left
    assert told(Decimal("-5.00"), [first, second], left) == {}


@given(st.lists(st.tuples(SIGNED, st.booleans()), max_size=8), SIGNED)
def test_a_212_never_tells_more_than_it_says_nor_more_than_came_in(received, amount):
    parts = [part(each) for each, _ in received]
    parts += [part(-each.amount, reverses=each.id) for each, (_, undone) in zip(parts, received, strict=True) if undone]
    left = undeclared(parts)
    assert sum(left.values()) == sum(each.amount for each in parts)
    shares = told(amount, parts, left)
    assert abs(sum(shares.values())) <= abs(amount)
    assert all(0 < share / left[each] <= 1 for each, share in shares.items())
    room = sum(each for each in left.values() if each * amount > 0)
    assert sum(shares.values()) == min(amount, room, key=abs)
