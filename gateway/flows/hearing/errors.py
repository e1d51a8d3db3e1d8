"""What can go wrong with the calls of a platform and our subscription to them."""

from datetime import timedelta
from typing import ClassVar

from gateway.flows.errors import PlatformError
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class PlatformCallError(GatewayError):
    """A call that is not taken. Nothing it tells is lost: the platform's list is read all the same."""

    code: ClassVar[str] = "PLATFORM_CALL_REFUSED"
    status: ClassVar[int] = 400


class UnprovenCallError(PlatformCallError):
    """The call does not come from a platform that we subscribed to, or not now: which of these is not said."""

    code: ClassVar[str] = "PLATFORM_CALL_UNPROVEN"
    status: ClassVar[int] = 401

    def __init__(self) -> None:
        super().__init__(
            Text("Cet appel n’est pas prouvé.", "This call is not proven."),
            Text(
                "Signez-le avec la clé de l’abonnement et l’heure présente (norme XP Z12-013, createWebhook).",
                "Sign it with the key of the subscription and the present time (standard XP Z12-013, createWebhook).",
            ),
        )


class CallSwitchedOffError(PlatformCallError):
    """The call is proven, and its connection is switched off."""

    code: ClassVar[str] = "PLATFORM_CALL_SWITCHED_OFF"
    status: ClassVar[int] = 401

    def __init__(self, platform: str) -> None:
        super().__init__(
            Text(f"La connexion {platform} est désactivée.", f"The connection {platform} is switched off."),
            Text("Réactivez-la : gateway platforms enable.", "Switch it on: gateway platforms enable."),
        )


class ReplayedCallError(PlatformCallError):
    """The very same call was heard before."""

    code: ClassVar[str] = "PLATFORM_CALL_REPLAYED"
    status: ClassVar[int] = 409

    def __init__(self) -> None:
        super().__init__(
            Text("Cet appel a déjà été entendu.", "This call was heard before."),
            Text("Il n’y a rien à refaire.", "There is nothing to repeat."),
        )


class MalformedCallError(PlatformCallError):
    """The call is proven and names no flow."""

    code: ClassVar[str] = "PLATFORM_CALL_MALFORMED"

    def __init__(self, reason: Text) -> None:
        super().__init__(reason, Text("Envoyez le flux (Flow) de la norme XP Z12-013.", "Send the Flow of XP Z12-013."))


class CallNotSettledError(PlatformCallError):
    """The flow is being written by another process at this moment."""

    code: ClassVar[str] = "PLATFORM_CALL_NOT_SETTLED"
    status: ClassVar[int] = 503
    retry_after = timedelta(seconds=30)

    def __init__(self) -> None:
        super().__init__(
            Text("Ce flux est en cours d’envoi.", "This flow is being sent."),
            Text("Rappelez un peu plus tard.", "Call again a little later."),
        )


class FlowNotReadError(PlatformCallError):
    """The flow that the call names could not be read at the platform; why is in our logs."""

    code: ClassVar[str] = "PLATFORM_CALL_NOT_READ"
    status: ClassVar[int] = 503
    retry_after = timedelta(seconds=30)

    def __init__(self) -> None:
        super().__init__(
            Text("Le flux nommé n’a pas pu être lu chez vous.", "The flow named could not be read at your service."),
            Text("Rappelez un peu plus tard.", "Call again a little later."),
        )


class CallTooLargeError(PlatformCallError):
    """The call is longer than any flow; it was not read to its end."""

    code: ClassVar[str] = "PLATFORM_CALL_TOO_LARGE"
    status: ClassVar[int] = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text(f"L’appel dépasse {limit} octets.", f"The call is larger than {limit} bytes."),
            Text("Envoyez les métadonnées du flux, sans son fichier.", "Send the metadata of the flow, not its file."),
        )


class NoPublicAddressError(PlatformError):
    """A platform cannot call us: nobody said at which address."""

    code: ClassVar[str] = "NO_PUBLIC_ADDRESS"
    status: ClassVar[int] = 422

    def __init__(self) -> None:
        super().__init__(
            Text(
                "L’adresse à laquelle la plateforme nous appelle n’est pas connue.",
                "The address at which the platform calls us is not known.",
            ),
            Text("Donnez GATEWAY_PUBLIC_URL.", "Set GATEWAY_PUBLIC_URL."),
        )


class AlreadySubscribedError(PlatformError):
    """The platform calls us already."""

    code: ClassVar[str] = "ALREADY_SUBSCRIBED"
    status: ClassVar[int] = 409

    def __init__(self, platform: str) -> None:
        super().__init__(
            Text(f"La plateforme {platform} nous appelle déjà.", f"The platform {platform} calls us already."),
            Text(
                "Pour recommencer, à une autre adresse par exemple : gateway platforms unsubscribe.",
                "To begin again, at another address for instance: gateway platforms unsubscribe.",
            ),
        )


class NotSubscribedError(PlatformError):
    """The platform does not call us."""

    code: ClassVar[str] = "NOT_SUBSCRIBED"
    status: ClassVar[int] = 404

    def __init__(self, platform: str) -> None:
        super().__init__(
            Text(f"La plateforme {platform} ne nous appelle pas.", f"The platform {platform} does not call us."),
            Text("Abonnez-vous : gateway platforms subscribe.", "Subscribe: gateway platforms subscribe."),
        )
