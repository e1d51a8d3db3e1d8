"""The key pair of an installation: it signs what the ledger states, and whoever has the public key can check it.

Keys and signatures are Ed25519 (RFC 8032), written in lower-case hexadecimal: 32 and 64 bytes.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gateway.ledger.errors import LedgerKeyError

KEY_FILE = "ledger-signing.key"


class SigningKey:
    """A private key that signs."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature of `data`; always the same."""
        return self._private.sign(data).hex()

    def public_pem(self) -> str:
        """The public key as programs exchange it (PEM, SubjectPublicKeyInfo)."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def is_signed(data: bytes, signature: str, public: str) -> bool:
    """Whether `signature` is that of `data` under a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_key(path: Path) -> SigningKey:
    """The key of a file (PEM, PKCS 8), made at first use and readable by its owner only. Raises LedgerKeyError."""
    try:
        if not path.exists():
            _make(path)
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise LedgerKeyError(path, str(error.strerror)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LedgerKeyError(path, "it is no private key in PEM without a password") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise LedgerKeyError(path, "it is no Ed25519 key")
    return SigningKey(private)


def _make(path: Path) -> None:
    """Write beside and link: two processes at once agree on one key, and no crash leaves half of one."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # fails when another process was first: its key stands
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
