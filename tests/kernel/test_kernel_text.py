"""Texts for people: French marks that stay with their words; for a terminal, nothing that acts on it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.sayer import FRENCH, PageSayer, Sayer
from gateway.kernel.text import Text, french_spaces, one_line, printable


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Motif : prix", "Motif_: prix"),
        ("Voir :", "Voir_:"),
        (" : ", "_: "),
        ("Reste « {number} » ; {share} % ?", "Reste «_{number}_»~; {share}~%~?"),
        ("Vraiment ?!", "Vraiment~?!"),
        ("(« prêt » : 5,5 %).", "(«_prêt_»_: 5,5~%)."),
        ("« ? »", "«_?_»"),
    ],
)
def test_a_french_mark_does_not_leave_its_word(written, shown):
    assert french_spaces(written) == shown.replace("_", "\u00a0").replace("~", "\u202f")


@pytest.mark.parametrize("written", ["à 14:05", "https://a.example/x?y=1", "12 %d", "plan :param", "sans marque", ""])
def test_what_is_no_mark_of_a_sentence_stays_as_it_is(written):
    assert french_spaces(written) == written


@given(st.text("aé« »:;?!%.,\n\u00a0\u202f", max_size=30))
def test_setting_a_text_twice_changes_nothing_and_only_spaces_change(written):
    once = french_spaces(written)
    assert french_spaces(once) == once
    assert all(a == b or (a == " " and b in "\u00a0\u202f") for a, b in zip(written, once, strict=True))


def test_a_page_says_a_sentence_in_its_language_and_a_program_gets_it_as_written():
    sentence = Text("Reste : {n}", "Left: {n}")
    assert (PageSayer("fr").say(sentence), PageSayer("en").say(sentence)) == ("Reste\u00a0: {n}", "Left: {n}")
    assert Sayer("fr").say(sentence) == sentence.in_language("fr") == "Reste : {n}"


def test_one_line_keeps_the_spaces_that_do_not_break():
    assert one_line(" a \r\n b\u00a0: 1\u202f000\t") == "a b\u00a0: 1\u202f000"


def test_an_amount_and_a_sentence_are_printed_as_french_writes_them():
    written = f"Échu : {FRENCH.money(Decimal('12345.60'), 'EUR')} « à régler »"
    assert printable(written) == written


def test_what_could_act_on_a_terminal_is_spelt_out():
    assert printable("a\x1b[31mb\nc\u202ed") == "a\\x1b[31mb\\nc\\u202ed"


def test_bytes_that_are_no_text_are_spelt_out():
    assert printable("facture-\udce9.xml") == "facture-\\xe9.xml"
