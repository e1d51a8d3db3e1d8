"""What can go wrong with the ledger and its documents."""

from datetime import date, datetime
from typing import ClassVar

from gateway.kernel.clock import paris_date
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class DocumentMissingError(GatewayError):
    """A document that the database knows is not in the store."""

    code: ClassVar[str] = "DOCUMENT_MISSING"
    status: ClassVar[int] = 500

    def __init__(self, sha256: str, what: Text | None = None, fix: Text | None = None) -> None:
        """`sha256`: what the document is kept under."""
        super().__init__(
            what
            or Text("Un document du registre manque dans l'entrepôt.", "A document of the ledger is not in the store."),
            fix or Text("Restaurez les documents depuis une sauvegarde.", "Restore the documents from a backup."),
            sha256,
        )


class DocumentPurgedError(DocumentMissingError):
    """The bytes of a document were deleted at the end of their retention; the ledger keeps the trace."""

    code: ClassVar[str] = "DOCUMENT_PURGED"
    status: ClassVar[int] = 410

    def __init__(self, sha256: str, at: datetime, rule: str) -> None:
        """`at`: instant of the purge; `rule`: identifier of the retention rule."""
        day = paris_date(at)
        super().__init__(
            sha256,
            Text(f"Document purgé le {day:%d/%m/%Y} selon la règle {rule}.", f"Purged on {day} by rule {rule}."),
            Text(
                "Sa durée de conservation est écoulée ; le registre en garde l'empreinte.",
                "Its retention is over; the ledger keeps its hash.",
            ),
        )


class DocumentDamagedError(GatewayError):
    """A document in the store no longer has the hash it was kept under."""

    code: ClassVar[str] = "DOCUMENT_DAMAGED"
    status: ClassVar[int] = 500

    def __init__(self, sha256: str) -> None:
        """`sha256`: what the document was kept under."""
        super().__init__(
            Text("Un document du registre a changé dans l'entrepôt.", "A document of the ledger changed in the store."),
            Text("Restaurez-le depuis une sauvegarde.", "Restore it from a backup."),
            sha256,
        )


class ChainBrokenError(GatewayError):
    """The chain does not hold, so nothing may be stated about it."""

    code: ClassVar[str] = "CHAIN_BROKEN"
    status: ClassVar[int] = 500

    def __init__(self, position: int, reason: str) -> None:
        """`position`: first entry that does not hold; `reason`: why, in English."""
        super().__init__(
            Text(f"La chaîne est rompue : {reason}.", f"The chain is broken: {reason}."),
            Text(
                "Comparez la base avec une sauvegarde et cherchez qui l'a modifiée.",
                "Compare the database with a backup and find out who changed it.",
            ),
            f"entry {position}",
        )


class CheckpointUnreadableError(GatewayError):
    """The file is not one of checkpoints."""

    code: ClassVar[str] = "CHECKPOINT_UNREADABLE"
    status: ClassVar[int] = 422

    def __init__(self, where: str) -> None:
        """`where`: the file."""
        super().__init__(
            Text("Ce fichier n'est pas un point de contrôle du registre.", "This file is no checkpoint of a ledger."),
            Text(
                "Donnez un fichier écrit par « gateway ledger checkpoint ».",
                "Give a file that `gateway ledger checkpoint` wrote.",
            ),
            where,
        )


class CheckpointInvalidError(GatewayError):
    """A checkpoint was changed, or signed by another installation."""

    code: ClassVar[str] = "CHECKPOINT_INVALID"
    status: ClassVar[int] = 422

    def __init__(self, where: str) -> None:
        """`where`: the file."""
        super().__init__(
            Text(
                "La signature du point de contrôle n'est pas celle de cette installation.",
                "The checkpoint's signature is not that of this installation.",
            ),
            Text(
                "Vérifiez toute la chaîne : « gateway ledger verify » sans --since.",
                "Prove the whole chain: `gateway ledger verify` without --since.",
            ),
            where,
        )


class NoRetentionRuleError(GatewayError):
    """No rule of `schemas/retention.toml` is in force, so nothing may be purged."""

    code: ClassVar[str] = "NO_RETENTION_RULE"

    def __init__(self, on: date) -> None:
        """`on`: the day asked for."""
        super().__init__(
            Text(
                f"Aucune règle de conservation n'est en vigueur le {on:%d/%m/%Y}.",
                f"No retention rule is in force on {on}.",
            ),
            Text("Complétez schemas/retention.toml.", "Complete schemas/retention.toml."),
            "schemas/retention.toml",
        )


class LegalHoldError(GatewayError):
    """A legal hold is placed where there is one, or lifted where there is none."""

    code: ClassVar[str] = "LEGAL_HOLD"
    status: ClassVar[int] = 409

    def __init__(self, subject: str, *, held: bool) -> None:
        """`subject`: what the hold is on; `held`: whether it is held now."""
        state = Text("est déjà gelé", "is held already") if held else Text("n'est pas gelé", "is not held")
        super().__init__(
            Text(f"« {subject} » {state.fr}.", f"“{subject}” {state.en}."),
            Text("Rien n'est à faire.", "There is nothing to do."),
            subject,
        )


class NothingToProveError(GatewayError):
    """The ledger has no entry about the subject up to the checkpoint, so there is no evidence to make."""

    code: ClassVar[str] = "NOTHING_TO_PROVE"
    status: ClassVar[int] = 404

    def __init__(self, subject: str) -> None:
        """`subject`: what the evidence was to be about."""
        super().__init__(
            Text(
                "Le registre n'a aucune entrée à ce sujet jusqu'au point de contrôle.",
                "The ledger has no entry about it up to the checkpoint.",
            ),
            Text("Prenez un point de contrôle plus récent.", "Take a later checkpoint."),
            subject,
        )
