"""What can keep the service from starting, or the demonstration from going on."""

from datetime import date
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AddressUnavailableError(GatewayError):
    """The service cannot listen on its address: another program does, or the address is not this machine's."""

    code: ClassVar[str] = "ADDRESS_UNAVAILABLE"
    status: ClassVar[int] = 503

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            Text(f"Impossible d’écouter sur {host}:{port} : {reason}.", f"Cannot listen on {host}:{port}: {reason}."),
            Text(
                "Arrêtez le programme qui occupe ce port, ou choisissez-en un autre : --port ou GATEWAY_PORT.",
                "Stop the program that holds this port, or choose another one: --port or GATEWAY_PORT.",
            ),
            "GATEWAY_HOST, GATEWAY_PORT",
        )


class StoryStuckError(GatewayError):
    """The demonstration cannot go on: what was pushed does not get through."""

    code: ClassVar[str] = "STORY_STUCK"
    status: ClassVar[int] = 503

    def __init__(self, day: date, waiting: int) -> None:
        super().__init__(
            Text(
                f"La démonstration n’avance plus le {day} : {waiting} flux ou messages n’aboutissent pas.",
                f"The demonstration is stuck on {day}: {waiting} flows or messages do not get through.",
            ),
            Text(
                "Lisez les journaux et la page /quarantine ; effacez le dossier de données pour recommencer.",
                "Read the logs and the page /quarantine; delete the data folder to begin again.",
            ),
            str(day),
        )
