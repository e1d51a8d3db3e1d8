"""What can go wrong when a person settles a delivery."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class DeliveryNotFoundError(GatewayError):
    """No delivery of the organisation has that identifier."""

    code: ClassVar[str] = "DELIVERY_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, delivery_id: str) -> None:
        super().__init__(
            Text("Cet envoi n’existe pas.", "There is no such delivery."),
            Text("Reprenez l’identifiant de la liste.", "Use the identifier of the list."),
            delivery_id,
        )


class DeliveryNotSettledByPersonError(GatewayError):
    """The delivery does not wait for a person: it is under way, or has arrived."""

    code: ClassVar[str] = "DELIVERY_NOT_WAITING"
    status: ClassVar[int] = 409

    def __init__(self, delivery_id: str, state: str) -> None:
        super().__init__(
            Text(
                f"Cet envoi n’attend pas de décision ({state}).",
                f"This delivery does not wait for a decision ({state}).",
            ),
            Text("Rechargez la liste.", "Reload the list."),
            delivery_id,
        )
