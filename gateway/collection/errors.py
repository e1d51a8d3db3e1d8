"""What can go wrong with collection actions."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class ActionNotFoundError(GatewayError):
    """No action that the asker may see has that identifier."""

    code: ClassVar[str] = "ACTION_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, action_id: UUID) -> None:
        super().__init__(
            Text("Cette action n’existe pas.", "This action does not exist."),
            Text(
                "Revenez à la liste de travail et vérifiez votre périmètre.",
                "Go back to the worklist and check what you may see.",
            ),
            str(action_id),
        )


class ActionNotOpenError(GatewayError):
    """The action is done or cancelled: nothing about it can change any more."""

    code: ClassVar[str] = "ACTION_NOT_OPEN"
    status: ClassVar[int] = 409

    def __init__(self, action_id: UUID, outcome: Text | None) -> None:
        told = outcome or Text.of("—")
        super().__init__(
            Text(f"Cette action est terminée : {told.fr}.", f"This action is over: {told.en}."),
            Text("Il n’y a rien à faire.", "There is nothing left to do."),
            str(action_id),
        )


class UnusableContentError(GatewayError):
    """A document that an organisation wants to store cannot be used: what its subclasses say of it, and each fault.

    Class attributes:
        refused: what cannot be used. remedy: what to start from.
    """

    status: ClassVar[int] = 422
    refused: ClassVar[Text]
    remedy: ClassVar[Text]

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """`faults`: place and what is wrong there, in the words of the reader; one at least."""
        said = "; ".join(f"{place or 'document'}: {message}" for place, message in faults)
        said_fr = " ; ".join(f"{place or 'document'} : {message}" for place, message in faults)
        super().__init__(
            Text(f"{self.refused.fr} : {said_fr}.", f"{self.refused.en}: {said}."),
            Text(f"Corrigez ces champs ; {self.remedy.fr}", f"Correct these fields; {self.remedy.en}"),
            faults[0][0],
        )
        self.faults = tuple(faults)


class InvalidScenariosError(UnusableContentError):
    """The scenarios an organisation wants to store cannot be followed."""

    code: ClassVar[str] = "INVALID_SCENARIOS"
    refused = Text("Ces scénarios sont inutilisables", "These scenarios cannot be followed")
    remedy = Text(
        "partez du modèle que donne « gateway reminders scenarios show ».",
        "start from what `gateway reminders scenarios show` prints.",
    )


class ReminderNotFoundError(GatewayError):
    """No reminder that the asker may see has that identifier."""

    code: ClassVar[str] = "REMINDER_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, reminder_id: UUID) -> None:
        super().__init__(
            Text("Cette relance n’existe pas.", "This reminder does not exist."),
            Text(
                "Revenez à la liste des relances et vérifiez votre périmètre.",
                "Go back to the list of reminders and check what you may see.",
            ),
            str(reminder_id),
        )


class ReminderStateError(GatewayError):
    """What is asked cannot be done with a reminder that stands where it stands."""

    code: ClassVar[str] = "REMINDER_STATE"
    status: ClassVar[int] = 409

    def __init__(self, reminder_id: UUID, state: Text) -> None:
        super().__init__(
            Text(
                f"Cette relance est « {state.fr} » : cela ne s’y applique pas.",
                f"This reminder is “{state.en}”: that does not apply to it.",
            ),
            Text(
                "Relisez-la : quelqu’un l’a peut-être déjà traitée.", "Read it again: someone may have dealt with it."
            ),
            str(reminder_id),
        )


class ReminderPartlyVisibleError(GatewayError):
    """The reminder claims invoices that the person may not see: whoever sees all of it decides."""

    code: ClassVar[str] = "REMINDER_PARTLY_VISIBLE"
    status: ClassVar[int] = 403

    def __init__(self, reminder_id: UUID) -> None:
        super().__init__(
            Text(
                "Cette relance réclame aussi des factures hors de votre périmètre.",
                "This reminder also claims invoices outside what you may see.",
            ),
            Text("Demandez au responsable du recouvrement d’en décider.", "Ask the AR manager to decide about it."),
            str(reminder_id),
        )


class ReminderDocumentNotFoundError(GatewayError):
    """The message has no document at that place, or one that tells more than the asker may see."""

    code: ClassVar[str] = "REMINDER_DOCUMENT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, position: int) -> None:
        super().__init__(
            Text(f"Ce message n’a pas de pièce n° {position} pour vous.", f"This message has no document {position}."),
            Text(
                "Relisez le message : ses pièces y sont listées.", "Read the message again: its documents are listed."
            ),
            str(position),
        )


class NothingToSendError(GatewayError):
    """The round would send nothing to that account then, or nothing that the asker may see."""

    code: ClassVar[str] = "NOTHING_TO_SEND"
    status: ClassVar[int] = 404

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(
            Text("Rien ne serait envoyé à ce compte ce jour-là.", "Nothing would be sent to this account that day."),
            Text(
                "L’aperçu des relances dit pourquoi, et quand la suite est prévue.",
                "The preview of reminders says why, and when the next step is due.",
            ),
            str(customer_id),
        )


class AddressFaultNotFoundError(GatewayError):
    """No stopped address that the asker may see has that identifier, or it is in use again."""

    code: ClassVar[str] = "ADDRESS_FAULT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, fault_id: UUID) -> None:
        super().__init__(
            Text("Aucune adresse n’est arrêtée sous cet identifiant.", "No address is stopped under that identifier."),
            Text("Relisez la fiche du client.", "Read the customer’s page again."),
            str(fault_id),
        )


class InvalidRecipientError(GatewayError):
    """The e-mail address a reminder should go to is none."""

    code: ClassVar[str] = "INVALID_RECIPIENT"
    status: ClassVar[int] = 422

    def __init__(self, address: str) -> None:
        super().__init__(
            Text("L’adresse e-mail du destinataire est invalide.", "The recipient’s e-mail address is invalid."),
            Text("Écrivez une seule adresse, comme compta@client.fr.", "Write one address, such as ap@customer.com."),
            address,
        )


class ExclusionNotFoundError(GatewayError):
    """No exclusion that the asker may see and that still holds has that identifier."""

    code: ClassVar[str] = "EXCLUSION_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, exclusion_id: UUID) -> None:
        super().__init__(
            Text("Cette exclusion n’existe pas, ou est levée.", "This exclusion does not exist, or is lifted."),
            Text("Relisez les exclusions du client.", "Read the customer’s exclusions again."),
            str(exclusion_id),
        )


class InvalidExclusionError(GatewayError):
    """An exclusion without a reason, or whose last day is past: it would exclude nothing, or nobody would know why."""

    code: ClassVar[str] = "INVALID_EXCLUSION"
    status: ClassVar[int] = 422

    def __init__(self, where: str) -> None:
        super().__init__(
            Text("Cette exclusion est incomplète ou déjà passée.", "This exclusion is incomplete or past already."),
            Text(
                "Donnez un motif, et un dernier jour qui n’est pas passé (ou aucun).",
                "Give a reason, and a last day that is not past (or none).",
            ),
            where,
        )


class NotOfCustomerError(GatewayError):
    """The invoice belongs to another customer."""

    code: ClassVar[str] = "INVOICE_OF_ANOTHER_CUSTOMER"
    status: ClassVar[int] = 422

    def __init__(self, invoice_id: UUID) -> None:
        super().__init__(
            Text("Cette facture n’est pas de ce client.", "This invoice is not of this customer."),
            Text("Choisissez une facture du client.", "Choose an invoice of the customer."),
            str(invoice_id),
        )
