"""What is known of a customer: identifiers that hold, the directory, insolvency; limits and covers by the day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gateway.customers.credit import Cover, covered_on, credit_position
from gateway.customers.knowledge import Confidence, Identity, known_facts

SOUND = Identity(
    siren="732829320",
    siret="73282932000074",
    vat_number="FR44732829320",
    is_consumer=False,
    directory_state="addressable",
    insolvent_since=None,
)
DAY = date(2026, 10, 5)
PERMANENT = Cover(uuid4(), "Assureur", "P-1", Decimal("10000.00"), "EUR", date(2026, 1, 1), None)
TEMPORARY = replace(PERMANENT, reference="T-1", amount=Decimal("5000.00"), valid_from=DAY, valid_until=DAY)


def failing(identity: Identity) -> set[str]:
    return {fact.name for fact in known_facts(identity) if fact.confidence is Confidence.FAILS}


def test_a_sound_customer_has_no_failing_fact():
    assert {fact.confidence for fact in known_facts(SOUND)} == {Confidence.HOLDS}


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"siren": "732829321", "siret": None, "vat_number": None}, "siren"),
        ({"siret": "73282932000075"}, "siret"),
        ({"siret": "55210055400013"}, "siret"),
        ({"vat_number": "FR44732829321"}, "vat"),
        ({"vat_number": "FR96552100554"}, "vat"),
        ({"directory_state": "absent"}, "directory"),
        ({"directory_state": "not_addressable"}, "directory"),
        ({"insolvent_since": DAY}, "insolvency"),
    ],
)
def test_what_is_wrong_with_a_customer_is_named(change, fact):
    assert failing(replace(SOUND, **change)) == {fact}


def test_a_consumer_needs_no_siren_and_what_was_not_asked_is_unknown():
    facts = {fact.name: fact.confidence for fact in known_facts(Identity(None, None, None, True, None, None))}
    assert facts["siren"] is Confidence.HOLDS
    assert facts["directory"] is facts["vat"] is Confidence.UNKNOWN


def test_a_temporary_cover_counts_on_top_of_the_permanent_one_while_it_lasts():
    covers = [PERMANENT, TEMPORARY]
    assert covered_on(covers, DAY, "EUR") == Decimal("15000.00")
    assert covered_on(covers, DAY + timedelta(days=1), "EUR") == Decimal("10000.00")
    assert covered_on(covers, date(2025, 12, 31), "EUR") == covered_on(covers, DAY, "USD") == 0


def test_the_credit_position_says_what_is_left_and_what_nobody_guarantees():
    position = credit_position(
        Decimal("12000.00"), "EUR", limit=Decimal("11000.00"), limit_currency="EUR", covers=[PERMANENT], day=DAY
    )
    assert (position.available, position.uncovered) == (Decimal("-1000.00"), Decimal("2000.00"))
    elsewhere = credit_position(
        Decimal("1.00"), "USD", limit=Decimal("11000.00"), limit_currency="EUR", covers=[PERMANENT], day=DAY
    )
    assert (elsewhere.limit, elsewhere.available, elsewhere.covered) == (None, None, 0)
