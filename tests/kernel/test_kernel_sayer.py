"""Facts in words: each language writes days, amounts and numbers in its own way, and nothing is rounded unasked."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.sayer import ENGLISH, FRENCH, filled, in_both
from gateway.kernel.text import Text

DAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("said", "french", "english"),
    [
        (lambda say: say.day(DAY), "5 octobre 2026", "5 October 2026"),
        (lambda say: say.short_day(DAY), "5 oct. 2026", "5 Oct 2026"),
        (lambda say: say.figures(DAY), "05/10/2026", "05/10/2026"),
        (lambda say: say.moment(datetime(2026, 10, 5, 12, 5, tzinfo=UTC)), "5 oct. 2026, 14:05", "5 Oct 2026, 14:05"),
        (lambda say: say.money(Decimal("1234.5"), "EUR"), "1 234,50 €", "€1,234.50"),
        (lambda say: say.number(Decimal("12.3456")), "12,3456", "12.3456"),
        (lambda say: say.number(Decimal("1234.56789"), decimals=4), "1 234,5679", "1,234.5679"),
        (lambda say: say.number(Decimal("112.4"), decimals=0), "112", "112"),
        (lambda say: say.percent(Decimal("0.35")), "35 %", "35%"),
    ],
)
def test_each_language_says_a_fact_in_its_own_way(said, french, english):
    text = in_both(said)
    assert (" ".join(text.fr.split()), text.en) == (french, english)


def test_french_says_the_first_day_of_a_month_as_an_ordinal():
    first, last_evening_of_may = date(2026, 12, 1), datetime(2026, 5, 31, 22, 30, tzinfo=UTC)
    assert (FRENCH.day(first), ENGLISH.day(first)) == ("1er décembre 2026", "1 December 2026")
    assert FRENCH.short_day(first) == "1er déc. 2026"
    assert FRENCH.moment(last_evening_of_may) == "1er juin 2026, 00:30"
    assert FRENCH.day(date(2026, 12, 11)) == "11 décembre 2026"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_an_amount_is_never_rounded_when_it_is_said(amount):
    written = "".join(each for each in ENGLISH.money(amount, "EUR") if each not in "€,")
    assert Decimal(written) == amount


def test_a_currency_that_is_no_code_is_said_as_it_was_written():
    assert FRENCH.money(Decimal("5"), "ECU?").endswith("ECU?")


@pytest.mark.parametrize(("count", "french", "english"), [(0, True, False), (1, True, True), (2, False, False)])
def test_each_language_counts_as_it_does(count, french, english):
    assert (FRENCH.is_one(count), ENGLISH.is_one(count)) == (french, english)


def test_a_sentence_is_filled_in_both_languages_and_what_fills_it_is_never_a_placeholder():
    sentence = Text("Dû par {who} le {day}.", "Owed by {who} on {day}.")
    text = filled(sentence, lambda say: {"who": "{day}", "day": say.day(DAY)})
    assert text == Text("Dû par {day} le 5 octobre 2026.", "Owed by {day} on 5 October 2026.")
