"""What can go wrong when flows are submitted, read back, processed or exchanged with a platform."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class FlowError(GatewayError):
    """A request about a flow that cannot be served. The codes are those of XP Z12-013 where it names one."""

    code: ClassVar[str] = "UNPROCESSABLE_ENTITY"
    status: ClassVar[int] = 422


class InvalidFlowRequestError(FlowError):
    """The request itself is malformed: a part or a field is missing or has a wrong value."""

    code: ClassVar[str] = "INVALID_REQUEST"
    status: ClassVar[int] = 400

    def __init__(self, reason: Text | str, where: str) -> None:
        """`reason`: what is wrong, a text in English when a parser says it; `where`: the field."""
        told = Text(reason, reason) if isinstance(reason, str) else reason
        super().__init__(
            Text(
                f"La requête est mal formée : {told.fr.rstrip('.')}.",
                f"The request is malformed: {told.en.rstrip('.')}.",
            ),
            Text("Corrigez ce champ selon la norme XP Z12-013.", "Correct this field as standard XP Z12-013 says."),
            where,
        )


class MissingFieldError(InvalidFlowRequestError):
    """A required part or field is absent."""

    code: ClassVar[str] = "MISSING_REQUIRED_FIELD"

    def __init__(self, where: str) -> None:
        super().__init__(Text("il y manque un champ obligatoire", "a required field is missing"), where)


class FileSizeExceededError(FlowError):
    """The request is larger than the gateway accepts; it was not read to its end."""

    code: ClassVar[str] = "FILE_SIZE_EXCEEDED"
    status: ClassVar[int] = 413

    def __init__(self, limit: int) -> None:
        """`limit`: bytes accepted for one file."""
        super().__init__(
            Text(f"Le fichier dépasse {limit} octets.", f"The file is larger than {limit} bytes."),
            Text(
                "Réduisez le fichier, ou demandez à l’administrateur de relever GATEWAY_MAX_FILE_BYTES.",
                "Make the file smaller, or ask the administrator to raise GATEWAY_MAX_FILE_BYTES.",
            ),
            "file",
        )


class ChecksumMismatchError(FlowError):
    """The sha256 that came with the file is not the file's."""

    code: ClassVar[str] = "CHECKSUM_MISMATCH"

    def __init__(self, declared: str, computed: str) -> None:
        super().__init__(
            Text(
                f"L’empreinte sha256 annoncée ({declared}) n’est pas celle du fichier reçu ({computed}).",
                f"The declared sha256 ({declared}) is not that of the file received ({computed}).",
            ),
            Text("Renvoyez le fichier : il a changé en route.", "Send the file again: it changed on its way."),
            "flowInfo.sha256",
        )


class TrackingIdReusedError(FlowError):
    """The tracking id belongs to another file already."""

    code: ClassVar[str] = "TRACKING_ID_REUSED"

    def __init__(self, tracking_id: str, flow_id: str) -> None:
        super().__init__(
            Text(
                f"Le trackingId {tracking_id} désigne déjà un autre fichier (flux {flow_id}).",
                f"The trackingId {tracking_id} already designates another file (flow {flow_id}).",
            ),
            Text("Donnez un trackingId neuf à chaque fichier.", "Give each file a trackingId of its own."),
            "flowInfo.trackingId",
        )


class FlowNotFoundError(FlowError):
    """No flow of the organisation has that identifier."""

    code: ClassVar[str] = "MISSING_RESOURCE"
    status: ClassVar[int] = 404

    def __init__(self, flow_id: str) -> None:
        super().__init__(
            Text("Ce flux n’existe pas.", "There is no such flow."),
            Text("Reprenez le flowId rendu au dépôt.", "Use the flowId returned at submission."),
            f"flowId {flow_id}",
        )


class DocumentAbsentError(FlowError):
    """A flow has no file of the kind asked for (docType)."""

    code: ClassVar[str] = "MISSING_RESOURCE"
    status: ClassVar[int] = 404

    def __init__(self, doc_type: str, reason: Text) -> None:
        super().__init__(
            Text(f"Ce flux n’a pas de {doc_type}. {reason.fr}", f"This flow has no {doc_type}. {reason.en}"),
            Text("Demandez docType=Original.", "Ask for docType=Original."),
            "docType",
        )


class UnknownPathError(FlowError):
    """The service has nothing at that path."""

    code: ClassVar[str] = "MISSING_RESOURCE"
    status: ClassVar[int] = 404

    def __init__(self, path: str) -> None:
        super().__init__(
            Text("Il n’y a rien à cette adresse.", "There is nothing at this address."),
            Text("Voir les chemins de la norme XP Z12-013.", "See the paths of standard XP Z12-013."),
            path,
        )


