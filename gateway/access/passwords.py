"""Passwords (argon2id) and random secrets (sha256): the first are guessable and slow to check, the second neither."""

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.access.errors import WeakPasswordError

#: CNIL, deliberation 2022-100 of 21 July 2022: twelve characters where attempts are limited too.
MINIMUM_LENGTH = 12
_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Result of a check; `new_hash` is to be stored when argon2's parameters changed since the hash was made."""

    is_right: bool
    new_hash: str | None = None


def hash_password(password: str, *, email: str) -> str:
    """argon2id hash with its parameters and salt. Raises WeakPasswordError."""
    if len(password) < MINIMUM_LENGTH or password.lower() == email.lower():
        raise WeakPasswordError(MINIMUM_LENGTH)
    return _HASHER.hash(password)


def check_password(password: str, stored_hash: str | None) -> PasswordCheck:
    """Compare; None stands for a person who does not exist and costs the same work as a wrong password."""
    try:
        _HASHER.verify(stored_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return PasswordCheck(False)
    if stored_hash is None:
        return PasswordCheck(False)
    return PasswordCheck(True, _HASHER.hash(password) if _HASHER.check_needs_rehash(stored_hash) else None)


def new_secret() -> str:
    """256 random bits in URL-safe text: a session cookie, a bearer token, an API client's secret."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """sha256 in hexadecimal. Enough for 256 random bits, which nobody guesses, and quick enough for every request."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(new_secret())
