"""What can keep the service from starting."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AddressUnavailableError(GatewayError):
    """The service cannot listen on its address: another program does, or the address is not this machine's."""

    code: ClassVar[str] = "ADDRESS_UNAVAILABLE"
    status: ClassVar[int] = 503

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            Text(f"Impossible d'écouter sur {host}:{port} : {reason}.", f"Cannot listen on {host}:{port}: {reason}."),
            Text(
                "Arrêtez le programme qui occupe ce port, ou choisissez-en un autre : --port ou GATEWAY_PORT.",
                "Stop the program that holds this port, or choose another one: --port or GATEWAY_PORT.",
            ),
            "GATEWAY_HOST, GATEWAY_PORT",
        )
