"""Keys that sign access tokens: the newest signs, earlier ones verify until their last token has ended.

Rows are read and written by system sessions only. A lock makes two processes that rotate at once do so in turn.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import text
from sqlmodel import Session, col, delete, select

from gateway.access.errors import UnreadableSigningKeyError
from gateway.access.model import SigningKey
from gateway.kernel.settings import Settings

#: ECDSA on P-256 with SHA-256 (RFC 7518, 3.4): small signatures, and every library verifies it.
ALGORITHM = "ES256"
#: How far the clocks of this installation's machines may lie apart.
CLOCK_SKEW = timedelta(seconds=30)


def signing_key(session: Session, settings: Settings, now: datetime) -> SigningKey:
    """The key that signs now; the first one is made when it is first needed."""
    current = _current(session)
    if current is None:
        _take_turns(session)
        current = _current(session) or _create(session, settings, now)
    return current


def rotate(session: Session, settings: Settings, now: datetime, *, void_previous: bool = False) -> SigningKey:
    """A new key signs from now on. Tokens of the previous keys live on until they expire.

    With `void_previous`, for a key that leaked, they end at once.
    """
    _take_turns(session)
    if void_previous:
        session.exec(delete(SigningKey))
    else:
        _retire(session, settings, now)
    return _create(session, settings, now)


def keep_keys(session: Session, settings: Settings, now: datetime) -> None:
    """Delete keys whose last token has ended, and rotate when the signing key is old enough (the clock calls it)."""
    session.exec(delete(SigningKey).where(col(SigningKey.valid_until) <= now))
    _take_turns(session)
    current = _current(session)
    if current is not None and current.created_at + settings.signing_key_life <= now:
        _retire(session, settings, now)
        _create(session, settings, now)


def known_keys(session: Session, now: datetime) -> list[SigningKey]:
    """Keys whose tokens are accepted, newest first."""
    return list(
        session.exec(
            select(SigningKey)
            .where(col(SigningKey.valid_until).is_(None) | (col(SigningKey.valid_until) > now))
            .order_by(col(SigningKey.created_at).desc(), SigningKey.kid)
        ).all()
    )


def private_key(row: SigningKey, settings: Settings) -> ECKey:
    """The key that signs. Raises UnreadableSigningKeyError when it was encrypted with another secret."""
    try:
        return _decrypted(row.private_key, _secret(settings))
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnreadableSigningKeyError(row.kid) from error


@lru_cache(maxsize=8)
def _decrypted(pem: str, secret: str | None) -> ECKey:
    return ECKey.import_key(pem, password=secret)


def _current(session: Session) -> SigningKey | None:
    newest_first = select(SigningKey).where(col(SigningKey.valid_until).is_(None))
    return session.exec(newest_first.order_by(col(SigningKey.created_at).desc()).limit(1)).one_or_none()


def _create(session: Session, settings: Settings, now: datetime) -> SigningKey:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    row = SigningKey(
        kid=key.thumbprint(),
        private_key=key.as_pem(private=True, password=_secret(settings)).decode(),
        public_key=key.as_dict(private=False),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _retire(session: Session, settings: Settings, now: datetime) -> None:
    signing = session.exec(select(SigningKey).where(col(SigningKey.valid_until).is_(None))).all()
    for key in signing:
        # A request under way elsewhere may sign with it for a moment yet.
        key.valid_until = now + settings.token_length + CLOCK_SKEW
    session.flush()


def _take_turns(session: Session) -> None:
    session.connection().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('signing_key', 0))"))


def _secret(settings: Settings) -> str | None:
    return settings.signing_key_secret.get_secret_value() if settings.signing_key_secret else None
