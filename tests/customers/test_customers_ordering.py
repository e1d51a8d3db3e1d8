"""Customers are listed as a French dictionary lists words, page after page."""

import pytest

from gateway.access.scope import Scope
from gateway.customers.model import Customer
from gateway.customers.repository import CustomerFilter, customers_page
from tests.lifecycle.making_events import START

IN_ORDER = [
    "Abeille", "éclat SA", "Eclats", "Édifice", "Île et Mer", "Isle", "Maçonnerie", "Macons", "Noël", "Odeurs",
    "œuvres", "ŒUVRES D’ART", "Ôtera", "Zinc",
]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_an_accent_or_a_capital_changes_no_place_in_the_list(database, organisation, limit):
    with database.transaction(organisation) as session:
        for number, name in enumerate(reversed(IN_ORDER)):
            session.add(
                Customer(organisation_id=organisation, key=f"k{number}", name=name, created_at=START, updated_at=START)
            )
        session.flush()
        seen, cursor = [], None
        while True:
            page = customers_page(session, Scope.everything(), CustomerFilter(), cursor=cursor, limit=limit)
            seen += [each.name for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == IN_ORDER