class MethodNotAllowedError(FlowError):
    """The path exists, for other methods."""

    code: ClassVar[str] = "METHOD_NOT_ALLOWED"
    status: ClassVar[int] = 405

    def __init__(self, method: str, allowed: str) -> None:
        """`allowed`: the methods served, separated by commas."""
        super().__init__(
            Text(f"{method} n’est pas prévu à cette adresse.", f"{method} is not served at this address."),
            Text(f"Méthodes prévues : {allowed}.", f"Methods served: {allowed}."),
            method,
        )


class FlowServiceFaultError(FlowError):
    """A fault of ours; its details are in the logs only."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self) -> None:
        super().__init__(
            Text("La passerelle a rencontré une erreur.", "The gateway met an error."),
            Text(
                "Rejouez l’appel avec le même trackingId ; si cela dure, prévenez l’exploitant.",
                "Repeat the call with the same trackingId; if it lasts, tell the operator.",
            ),
        )


class FlowServiceUnavailableError(FlowError):
    """The database does not answer, or too many calls wait for it."""

    code: ClassVar[str] = "RESOURCE_ERROR"
    status: ClassVar[int] = 503

    def __init__(self) -> None:
        super().__init__(
            Text("La passerelle est momentanément indisponible.", "The gateway is unavailable for a moment."),
            Text(
                "Rejouez l’appel un peu plus tard avec le même trackingId.",
                "Repeat the call a little later with the same trackingId.",
            ),
        )


class FlowNotInQuarantineError(FlowError):
    """Only a flow in quarantine is replayed."""

    code: ClassVar[str] = "FLOW_NOT_IN_QUARANTINE"
    status: ClassVar[int] = 409

    def __init__(self, flow_id: str) -> None:
        super().__init__(
            Text("Ce flux n’est pas en quarantaine.", "This flow is not in quarantine."),
            Text("Rechargez la liste : il a pu être relancé.", "Reload the list: it may have been replayed already."),
            f"flow {flow_id}",
        )


class ProcessingError(GatewayError):
    """A flow cannot be processed now; it is tried again, then quarantined."""

    code: ClassVar[str] = "FLOW_NOT_PROCESSED"
    status: ClassVar[int] = 500


class ValidationIncompleteError(ProcessingError):
    """A layer that must have passed before anything is sent was not run."""

    code: ClassVar[str] = "VALIDATION_INCOMPLETE"

    def __init__(self, layers: tuple[str, ...]) -> None:
        names = ", ".join(layers)
        super().__init__(
            Text(
                f"Des contrôles obligatoires n’ont pas été exécutés ({names}) : rien n’est envoyé.",
                f"Required checks were not run ({names}): nothing is sent.",
            ),
            Text(
                "Vérifiez l’installation des règles, ou le réglage GATEWAY_VALIDATION_REQUIRED_LAYERS.",
                "Check the installed rules, or the setting GATEWAY_VALIDATION_REQUIRED_LAYERS.",
            ),
            names,
        )


class ProcessingInterruptedError(ProcessingError):
    """The worker died each time it held this flow."""

    code: ClassVar[str] = "FLOW_INTERRUPTED"

    def __init__(self, attempts: int) -> None:
        super().__init__(
            Text(
                f"Le traitement s’est interrompu {attempts} fois sans donner de raison.",
                f"Processing stopped {attempts} times without giving a reason.",
            ),
            Text(
                "Regardez la mémoire et les journaux du traitement, puis relancez le flux.",
                "Look at the memory and the logs of the worker, then replay the flow.",
            ),
        )


class UnusableFlowError(ProcessingError):
    """No further try can succeed: the flow goes to quarantine at once, for a person to look at."""

    code: ClassVar[str] = "FLOW_UNUSABLE"


class UnreadablePlatformFlowError(UnusableFlowError):
    """A platform sent something that is neither an invoice nor a lifecycle message."""

    code: ClassVar[str] = "PLATFORM_FLOW_UNREADABLE"

    def __init__(self, reason: Text, where: str) -> None:
        """`reason`: why it cannot be read."""
        super().__init__(
            Text(
                f"Le flux reçu de la plateforme est illisible. {reason.fr}",
                f"The flow received from the platform cannot be read. {reason.en}",
            ),
            Text("Signalez-le à la plateforme, puis relancez-le.", "Report it to the platform, then replay it."),
            where,
        )


class NotOurInvoiceError(UnusableFlowError):
    """Neither the seller nor the buyer is the organisation."""

    code: ClassVar[str] = "NOT_OUR_INVOICE"

    def __init__(self, siren: str, seller: str | None, buyer: str | None) -> None:
        """`siren`: the organisation's; `seller`, `buyer`: those the invoice names."""
        super().__init__(
            Text(
                f"La facture n’est pas de cette organisation ({siren}) : vendeur {seller or 'sans SIREN'}, "
                f"acheteur {buyer or 'sans SIREN'}.",
                f"Not an invoice of this organisation ({siren}): seller {seller or 'without SIREN'}, "
                f"buyer {buyer or 'without SIREN'}.",
            ),
            Text(
                "Corrigez le SIREN du vendeur (BT-30) ou de l’acheteur (BT-47), ou déposez-la à la bonne organisation.",
                "Correct the SIREN of the seller (BT-30) or buyer (BT-47), or submit it to the right organisation.",
            ),
            "BT-30, BT-47",
        )


