"""Signed calls of webhooks as XP Z12-013 has them (Flow Service 1.3.0, createWebhook).

The fingerprint is the SHA-256 of the body as sent, `@` and the epoch seconds; the signature is its HMAC under the
signing key, in base64. The standard does not say whether the HMAC takes the fingerprint as bytes or as hexadecimal
text, nor which hash it uses: we sign the bytes with SHA-256, and accept both forms.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from datetime import datetime, timedelta
from hashlib import sha256

SIGNATURE_HEADER = "Afnor-Signature"
TIMESTAMP_HEADER = "Afnor-Signature-Timestamp"


def sign(body: bytes, key: bytes, at: datetime) -> dict[str, str]:
    """The two headers that go with `body`, sent `at`."""
    epoch = int(at.timestamp())
    signature = hmac.digest(key, _fingerprint(body, epoch), sha256)
    return {SIGNATURE_HEADER: b64encode(signature).decode(), TIMESTAMP_HEADER: str(epoch)}


def is_signed(body: bytes, key: bytes, *, signature: str, timestamp: str, now: datetime, tolerance: timedelta) -> bool:
    """Whether `signature` is that of `body` under `key`, made no further from `now` than `tolerance`."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    epoch = int(timestamp)
    if abs(now.timestamp() - epoch) > tolerance.total_seconds():
        return False
    try:
        given = b64decode(signature, validate=True)
    except (Base64Error, ValueError):
        return False
    fingerprint = _fingerprint(body, epoch)
    forms = (fingerprint, fingerprint.hex().encode())
    return any(hmac.compare_digest(hmac.digest(key, form, sha256), given) for form in forms)


def fingerprint_of(body: bytes, timestamp: str) -> str:
    """What a signed call is known again by, in hexadecimal: the same body of the same second. The call is signed."""
    return _fingerprint(body, int(timestamp)).hex()


def _fingerprint(body: bytes, epoch: int) -> bytes:
    return sha256(body + b"@" + str(epoch).encode()).digest()
