"""The invented companies carry identifiers that the public algorithms accept."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import bic, iban, luhn
from stdnum.eu import at_02
from stdnum.fr import siren, siret, tva

from fixtures.companies import Company, make_customers, make_seller

SEEDS = st.integers(0, 10**9)


def _assert_valid_identifiers(company: Company) -> None:
    assert siren.is_valid(company.siren)
    assert siret.is_valid(company.siret)
    assert company.siret.startswith(company.siren)
    assert tva.is_valid(company.vat_number)
    assert company.vat_number.endswith(company.siren)
    assert iban.is_valid(company.iban)
    assert bic.is_valid(company.bic)
    assert at_02.is_valid(company.creditor_id)
    assert company.e_address.startswith(company.siren)


@given(SEEDS)
def test_a_seller_and_its_agencies_have_valid_identifiers(seed: int) -> None:
    seller = make_seller(seed)
    _assert_valid_identifiers(seller)
    assert len({agency.siret for agency in seller.agencies}) == 28
    assert len({agency.code for agency in seller.agencies}) == 28
    for agency in seller.agencies:
        assert siret.is_valid(agency.siret)
        assert agency.siret.startswith(seller.siren)


@given(SEEDS, st.integers(1, 60))
def test_customers_are_distinct_and_have_valid_identifiers(seed: int, count: int) -> None:
    customers = make_customers(seed, count)
    assert len({customer.siren for customer in customers}) == count
    assert len({customer.name for customer in customers}) == count
    for customer in customers:
        _assert_valid_identifiers(customer)


@given(SEEDS)
def test_the_french_account_key_inside_the_iban_is_right(seed: int) -> None:
    """The RIB rule: bank, branch, account and key, read as one number, are divisible by 97."""
    assert int(make_seller(seed, agencies=1).iban[4:]) % 97 == 0


def test_the_same_seed_gives_the_same_companies_and_another_seed_others() -> None:
    assert make_seller(7) == make_seller(7)
    assert make_customers(7, 20) == make_customers(7, 20)
    assert make_seller(7).siren != make_seller(8).siren


def test_a_seller_cannot_have_more_agencies_than_there_are_towns() -> None:
    with pytest.raises(ValueError, match="not 33"):
        make_seller(1, agencies=33)


@given(SEEDS)
def test_a_digit_changed_is_noticed(seed: int) -> None:
    """The identifiers are not valid by luck: Luhn refuses each with one digit changed."""
    rng = Random(seed)
    number = make_seller(seed, agencies=1).siret
    place = rng.randrange(14)
    other = number[:place] + str((int(number[place]) + rng.randint(1, 9)) % 10) + number[place + 1 :]
    assert not luhn.is_valid(other)
