"""What can go wrong with the terminal itself."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class OutputLostError(GatewayError):
    """What the command prints cannot be written: the disk behind it is full, or the device fails."""

    code: ClassVar[str] = "OUTPUT_LOST"

    def __init__(self, reason: str) -> None:
        super().__init__(
            Text(
                f"Le résultat ne peut pas être écrit en entier : {reason}.",
                f"The result cannot be written in full: {reason}.",
            ),
            Text("Libérez de la place, puis relancez la commande.", "Free some space, then run the command again."),
            "stdout",
        )
