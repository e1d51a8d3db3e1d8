"""Organisations, agencies, people and programs: what may be created, and what each role may do."""

from pathlib import Path

import pytest

from gateway.access import service
from gateway.access.errors import (
    AlreadyExistsError,
    InvalidEmailError,
    InvalidScopeError,
    InvalidSirenError,
    InvalidSiretError,
    UnknownAgencyError,
)
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope, Permission, Role
from gateway.access.scope import Scope
from gateway.kernel.identifiers import new_id

VALID = {
    "email": "claire@comptoir.example",
    "name": "Claire",
    "password": "une phrase assez longue",
    "role": Role.COLLECTOR,
}


def principal(role: Role | None) -> Principal:
    kind = "client" if role is None else "user"
    return Principal(new_id(), kind, new_id(), "Claire", frozenset(), role, Scope.everything())


@pytest.fixture
def create(database, organisation, clock):
    def call(**changed):
        with database.transaction(organisation) as session:
            return service.create_user(session, **(VALID | changed), now=clock())

    return call


@pytest.mark.parametrize("siren", ["732829321", "73282932", "732 829 320", "", "73282932X"])
def test_an_organisation_needs_a_true_siren(database, clock, siren):
    with pytest.raises(InvalidSirenError), database.system_transaction() as session:
        service.create_organisation(session, siren=siren, name="Comptoir", now=clock())


def test_two_organisations_never_share_a_siren(database, organisation, clock):
    with pytest.raises(AlreadyExistsError, match="732829320"), database.system_transaction() as session:
        service.create_organisation(session, siren="732829320", name="Comptoir", now=clock())


@pytest.mark.parametrize("siret", ["55210055400013", "73282932000075", "732829320"])
def test_an_agency_is_an_establishment_of_its_organisation(database, organisation, siret):
    with pytest.raises(InvalidSiretError), database.transaction(organisation) as session:
        service.create_agency(session, siret=siret, code="X", name="X")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"email": "claire"}, InvalidEmailError),
        ({"email": "cl aire@comptoir.example"}, InvalidEmailError),
        ({"agencies": ["73282932000074"]}, UnknownAgencyError),
        ({"key_accounts": ["552100555"]}, InvalidSirenError),
    ],
)
def test_a_person_with_one_thing_wrong_is_not_created(create, changed, error):
    with pytest.raises(error):
        create(**changed)
    assert create().email == VALID["email"]


def test_an_email_address_is_one_person_even_across_organisations(database, create, other_organisation, clock):
    create()
    with pytest.raises(AlreadyExistsError), database.transaction(other_organisation) as session:
        service.create_user(session, **(VALID | {"email": "CLAIRE@comptoir.example"}), now=clock())


@pytest.mark.parametrize("scopes", [[], ["flows:write", "everything"]])
def test_a_program_gets_only_scopes_that_exist(database, organisation, clock, scopes):
    with pytest.raises(InvalidScopeError), database.transaction(organisation) as session:
        service.create_client(session, name="ERP", scopes=scopes, now=clock())


def test_each_role_may_do_its_work_and_no_more():
    may = {role: {permission for permission in Permission if principal(role).may(permission)} for role in Role}
    assert may[Role.ADMINISTRATOR] == set(Permission)
    assert {role for role in Role if Permission.MANAGE_ACCESS in may[role]} == {Role.ADMINISTRATOR}
    assert may[Role.READER] == {Permission.READ}
    assert Permission.READ_TREASURY not in may[Role.COLLECTOR]
    assert Permission.WORK_ACTIONS not in may[Role.TREASURER]
    assert may[Role.COLLECTOR] < may[Role.AR_MANAGER]


def test_a_program_has_no_permission_of_people():
    assert not any(principal(None).may(permission) for permission in Permission)


def test_every_role_has_a_name_in_both_languages():
    assert all(role.label.fr and role.label.en for role in Role)
    assert len({role.label.fr for role in Role}) == len(Role)


def test_every_scope_says_what_it_opens_and_the_guide_names_it():
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "give-access.md").read_text()
    assert all(scope.label.fr and scope.label.en for scope in ApiScope)
    assert [scope for scope in ApiScope if f"`{scope}`" not in guide] == []
