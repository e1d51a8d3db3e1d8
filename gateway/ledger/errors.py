"""What can go wrong with the ledger and its documents."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError


class DocumentMissingError(GatewayError):
    """A document that the database knows is not in the store."""

    code: ClassVar[str] = "DOCUMENT_MISSING"
    status: ClassVar[int] = 500


class DocumentDamagedError(GatewayError):
    """A document in the store no longer has the hash it was kept under."""

    code: ClassVar[str] = "DOCUMENT_DAMAGED"
    status: ClassVar[int] = 500
