"""What can go wrong with a drop, by name."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class DropUnavailableError(GatewayError):
    """The folder or the server of a drop cannot be reached, or refuses what is asked of it."""

    code: ClassVar[str] = "DROP_UNAVAILABLE"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            Text(f"Le dépôt « {name} » ne répond pas : {reason}.", f"Drop “{name}” cannot be used: {reason}."),
            Text(
                "Vérifiez son adresse, ses droits et, pour SFTP, la clé et le fichier known_hosts ; rien n’est perdu, "
                "il sera relu au prochain tour.",
                "Check its address, its permissions and, for SFTP, the key and the known_hosts file; nothing is lost, "
                "it is read again on the next round.",
            ),
            name,
        )


class DropOfNobodyError(GatewayError):
    """A drop names an organisation that the gateway does not hold."""

    code: ClassVar[str] = "DROP_OF_NOBODY"

    def __init__(self, name: str, siren: str) -> None:
        super().__init__(
            Text(
                f"Le dépôt « {name} » est celui d’une organisation inconnue : {siren}.",
                f"Drop “{name}” belongs to an organisation that is not known: {siren}.",
            ),
            Text(
                "Corrigez son champ « organisation » dans GATEWAY_DROPS, ou créez-la : gateway organisations add.",
                "Correct its field “organisation” in GATEWAY_DROPS, or create it: gateway organisations add.",
            ),
            "GATEWAY_DROPS",
        )
