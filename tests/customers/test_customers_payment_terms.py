"""Agreed payment terms are read as people write them, dated as agreed, and held against the law."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.law.statute import statute
from gateway.customers.errors import LawFileError, RefusedValueError
from gateway.customers.payment_terms import (
    Lawfulness,
    PaymentTerms,
    TermKind,
    check_payment_terms,
    read_payment_terms,
)
from gateway.customers.statutory_terms import statutory_terms

ON = date(2026, 10, 1)
TERMS = st.builds(PaymentTerms, days=st.integers(0, 365), kind=st.sampled_from(list(TermKind)), periodic=st.booleans())


@given(TERMS)
def test_a_term_written_is_read_again(terms):
    assert read_payment_terms(str(terms)) == terms


@given(TERMS, st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_due_date_is_never_before_the_days_agreed_and_at_most_a_month_after(terms, issued):
    late = (terms.due_date(issued) - issued).days - terms.days
    assert 0 <= late <= 31
    if terms.kind is TermKind.NET:
        assert late == 0


@pytest.mark.parametrize(
    ("written", "days", "kind"),
    [
        ("30", 30, TermKind.NET),
        ("30 jours", 30, TermKind.NET),
        ("60 jours nets", 60, TermKind.NET),
        ("45 FDM", 45, TermKind.DAYS_THEN_END_OF_MONTH),
        ("45 jours fin de mois", 45, TermKind.DAYS_THEN_END_OF_MONTH),
        ("FDM+45", 45, TermKind.END_OF_MONTH_THEN_DAYS),
        ("EOM 45 days", 45, TermKind.END_OF_MONTH_THEN_DAYS),
    ],
)
def test_terms_are_read_as_people_write_them(written, days, kind):
    assert read_payment_terms(written) == PaymentTerms(days, kind)


@pytest.mark.parametrize("written", ["", "soon", "FDM 45 FDM", "366", "-30", "30/60"])
def test_what_is_no_term_is_refused(written):
    with pytest.raises(RefusedValueError):
        read_payment_terms(written)


def test_the_two_readings_of_end_of_month_give_their_own_dates():
    issued = date(2026, 1, 31)
    assert read_payment_terms("45 FDM").due_date(issued) == date(2026, 3, 31)
    assert read_payment_terms("FDM 45").due_date(issued) == date(2026, 3, 17)


@pytest.mark.parametrize(
    ("written", "is_public", "expected"),
    [
        ("60", False, Lawfulness.LAWFUL),
        ("61", False, Lawfulness.UNLAWFUL),
        ("45 FDM", False, Lawfulness.LAWFUL),
        ("FDM 45", False, Lawfulness.LAWFUL),
        ("46 FDM", False, Lawfulness.UNLAWFUL),
        ("45 P", False, Lawfulness.LAWFUL),
        ("46 P", False, Lawfulness.UNLAWFUL),
        ("30 FDM P", False, Lawfulness.UNLAWFUL),
        ("30", True, Lawfulness.LAWFUL),
        ("45", True, Lawfulness.DOUBTFUL),
        ("61", True, Lawfulness.UNLAWFUL),
        ("10 FDM", True, Lawfulness.UNLAWFUL),
    ],
)
def test_the_law_caps_terms(written, is_public, expected):
    verdict = check_payment_terms(read_payment_terms(written), ON, statutory_terms(), is_public=is_public)
    assert verdict.lawfulness is expected
    assert "art." in verdict.reason.fr


def test_no_cap_holds_for_a_consumer_and_none_is_known_before_the_law():
    long, law = read_payment_terms("120"), statutory_terms()
    assert check_payment_terms(long, ON, law, is_public=False, is_consumer=True).lawfulness is Lawfulness.LAWFUL
    assert check_payment_terms(long, date(2008, 1, 1), law, is_public=False).lawfulness is Lawfulness.DOUBTFUL


def test_a_newer_law_of_the_installation_caps_terms_from_its_day_on(tmp_path):
    file = tmp_path / "law.toml"
    file.write_text(
        """
        [[payment_term]]
        valid_from = 2027-01-01
        days = 30
        end_of_month_days = 30
        periodic_days = 30
        law = "loi à venir, art. 1"

        [[public_term]]
        valid_from = 2027-01-01
        days = { state = 20, health = 40 }
        law = "loi à venir, art. 2"
        """,
        encoding="utf-8",
    )
    law, terms = statutory_terms(file), read_payment_terms("45")

    def verdict(on: date, is_public: bool) -> Lawfulness:
        return check_payment_terms(terms, on, law, is_public=is_public).lawfulness

    assert verdict(date(2026, 12, 31), False) is Lawfulness.LAWFUL
    assert verdict(date(2027, 1, 1), False) is Lawfulness.UNLAWFUL
    assert verdict(date(2026, 12, 31), True) is Lawfulness.DOUBTFUL
    assert verdict(date(2027, 1, 1), True) is Lawfulness.UNLAWFUL
    assert statute(file).public_on(date(2027, 1, 1)).days["state"] == 20


def test_a_file_of_the_law_that_says_nonsense_is_named(tmp_path):
    file = tmp_path / "law.toml"
    file.write_text("[[public_term]]\nvalid_from = 2027-01-01\nlaw = 'x'\n", encoding="utf-8")
    with pytest.raises(LawFileError) as caught:
        statutory_terms(file)
    assert "public_term.0.days" in caught.value.what.fr
