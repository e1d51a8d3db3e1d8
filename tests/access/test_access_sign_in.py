"""Sign-in of people: who gets in, who does not, and that failures look alike."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlmodel import func, select

from gateway.access import repository, service
from gateway.access.errors import InvalidCredentialsError, TooManyAttemptsError, WeakPasswordError
from gateway.access.model import SignInAttempt, User, UserSession
from gateway.access.roles import Role
from gateway.access.sign_in import resume_session, sign_in, sign_out

EMAIL = "claire.moreau@comptoir.example"
PASSWORD = "une phrase de passe assez longue"


@pytest.fixture
def user(database, organisation, clock) -> User:
    with database.transaction(organisation) as session:
        return service.create_user(
            session, email=EMAIL, name="Claire Moreau", password=PASSWORD, role=Role.AR_MANAGER, now=clock()
        )


@pytest.fixture
def attempt(database, settings, clock):
    """Sign in as the user, one thing changed at will."""

    def call(email=EMAIL, password=PASSWORD, address="192.0.2.1"):
        return sign_in(database, settings, email=email, password=password, address=address, now=clock())

    return call


def resumed(database, token, clock):
    with database.system_transaction() as session:
        return resume_session(session, token, clock())


def change(database, user, action):
    with database.transaction(user.organisation_id) as session:
        action(session, session.get_one(User, user.id))


def test_the_right_password_opens_a_session_for_the_person(database, user, attempt, clock):
    signed_in = attempt(email="  Claire.Moreau@Comptoir.example ")
    assert signed_in.principal.id == user.id
    assert signed_in.principal.role is Role.AR_MANAGER
    again = resumed(database, signed_in.token, clock)
    assert again.principal == signed_in.principal
    assert again.csrf_token == signed_in.csrf_token


def test_the_database_keeps_neither_the_password_nor_the_cookie(database, user, attempt):
    signed_in = attempt()
    with database.system_transaction() as session:
        stored = session.exec(select(UserSession)).one()
        assert signed_in.token not in stored.model_dump_json()
        assert session.get_one(User, user.id).password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("wrong", [{"password": "une autre phrase"}, {"email": "personne@comptoir.example"}])
def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(user, attempt, wrong):
    with pytest.raises(InvalidCredentialsError) as refused:
        attempt(**wrong)
    assert refused.value.in_language("fr") == InvalidCredentialsError().in_language("fr")


def test_an_unknown_person_costs_the_same_password_work(user, attempt, monkeypatch):
    verified = []
    monkeypatch.setattr(
        PasswordHasher,
        "verify",
        lambda self, stored, given, real=PasswordHasher.verify: verified.append(stored) or real(self, stored, given),
    )
    for email in (EMAIL, "personne@comptoir.example"):
        with pytest.raises(InvalidCredentialsError):
            attempt(email=email, password="une autre phrase")
    assert len(verified) == 2
    assert len({stored.split("$")[3] for stored in verified}) == 1


@pytest.mark.parametrize("email", ["", "\x00", "a" * 5000, "claire'; DROP TABLE app_user; --"])
def test_a_strange_address_is_refused_like_any_other(user, attempt, email):
    with pytest.raises(InvalidCredentialsError):
        attempt(email=email)


def test_attempts_on_one_address_are_limited_then_allowed_again_after_the_window(user, attempt, settings, clock):
    for _ in range(settings.sign_in_attempts):
        with pytest.raises(InvalidCredentialsError):
            attempt(password="une autre phrase")
    with pytest.raises(TooManyAttemptsError):
        attempt(address="192.0.2.99")
    clock.advance(settings.sign_in_window)
    assert attempt().principal.id == user.id


def test_attempts_on_a_person_who_does_not_exist_are_limited_alike(attempt, settings):
    for _ in range(settings.sign_in_attempts):
        with pytest.raises(InvalidCredentialsError):
            attempt(email="personne@comptoir.example")
    with pytest.raises(TooManyAttemptsError):
        attempt(email="personne@comptoir.example")


def test_attempts_from_one_network_address_are_limited_whoever_is_tried(user, attempt, settings):
    for number in range(settings.sign_in_attempts):
        with pytest.raises(InvalidCredentialsError):
            attempt(email=f"personne{number}@comptoir.example")
    with pytest.raises(TooManyAttemptsError):
        attempt()
    assert attempt(address="198.51.100.7").principal.id == user.id


def test_a_success_forgives_mistyped_passwords_but_not_guesses_at_others(user, attempt, settings):
    for _ in range(settings.sign_in_attempts - 1):
        with pytest.raises(InvalidCredentialsError):
            attempt(password="une autre phrase")
    attempt()
    with pytest.raises(InvalidCredentialsError):
        attempt(password="une autre phrase")
    with pytest.raises(TooManyAttemptsError):
        attempt(email="personne@comptoir.example")
    assert attempt(address="198.51.100.7").principal.id == user.id


def test_a_burst_of_simultaneous_guesses_is_counted_exactly(database, user, attempt, settings):
    def guess(number):
        try:
            attempt(password="une autre phrase", address=f"192.0.2.{number}")
        except (InvalidCredentialsError, TooManyAttemptsError) as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(16)))
    assert answers.count(InvalidCredentialsError) == settings.sign_in_attempts
    assert answers.count(TooManyAttemptsError) == 16 - settings.sign_in_attempts


def test_a_session_ends_when_its_time_is_over(database, user, attempt, settings, clock):
    token = attempt().token
    clock.advance(settings.session_length - timedelta(seconds=1))
    assert resumed(database, token, clock)
    clock.advance(timedelta(seconds=1))
    assert resumed(database, token, clock) is None


def test_signing_out_ends_that_session_and_no_other(database, organisation, user, attempt, clock):
    here, elsewhere = attempt(), attempt()
    with database.transaction(organisation) as session:
        sign_out(session, here.session_id)
    assert resumed(database, here.token, clock) is None
    assert resumed(database, elsewhere.token, clock)


def test_a_deactivated_person_loses_access_at_once(database, user, attempt, clock):
    token = attempt().token
    change(database, user, service.deactivate_user)
    assert resumed(database, token, clock) is None
    with pytest.raises(InvalidCredentialsError):
        attempt()


def test_a_person_deactivated_by_hand_in_the_database_loses_access_too(database, user, attempt, clock):
    token = attempt().token
    change(database, user, lambda session, row: setattr(row, "is_active", False))
    assert resumed(database, token, clock) is None


def test_a_new_password_signs_out_everywhere_and_the_old_one_no_longer_opens(database, user, attempt, clock):
    token = attempt().token
    change(database, user, lambda session, row: service.change_password(session, row, "une phrase toute nouvelle"))
    assert resumed(database, token, clock) is None
    with pytest.raises(InvalidCredentialsError):
        attempt()
    assert attempt(password="une phrase toute nouvelle")


def test_an_old_hash_is_made_anew_at_the_next_sign_in(database, user, attempt):
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    change(database, user, lambda session, row: setattr(row, "password_hash", weaker))
    attempt()
    with database.system_transaction() as session:
        renewed = session.get_one(User, user.id).password_hash
    assert renewed != weaker
    assert not PasswordHasher().check_needs_rehash(renewed)
    assert attempt()


@pytest.mark.parametrize("password", ["court", EMAIL, EMAIL.upper()])
def test_a_password_that_is_easy_to_guess_is_refused(database, user, password):
    with pytest.raises(WeakPasswordError):
        change(database, user, lambda session, row: service.change_password(session, row, password))


def test_what_is_over_is_forgotten(database, user, attempt, settings, clock):
    token = attempt().token
    with pytest.raises(InvalidCredentialsError):
        attempt(password="une autre phrase")
    clock.advance(timedelta(hours=1))
    forget(database, settings, clock)
    assert counts(database) == (1, 0)
    assert resumed(database, token, clock)
    clock.advance(settings.session_length)
    forget(database, settings, clock)
    assert counts(database) == (0, 0)


def forget(database, settings, clock):
    with database.system_transaction() as session:
        service.forget_expired(session, now=clock(), attempts_window=settings.sign_in_window)


def counts(database):
    with database.system_transaction() as session:
        return tuple(
            session.exec(select(func.count()).select_from(table)).one() for table in (UserSession, SignInAttempt)
        )


def test_a_person_without_limits_sees_everything_and_a_limited_one_only_that(database, organisation, user, attempt):
    assert attempt().principal.scope.is_everything
    with database.transaction(organisation) as session:
        agency = service.create_agency(session, siret="73282932000074", code="LYON", name="Lyon")
        row = session.get_one(User, user.id)
        service.limit_user(session, row, agencies=["73282932000074"], key_accounts=["552100554"])
    scope = attempt().principal.scope
    assert (scope.agencies, scope.key_accounts) == (frozenset({agency.id}), frozenset({"552100554"}))
    with database.transaction(organisation) as session:
        assert repository.scope_of(session, user.id) == scope
