"""What can go wrong with notifications."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class MailServerAddressError(GatewayError):
    """The setting smtp_url is not the address of a mail server; it holds a password, so it is not shown."""

    code: ClassVar[str] = "INVALID_MAIL_SERVER_ADDRESS"

    def __init__(self) -> None:
        super().__init__(
            Text("L’adresse du serveur de messagerie est illisible.", "The address of the mail server is unreadable."),
            Text(
                "Écrivez smtp://utilisateur:mot-de-passe@hote:587 ou smtps://…:465.",
                "Write smtp://user:password@host:587 or smtps://…:465.",
            ),
            "GATEWAY_SMTP_URL",
        )
