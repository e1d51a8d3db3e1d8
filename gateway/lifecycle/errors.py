"""What can go wrong when lifecycle messages (CDAR) are read, built or written."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from gateway.invoices.errors import InvalidValueError, UnreadableInvoiceError, quoted
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class NotALifecycleMessageError(UnreadableInvoiceError):
    """The XML is well-formed but its root is not CrossDomainAcknowledgementAndResponse."""

    code: ClassVar[str] = "NOT_A_LIFECYCLE_MESSAGE"

    def __init__(self, root: str) -> None:
        """`root`: the qualified name of the root element, `{namespace}name`."""
        super().__init__(
            Text(
                f"Le XML n’est pas un message de cycle de vie (CDAR) : sa racine est « {quoted(root)} ».",
                f"The XML is not a lifecycle message (CDAR): its root is “{quoted(root)}”.",
            ),
            Text(
                "Envoyez un message CDAR D22B (CrossDomainAcknowledgementAndResponse).",
                "Send a CDAR D22B message (CrossDomainAcknowledgementAndResponse).",
            ),
            where="/",
        )


class IncompleteLifecycleMessageError(UnreadableInvoiceError):
    """A CDAR without the one thing that makes it a status: a status code on a referenced document."""

    code: ClassVar[str] = "INCOMPLETE_LIFECYCLE_MESSAGE"

    def __init__(self, term: str, what: Text) -> None:
        """`term`: the missing MDT or MDG; `what`: its name."""
        super().__init__(
            Text(f"Le message CDAR ne porte pas {what.fr} ({term}).", f"The CDAR message lacks {what.en} ({term})."),
            Text(
                "Demandez à l’émetteur du statut un message complet.",
                "Ask the issuer of the status for a complete message.",
            ),
            where=term,
        )


class SeveralAcknowledgementsError(UnreadableInvoiceError):
    """More than one AcknowledgementDocument: the French profiles allow one, and phases could contradict each other."""

    code: ClassVar[str] = "SEVERAL_ACKNOWLEDGEMENTS"

    def __init__(self, count: int) -> None:
        super().__init__(
            Text(
                f"Le message CDAR contient {count} blocs AcknowledgementDocument au lieu d’un.",
                f"The CDAR message holds {count} AcknowledgementDocument blocks instead of one.",
            ),
            Text("Envoyez un message par statut.", "Send one message for each status."),
            where="/rsm:CrossDomainAcknowledgementAndResponse",
        )


class InvalidCdarAttachmentError(InvalidValueError):
    """An attachment (MDT-96) whose content is not base64."""

    code: ClassVar[str] = "INVALID_CDAR_ATTACHMENT"

    def __init__(self, value: str, line: int) -> None:
        super().__init__(
            Text("n’est pas un contenu en base64.", "is not base64 content."),
            Text("Encodez la pièce jointe en base64.", "Encode the attachment in base64."),
            "MDT-96",
            value,
            line,
        )


class UnwritableMessageError(GatewayError):
    """A text of the message holds a character that XML cannot carry."""

    code: ClassVar[str] = "UNWRITABLE_LIFECYCLE_MESSAGE"
    status: ClassVar[int] = 422

    def __init__(self, element: str, value: str) -> None:
        """`element`: the CDAR element; `value`: its text."""
        super().__init__(
            Text(
                f"Le texte {quoted(value)!r} contient un caractère interdit en XML.",
                f"The text {quoted(value)!r} holds a character that XML forbids.",
            ),
            Text("Retirez les caractères de contrôle.", "Remove the control characters."),
            where=element,
        )


class InvalidStatusMessageError(GatewayError):
    """A status that its rules do not allow to be sent. The subclasses name the rule."""

    code: ClassVar[str] = "INVALID_STATUS_MESSAGE"
    status: ClassVar[int] = 422


class UnknownStatusError(InvalidStatusMessageError):
    """A status outside the catalogue, or that does not hold on its day, may be received, never built."""

    code: ClassVar[str] = "UNKNOWN_STATUS"

    def __init__(self, status_code: str, on: date) -> None:
        super().__init__(
            Text(
                f"Le statut {status_code} n’est pas publié au {on:%d/%m/%Y}.",
                f"Status {status_code} is not published on {on:%Y-%m-%d}.",
            ),
            Text("Choisissez un statut du catalogue.", "Choose a status of the catalogue."),
            where="MDT-105",
        )


class MissingStatusDataError(InvalidStatusMessageError):
    """What the catalogue requires of the status that day is not given: a reason, a receipt by VAT rate, a comment…"""

    code: ClassVar[str] = "MISSING_STATUS_DATA"

    def __init__(self, status_code: str, one_of: Sequence[Text], on: date) -> None:
        """`one_of`: the data of which one is required, with their terms (MDT); `on`: the day of the status."""
        wanted = Text(" ou ".join(each.fr for each in one_of), " or ".join(each.en for each in one_of))
        super().__init__(
            Text(
                f"Le statut {status_code} du {on:%d/%m/%Y} exige {wanted.fr}.",
                f"Status {status_code} of {on:%Y-%m-%d} needs {wanted.en}.",
            ),
            Text(
                "Complétez l’ordre ; « gateway cdar statuses » dit ce que chaque statut exige.",
                "Complete the order; “gateway cdar statuses” tells what each status requires.",
            ),
            where="MDT-105",
        )


class ReasonNotAllowedError(InvalidStatusMessageError):
    """BR-FR-CDV-CL-09: the reason is not in the list of the status."""

    code: ClassVar[str] = "REASON_NOT_ALLOWED"

    def __init__(self, status_code: str, reason_code: str, allowed: frozenset[str]) -> None:
        choices = ", ".join(sorted(allowed))
        super().__init__(
            Text(
                f"Le motif {reason_code} n’est pas admis pour le statut {status_code}.",
                f"Reason {reason_code} is not allowed for status {status_code}.",
            ),
            Text(f"Choisissez parmi : {choices}.", f"Choose among: {choices}."),
            where="MDT-113, BR-FR-CDV-CL-09",
        )


class NotForPublicPortalError(InvalidStatusMessageError):
    """Annex 7 G7.44, G7.49 and G7.12: what the public portal rejects."""

    code: ClassVar[str] = "NOT_FOR_PUBLIC_PORTAL"

    def __init__(self, what: Text, where: str) -> None:
        super().__init__(
            Text(f"Le portail public n’accepte pas {what.fr}.", f"The public portal does not accept {what.en}."),
            Text("Envoyez ce message aux seules parties.", "Send this message to the parties only."),
            where=where,
        )


class MissingRecipientError(InvalidStatusMessageError):
    """BR-FR-CDV-08: a recipient that is not a platform needs an electronic address."""

    code: ClassVar[str] = "MISSING_RECIPIENT"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Le message n’a aucun destinataire, ou un destinataire sans adresse électronique.",
                "The message has no recipient, or a recipient without electronic address.",
            ),
            Text("Donnez l’adresse de facturation du destinataire.", "Give the recipient’s invoicing address."),
            where="MDT-73, BR-FR-CDV-08",
        )


class WrongIssuerError(InvalidStatusMessageError):
    """BR-FR-CDV-07 and CL-03: a treatment status comes from a party with its identifier."""

    code: ClassVar[str] = "WRONG_ISSUER"

    def __init__(self, status_code: str, *, portal_only: bool = False) -> None:
        """`portal_only`: the public portal alone sets that status, nobody writes it for it."""
        portal = Text(
            "Le portail public seul le pose : attendez-le de votre plateforme.",
            "The public portal alone sets it: await it from your platform.",
        )
        others = Text(
            "Statut de transmission : une plateforme (WK). Statut de traitement : une partie, avec son SIREN.",
            "Transmission status: a platform (WK). Treatment status: a party, with its SIREN.",
        )
        super().__init__(
            Text(
                f"L’auteur du statut {status_code} n’a pas le rôle ou l’identifiant attendu.",
                f"The issuer of status {status_code} lacks the expected role or identifier.",
            ),
            portal if portal_only else others,
            where="MDT-38, MDT-40, BR-FR-CDV-07, BR-FR-CDV-CL-03",
        )


class InvoiceNotFoundError(GatewayError):
    """No invoice that the asker may see has that identifier or number."""

    code: ClassVar[str] = "INVOICE_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, wanted: str) -> None:
        """`wanted`: the identifier or the number (BT-1) asked for."""
        super().__init__(
            Text(f"Aucune facture « {quoted(wanted)} ».", f"There is no invoice “{quoted(wanted)}”."),
            Text(
                "Vérifiez le numéro et votre périmètre d’agences et de clients.",
                "Check the number, and the agencies and customers you may see.",
            ),
            where=quoted(wanted),
        )


class InvoiceWithoutKeyError(GatewayError):
    """An invoice cannot be followed without what identifies it and what it asks for."""

    code: ClassVar[str] = "INVOICE_WITHOUT_KEY"
    status: ClassVar[int] = 422

    def __init__(self, number: str, missing: list[str]) -> None:
        """`missing`: the terms that the invoice lacks, such as BT-2."""
        terms = ", ".join(missing)
        super().__init__(
            Text(
                f"La facture « {quoted(number)} » ne peut pas être suivie : il manque {terms}.",
                f"Invoice “{quoted(number)}” cannot be followed: {terms} missing.",
            ),
            Text("Complétez ces termes et renvoyez la facture.", "Complete these terms and send the invoice again."),
            where=terms,
        )


class LimitedViewError(GatewayError):
    """The feed of events is for who sees the whole organisation: a part of it would have gaps nobody could notice."""

    code: ClassVar[str] = "LIMITED_VIEW"
    status: ClassVar[int] = 403

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Le flux des événements montre toute l’organisation, dont vous ne voyez qu’une partie.",
                "The feed of events shows the whole organisation, of which you may see a part only.",
            ),
            Text(
                "Lisez la chronologie de chaque facture, ou demandez un client d’API à l’administrateur.",
                "Read the timeline of each invoice, or ask the administrator for an API client.",
            ),
        )