class InvoiceConflictError(UnusableFlowError):
    """Another document bears the same number, seller and year (BR-FR uniqueness, DGFiP specification)."""

    code: ClassVar[str] = "ALREADY_EXISTING_INVOICE"

    def __init__(self, number: str) -> None:
        """`number`: BT-1."""
        super().__init__(
            Text(
                f"Une autre facture porte déjà le numéro {number} chez ce vendeur la même année.",
                f"Another invoice of that seller and year already bears the number {number}.",
            ),
            Text(
                "Une correction prend un numéro neuf (facture rectificative ou avoir).",
                "A correction takes a new number (corrected invoice or credit note).",
            ),
            "BT-1",
        )


class PlatformError(GatewayError):
    """An exchange with an accredited platform failed."""

    code: ClassVar[str] = "PLATFORM_ERROR"
    status: ClassVar[int] = 502


class UnknownPlatformError(PlatformError):
    """No client is configured for that platform."""

    code: ClassVar[str] = "UNKNOWN_PLATFORM"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(f"Aucune plateforme ne s’appelle « {name} ».", f"No platform is called “{name}”."),
            Text("Corrigez GATEWAY_PLATFORM.", "Correct GATEWAY_PLATFORM."),
            name,
        )


class PlatformRefusedError(PlatformError):
    """The platform answered no: the same request can never succeed."""

    code: ClassVar[str] = "PLATFORM_REFUSED"

    def __init__(self, reason: Text, where: str = "") -> None:
        super().__init__(
            Text(f"La plateforme refuse l’envoi. {reason.fr}", f"The platform refuses it. {reason.en}"),
            Text("Corrigez le document, puis envoyez-le à nouveau.", "Correct the document, then send it again."),
            where,
        )


class PlatformUnavailableError(PlatformError):
    """The platform certainly did nothing: it may be asked again, not before `retry_after` when it gave one."""

    code: ClassVar[str] = "PLATFORM_UNAVAILABLE"

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(
            Text(f"La plateforme ne répond pas : {reason}.", f"The platform does not answer: {reason}."),
            Text("L’envoi sera repris de lui-même.", "It is tried again by itself."),
        )
        self.retry_after = retry_after


class PlatformAmbiguousError(PlatformError):
    """The request left but its answer was lost: the platform may or may not have acted."""

    code: ClassVar[str] = "PLATFORM_AMBIGUOUS"

    def __init__(self, reason: str) -> None:
        super().__init__(
            Text(f"La réponse de la plateforme s’est perdue : {reason}.", f"The platform’s answer was lost: {reason}."),
            Text(
                "Cherchez l’envoi chez la plateforme par son trackingId avant de le refaire.",
                "Look for it at the platform by its trackingId before sending it again.",
            ),
        )


class MessageNotSendableError(FlowError):
    """Our own validation refuses a message that was to be written or sent, or could not judge it to the end."""

    code: ClassVar[str] = "MESSAGE_NOT_SENDABLE"

    def __init__(self, name: str, layers: Sequence[str], problems: Sequence[Text]) -> None:
        """`layers`: those that failed or did not run; `problems`: what the rules say, at best."""
        blocking = ", ".join(layers)
        said = Text(" ".join(each.fr for each in problems), " ".join(each.en for each in problems))
        super().__init__(
            Text(
                f"Le message ne peut pas partir : {blocking}. {said.fr}".strip(),
                f"The message cannot leave: {blocking}. {said.en}".strip(),
            ),
            Text("Corrigez les données du statut.", "Correct the data of the status."),
            name,
        )


class UncheckedFlowError(FlowError):
    """A flow was to be handed over to a platform without a report that finds it valid: a fault of ours."""

    code: ClassVar[str] = "UNCHECKED_FLOW"
    status: ClassVar[int] = 500

    def __init__(self, flow_id: str) -> None:
        super().__init__(
            Text("Rien ne part sans avoir été validé.", "Nothing leaves without having been validated."),
            Text("Signalez ce défaut.", "Report this fault."),
            flow_id,
        )
