"""What can go wrong with webhooks."""

from typing import ClassVar

from gateway.flows.errors import FlowError
from gateway.kernel.text import Text


class WebhookNotFoundError(FlowError):
    """The caller has no webhook of that identifier."""

    code: ClassVar[str] = "MISSING_RESOURCE"
    status: ClassVar[int] = 404

    def __init__(self, webhook_id: str) -> None:
        super().__init__(
            Text("Ce webhook n’existe pas.", "There is no such webhook."),
            Text("Listez ceux de ce client par GET.", "List those of this client with GET."),
            f"webhook {webhook_id}",
        )


class CallbackRefusedError(FlowError):
    """The gateway does not call that address."""

    code: ClassVar[str] = "INVALID_REQUEST"
    status: ClassVar[int] = 400

    def __init__(self, reason: Text) -> None:
        super().__init__(
            Text(f"Adresse de rappel refusée : {reason.fr}.", f"Callback address refused: {reason.en}."),
            Text(
                "Donnez une adresse https publique (voir GATEWAY_WEBHOOK_ALLOW_HTTP et GATEWAY_WEBHOOK_ALLOW_PRIVATE).",
                "Give a public https address (see GATEWAY_WEBHOOK_ALLOW_HTTP and GATEWAY_WEBHOOK_ALLOW_PRIVATE).",
            ),
            "callbackUrl",
        )


class TooManyWebhooksError(FlowError):
    """The caller has as many webhooks as one program may have."""

    code: ClassVar[str] = "TOO_MANY_WEBHOOKS"
    status: ClassVar[int] = 403

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text(f"Ce client a déjà {limit} webhooks.", f"This client has {limit} webhooks already."),
            Text("Supprimez ceux qui ne servent plus.", "Delete those that are no longer used."),
        )
