"""What can go wrong with the ledger and its documents."""

from datetime import date, datetime
from pathlib import Path
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
            or Text("Un document du registre manque dans l’entrepôt.", "A document of the ledger is not in the store."),
            fix or Text("Restaurez les documents depuis une sauvegarde.", "Restore the documents from a backup."),
            sha256,
        )


class DocumentPurgedError(DocumentMissingError):
    """The bytes of a document were deleted at the end of their retention; the ledger keeps the trace."""

    code: ClassVar[str] = "DOCUMENT_PURGED"
    status: ClassVar[int] = 410

    def __init__(self, sha256: str, at: datetime, rule: str) -> None:
        """`at`: instant of the purge; `rule`: identifier of the retention rule."""
        self.at = at
        self.rule = rule
        day = paris_date(at)
        super().__init__(
            sha256,
            Text(f"Document purgé le {day:%d/%m/%Y} selon la règle {rule}.", f"Purged on {day} by rule {rule}."),
            Text(
                "Sa durée de conservation est écoulée ; le registre en garde l’empreinte.",
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
            Text("Un document du registre a changé dans l’entrepôt.", "A document of the ledger changed in the store."),
            Text("Restaurez-le depuis une sauvegarde.", "Restore it from a backup."),
            sha256,
        )


class DocumentsUrlError(GatewayError):
    """The address of the document store is none that the gateway can use."""

    code: ClassVar[str] = "DOCUMENTS_URL"

    def __init__(self) -> None:
        """The address itself is not repeated: people put credentials into addresses."""
        super().__init__(
            Text("L’adresse de l’entrepôt de documents est refusée.", "The address of the document store is refused."),
            Text(
                "Écrivez s3://compartiment/préfixe ou file:///dossier ; les clés ont leurs propres réglages.",
                "Write s3://bucket/prefix or file:///folder; the keys have settings of their own.",
            ),
            "GATEWAY_DOCUMENTS_URL",
        )


class DocumentStoreError(GatewayError):
    """The document store cannot do what it is asked; what was accepted before is not lost."""

    code: ClassVar[str] = "DOCUMENT_STORE"
    status: ClassVar[int] = 503


class DocumentStoreUnavailableError(DocumentStoreError):
    """The document store does not answer, or answers with a fault, after several tries."""

    code: ClassVar[str] = "DOCUMENT_STORE_UNAVAILABLE"

    def __init__(self, place: str, reason: str) -> None:
        """`place`: its address; `reason`: what it answered, in English."""
        super().__init__(
            Text("L’entrepôt de documents ne répond pas.", "The document store does not answer."),
            Text(
                f"Vérifiez l’entrepôt, et pour un compartiment GATEWAY_DOCUMENTS_ENDPOINT : {reason}",
                f"Check the store, and for a bucket GATEWAY_DOCUMENTS_ENDPOINT: {reason}",
            ),
            place,
        )


class DocumentStoreMissingError(DocumentStoreError):
    """The bucket of the documents does not exist."""

    code: ClassVar[str] = "DOCUMENT_STORE_MISSING"

    def __init__(self, place: str) -> None:
        """`place`: its address."""
        super().__init__(
            Text("Le compartiment des documents n’existe pas.", "The bucket of the documents does not exist."),
            Text("Créez-le, ou corrigez GATEWAY_DOCUMENTS_URL.", "Create it, or correct GATEWAY_DOCUMENTS_URL."),
            place,
        )


class DocumentStoreDeniedError(DocumentStoreError):
    """The document store refuses the gateway's credentials or an act of theirs."""

    code: ClassVar[str] = "DOCUMENT_STORE_DENIED"

    def __init__(self, place: str) -> None:
        """`place`: its address."""
        super().__init__(
            Text("L’entrepôt de documents refuse l’accès.", "The document store refuses access."),
            Text(
                "Vérifiez les clés et leurs droits : lire, écrire, supprimer des objets, lister le compartiment.",
                "Check the keys and their rights: get, put and delete objects, list the bucket.",
            ),
            place,
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
                "Comparez la base avec une sauvegarde et cherchez qui l’a modifiée.",
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
            Text("Ce fichier n’est pas un point de contrôle du registre.", "This file is no checkpoint of a ledger."),
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
                "La signature du point de contrôle n’est pas celle de cette installation.",
                "The checkpoint’s signature is not that of this installation.",
            ),
            Text(
                "Vérifiez toute la chaîne : « gateway ledger verify » sans --since.",
                "Prove the whole chain: `gateway ledger verify` without --since.",
            ),
            where,
        )


class LedgerKeyError(GatewayError):
    """The key that signs checkpoints cannot be read or replaced."""

    code: ClassVar[str] = "LEDGER_KEY"

    def __init__(self, path: Path, reason: str) -> None:
        """`path`: its file; `reason`: why, in English."""
        super().__init__(
            Text(f"La clé du registre est inutilisable : {reason}.", f"The ledger’s key cannot be used: {reason}."),
            Text(
                "Restaurez ce fichier depuis une sauvegarde, ou corrigez GATEWAY_LEDGER_KEY_FILE et ses droits.",
                "Restore that file from a backup, or correct GATEWAY_LEDGER_KEY_FILE and its rights.",
            ),
            str(path),
        )


class NoRetentionRuleError(GatewayError):
    """No rule of `schemas/retention.toml` is in force, so nothing may be purged."""

    code: ClassVar[str] = "NO_RETENTION_RULE"

    def __init__(self, on: date) -> None:
        """`on`: the day asked for."""
        super().__init__(
            Text(
                f"Aucune règle de conservation n’est en vigueur le {on:%d/%m/%Y}.",
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
        state = Text("est déjà gelé", "is held already") if held else Text("n’est pas gelé", "is not held")
        super().__init__(
            Text(f"« {subject} » {state.fr}.", f"“{subject}” {state.en}."),
            Text("Rien n’est à faire.", "There is nothing to do."),
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
                "Le registre n’a aucune entrée à ce sujet jusqu’au point de contrôle.",
                "The ledger has no entry about it up to the checkpoint.",
            ),
            Text("Prenez un point de contrôle plus récent.", "Take a later checkpoint."),
            subject,
        )
