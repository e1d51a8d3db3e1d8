"""Sign-in of people: attempts counted before the password is looked at, one answer for every failure, sessions.

Only here does access commit by itself: an attempt must count even when the rest fails, and the slow argon2 work
must hold no database connection.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, delete

from gateway.access import repository
from gateway.access.errors import InvalidCredentialsError, TooManyAttemptsError
from gateway.access.model import SignInAttempt, User, UserSession
from gateway.access.passwords import check_password, hash_secret, new_secret
from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.database.engine import Database
from gateway.kernel.settings import Settings
from gateway.kernel.text import Language


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An open browser session.

    Attributes:
        principal: the person.
        session_id: identifier of the session's row.
        csrf_token: what every state-changing form of this session must carry.
        token: the cookie's secret, known only when the session has just been opened; empty after that.
    """

    principal: Principal
    session_id: UUID
    csrf_token: str
    token: str = ""


def sign_in(
    database: Database, settings: Settings, *, email: str, password: str, address: str, now: datetime
) -> SignedIn:
    """Open a session for a person who knows the password; `address` is the network address of the caller.

    Raises TooManyAttemptsError, whether or not the person exists, or InvalidCredentialsError, which does not say
    what was wrong.
    """
    email = email.strip().lower()
    subjects = (f"email:{sha256(email.encode()).hexdigest()}", f"address:{address}")
    with database.system_transaction() as session:
        attempts = _count_attempt(session, settings, subjects, now)
        user = repository.user_by_email(session, email) if email.isprintable() else None
    if attempts is None:
        raise TooManyAttemptsError(settings.sign_in_window)
    check = check_password(password, user.password_hash if user else None)
    if user is None or not check.is_right or not user.is_active:
        raise InvalidCredentialsError
    with database.system_transaction() as session:
        _forgive(session, subjects[0], attempts)
        current = session.get_one(User, user.id)
        if check.new_hash:
            current.password_hash = check.new_hash
        return open_session(session, current, settings, now)


def open_session(session: Session, user: User, settings: Settings, now: datetime) -> SignedIn:
    """A new session for a person who has just proved who they are."""
    token = new_secret()
    row = UserSession(
        organisation_id=user.organisation_id,
        user_id=user.id,
        token_hash=hash_secret(token),
        csrf_token=new_secret(),
        created_at=now,
        expires_at=now + settings.session_length,
    )
    session.add(row)
    session.flush()
    return _signed_in(repository.SessionRow(row, user, repository.scope_of(session, user.id)), token)


def resume_session(session: Session, token: str, now: datetime) -> SignedIn | None:
    """The session of a cookie; None when it is unknown, expired, signed out, or its person deactivated."""
    found = repository.live_session(session, hash_secret(token), now)
    return _signed_in(found) if found else None


def principal_of(session: Session, user: User) -> Principal:
    """The principal of a person known without a password: the demo's user."""
    return _principal(user, repository.scope_of(session, user.id))


def sign_out(session: Session, session_id: UUID) -> None:
    """End one session."""
    session.exec(delete(UserSession).where(col(UserSession.id) == session_id))


def _count_attempt(session: Session, settings: Settings, subjects: tuple[str, ...], now: datetime) -> list[UUID] | None:
    """Count one more attempt for each subject; None, and nothing counted, when a subject has no attempt left.

    The lock makes simultaneous attempts on one subject count one after the other: a burst is no way around.
    """
    for subject in sorted(subjects):
        session.connection().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:s, 0))"), {"s": subject})
    since = now - settings.sign_in_window
    if any(repository.count_attempts(session, subject, since) >= settings.sign_in_attempts for subject in subjects):
        return None
    rows = [SignInAttempt(subject=subject, at=now) for subject in subjects]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def _forgive(session: Session, email_subject: str, attempts: list[UUID]) -> None:
    """After a success: this attempt and the earlier ones of this e-mail no longer count.

    Earlier ones from the same network address still do: signing in to one's own account between guesses at another
    must not start the count again.
    """
    own = col(SignInAttempt.id).in_(attempts) | (col(SignInAttempt.subject) == email_subject)
    session.exec(delete(SignInAttempt).where(own))


def _signed_in(found: repository.SessionRow, token: str = "") -> SignedIn:
    return SignedIn(_principal(found.user, found.scope), found.session.id, found.session.csrf_token, token)


def _principal(user: User, scope: Scope) -> Principal:
    language: Language = "en" if user.language == "en" else "fr"
    return Principal(
        organisation_id=user.organisation_id,
        kind="user",
        id=user.id,
        name=user.name,
        scopes=frozenset(),
        role=Role(user.role),
        scope=scope,
        language=language,
    )
