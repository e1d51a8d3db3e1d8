"""Texts that a terminal shows: readable as people write them, and nothing that acts on the terminal."""

from decimal import Decimal

from gateway.kernel.sayer import FRENCH
from gateway.kernel.text import printable


def test_an_amount_and_a_sentence_are_printed_as_french_writes_them():
    written = f"Échu : {FRENCH.money(Decimal('12345.60'), 'EUR')} « à régler »"
    assert printable(written) == written


def test_what_could_act_on_a_terminal_is_spelt_out():
    assert printable("a\x1b[31mb\nc\u202ed") == "a\\x1b[31mb\\nc\\u202ed"


def test_bytes_that_are_no_text_are_spelt_out():
    assert printable("facture-\udce9.xml") == "facture-\\xe9.xml"
