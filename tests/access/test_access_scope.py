"""A limited person sees the agencies and the key accounts given, and nothing else."""

from uuid import uuid4

import pytest

from gateway.access.scope import Scope

LYON, LILLE = uuid4(), uuid4()
CUSTOMER, OTHER = "552100554", "732829320"


@pytest.mark.parametrize(
    ("scope", "agency", "customer", "seen"),
    [
        (Scope.everything(), None, None, True),
        (Scope.limited_to([LYON], []), LYON, OTHER, True),
        (Scope.limited_to([LYON], []), LILLE, OTHER, False),
        (Scope.limited_to([LYON], []), None, OTHER, False),
        (Scope.limited_to([LYON], [CUSTOMER]), LILLE, CUSTOMER, True),
        (Scope.limited_to([], [CUSTOMER]), LILLE, CUSTOMER, True),
        (Scope.limited_to([], [CUSTOMER]), LILLE, OTHER, False),
        (Scope.limited_to([], [CUSTOMER]), None, None, False),
        (Scope(frozenset(), frozenset()), LYON, CUSTOMER, False),
    ],
)
def test_a_scope_shows_its_agencies_and_its_key_accounts_only(scope, agency, customer, seen):
    assert scope.allows(agency, customer) is seen


def test_a_person_without_any_limit_sees_everything():
    assert Scope.limited_to([], []) == Scope.everything()
    assert Scope.everything().is_everything
    assert not Scope.limited_to([LYON], []).is_everything
