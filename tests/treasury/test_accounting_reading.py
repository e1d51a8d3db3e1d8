"""A file of entries is read as it comes: each entry whole, or refused with its line, column and value."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.customers.importing import RefusedCell
from gateway.treasury.accounting.entries import Entry, Nature, customer_lines
from gateway.treasury.accounting.errors import UnreadableAccountingFileError
from gateway.treasury.accounting.reading import read_entries
from tests.treasury.making_books import HEADER, fec, row


def read(text, encoding="utf-8"):
    return list(read_entries(BytesIO(text.encode(encoding))))


def lines_of(found):
    return [line for entry in found if isinstance(entry, Entry) for line in customer_lines(entry)]


SALE = (
    row("VE", "1", "411000", "120,00", piece="F1", aux="C001", name="Bâtir Ensemble"),
    row("VE", "1", "706000", credit="100,00", piece="F1"),
    row("VE", "1", "445710", credit="20,00", piece="F1"),
)


def test_a_sale_is_an_invoice_of_the_customer():
    (line,) = lines_of(read(fec(*SALE)))
    assert (line.nature, line.account, line.told.piece) == (Nature.INVOICE, "C001", "F1")
    assert (line.told.amount, line.day) == (Decimal("120.00"), date(2026, 10, 1))


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [("\t", "utf-8"), ("|", "utf-8"), (";", "utf-8"), ("\t", "utf-8-sig"), ("\t", "iso8859-15"), ("|", "cp1252")],
)
def test_separators_and_encodings_tell_the_same(separator, encoding):
    (line,) = lines_of(read(fec(*SALE, separator=separator), encoding))
    assert (line.told.auxiliary_name, line.told.amount) == ("Bâtir Ensemble", Decimal("120.00"))


def test_amount_and_side_tell_the_same_as_debit_and_credit():
    titles = ["Montant" if each == "Debit" else "Sens" if each == "Credit" else each for each in HEADER]
    rows = [
        {**each, "Montant": each["Debit"] or each["Credit"], "Sens": "D" if each["Debit"] else "C"} for each in SALE
    ]
    assert lines_of(read(fec(*rows, header=titles))) == lines_of(read(fec(*SALE)))


def test_a_table_with_the_same_facts_in_plain_words_is_read():
    text = (
        "Journal;Numéro d'écriture;Date;Compte;Compte client;Facture;Débit;Crédit\n"
        "VE;1;01/10/2026;411000;C001;F1;1 120,00;\nVE;1;01/10/2026;706000;;F1;;1 120,00\n"
    )
    (line,) = lines_of(read(text))
    assert (line.told.amount, line.day, line.account) == (Decimal("1120.00"), date(2026, 10, 1), "C001")


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"Debit": "12O,00"}, "Debit"),
        ({"Debit": "120,001"}, "Debit"),
        ({"CompteNum": ""}, "CompteNum"),
        ({"DateLet": "20261301"}, "DateLet"),
        ({"EcritureDate": "2026100"}, "EcritureDate"),
        ({"EcritureDate": ""}, "EcritureDate"),
        ({"EcritureNum": ""}, "EcritureNum"),
        ({"JournalCode": ""}, "JournalCode"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_next_entry_is_taken(change, column):
    broken = [{**SALE[0], **change}, *({**each, **_entry_part(change)} for each in SALE[1:])]
    good = [{**each, "EcritureNum": "2"} for each in SALE]
    found = read(fec(*broken, *good))
    refused = [each for each in found if isinstance(each, RefusedCell)]
    (value,) = change.values()
    assert [(each.line, each.column, each.value) for each in refused] == [(2, column, value)]
    assert [each.number for each in found if isinstance(each, Entry)] == ["2"]


def _entry_part(change):
    return {name: value for name, value in change.items() if name in ("EcritureDate", "EcritureNum", "JournalCode")}


def test_an_entry_that_does_not_balance_is_refused():
    (refused,) = read(fec(SALE[0], SALE[1]))
    assert (refused.line, refused.column, refused.value) == (2, "EcritureNum", "1")


@pytest.mark.parametrize("text", ["", "a;b\n1;2\n", "JournalCode\tEcritureNum\tEcritureDate\tCompteNum\n"])
def test_a_file_without_the_columns_is_unreadable(text):
    with pytest.raises(UnreadableAccountingFileError):
        read(text)


@pytest.mark.parametrize("data", [b"\x00\x01", b"JournalCode" * 10_000], ids=["binary", "endless line"])
def test_a_file_that_is_no_text_is_unreadable(data):
    with pytest.raises(UnreadableAccountingFileError):
        list(read_entries(BytesIO(data)))


@pytest.mark.parametrize(
    ("others", "debit", "nature"),
    [
        ({"512000": "120,00"}, "", Nature.PAYMENT),
        ({"512000": "119,00", "627000": "1,00"}, "", Nature.PAYMENT),
        ({"706000": "120,00"}, "", Nature.CREDIT_NOTE),
        ({"654000": "100,00", "445710": "20,00"}, "", Nature.LOSS),
        ({"512000": "118,00", "665000": "2,00"}, "", Nature.OTHER),
        ({"467000": "120,00"}, "", Nature.OTHER),
        ({"512000": "120,00"}, "120,00", Nature.REFUND),
        ({"419100": "100,00", "445710": "20,00"}, "120,00", Nature.INVOICE),
    ],
)
def test_the_other_accounts_say_why_a_customer_account_moves(others, debit, nature):
    rows = [row("X", "1", "411000", debit, credit="" if debit else "120,00", aux="C001")]
    rows += [row("X", "1", account, *(("", amount) if debit else (amount, ""))) for account, amount in others.items()]
    (line,) = lines_of(read(fec(*rows)))
    assert line.nature is nature


def test_what_was_open_when_the_year_began_is_no_new_invoice():
    opening = [{**each, "JournalCode": "AN"} for each in SALE]
    (line,) = lines_of(read(fec(*opening)))
    assert line.nature is Nature.CARRIED_FORWARD


def test_lines_alike_of_one_entry_are_two_lines():
    twice = (SALE[0], SALE[0], row("VE", "1", "706000", credit="240,00"))
    first, second = lines_of(read(fec(*twice)))
    assert first.key != second.key


@given(data=st.binary(max_size=400), after_header=st.booleans())
def test_any_bytes_are_read_or_refused_by_name(data, after_header):
    content = fec().encode() + data if after_header else data
    with suppress(UnreadableAccountingFileError):
        for each in read_entries(BytesIO(content)):
            assert isinstance(each, (Entry, RefusedCell))
