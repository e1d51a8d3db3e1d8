"""E-mails leave through the outbox: a deliverer that speaks SMTP and knows when a message may have left."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from gateway.jobs.channels import Deliverer, Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.kernel.text import one_line
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.notifications.errors import MailServerAddressError

#: Kind of the outbox messages that are e-mails. Their payload holds `to`, `subject` and `body`, and may hold `html`,
#: `reply_to` and `attachments`: name, media_type and sha256 of documents in the store.
EMAIL = "email"
TIMEOUT_SECONDS = 30.0
#: How the reason of a failure begins when the server knows no such address, or none that takes mail.
ADDRESS_REFUSED = "address refused"
_READY_FOR_DATA = 354
_ACCEPTED = range(200, 300)
_PERMANENT = range(500, 600)
#: RFC 5321, 4.2.3: mailbox unavailable, user not local, mailbox name not allowed; RFC 7504: the host takes no mail.
_NO_SUCH_MAILBOX = (550, 551, 553, 556)
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
#: Seven-bit text passes every server; addresses stay as they are.
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mails go: `smtp` with STARTTLS when there is a password, or `smtps`, encrypted from the first byte."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """The server of an address such as smtp://user:password@host:587. Raises MailServerAddressError."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise MailServerAddressError from error
        if not parts.hostname:
            raise MailServerAddressError
        return cls(parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


def mail_deliverer(
    settings: Settings, clock: Clock, documents: DocumentStore, *, timeout: float = TIMEOUT_SECONDS
) -> Deliverer | None:
    """The deliverer of e-mails; None when no mail server is set. Raises MailServerAddressError.

    `documents`: where attachments are. A mail whose attachment is missing does not leave without it.
    """
    if settings.smtp_url is None:
        return None
    server, sender = MailServer.of(settings.smtp_url.get_secret_value()), settings.mail_from

    def deliver(delivery: Delivery) -> str:
        message = compose(delivery, sender, documents)
        message["Date"] = format_datetime(clock())
        with _session(server, timeout) as client:
            _send(client, message, parseaddr(sender)[1], delivery.payload["to"])
        return str(message["Message-ID"])

    return deliver


def compose(delivery: Delivery, sender: str, documents: DocumentStore) -> EmailMessage:
    """The e-mail of a delivery. Its Message-ID follows from the idempotency key, so that a repeat is recognised.

    Raises DeliveryFailedError when an attachment is not in the store, or damaged there.
    """
    message = EmailMessage(policy=_POLICY)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{sha256(delivery.idempotency_key.encode()).hexdigest()[:32]}@{domain}>"
    message["From"] = sender
    message["To"] = delivery.payload["to"]
    message["Subject"] = one_line(delivery.payload["subject"])
    message["Auto-Submitted"] = "auto-generated"
    if delivery.payload.get("reply_to"):
        message["Reply-To"] = delivery.payload["reply_to"]
    message.set_content(delivery.payload["body"])
    if delivery.payload.get("html"):
        message.add_alternative(delivery.payload["html"], subtype="html")
    for each in delivery.payload.get("attachments", ()):
        main, _, sub = each["media_type"].partition("/")
        message.add_attachment(_document(documents, each["sha256"]), maintype=main, subtype=sub, filename=each["name"])
    return message


def _document(documents: DocumentStore, sha256: str) -> bytes:
    try:
        return documents.get(sha256)
    except (DocumentMissingError, DocumentDamagedError) as error:
        raise DeliveryFailedError(f"attachment {sha256}: {error}", permanent=True) from error


@contextmanager
def _session(server: MailServer, timeout: float) -> Iterator[smtplib.SMTP]:
    """A connected and authenticated session; nothing that fails in here has left."""
    try:
        client = _connected(server, timeout)
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailedError(f"mail server {server.host}:{server.port}: {error}") from error
    try:
        yield client
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
    finally:
        client.close()


def _connected(server: MailServer, timeout: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        client.ehlo()
        if server.scheme == "smtp" and client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo()
        elif server.scheme == "smtp" and server.password:
            raise DeliveryFailedError(
                f"mail server {server.host} offers no STARTTLS: the password is not sent in clear"
            )
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _send(client: smtplib.SMTP, message: EmailMessage, sender: str, recipient: str) -> None:
    try:
        _expect(client.mail(sender))
        _expect_recipient(client.rcpt(recipient))
        code, answer = client.docmd("DATA")
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailedError(f"mail server: {error}") from error
    if code != _READY_FOR_DATA:
        raise _refused(code, answer)
    try:
        client.send(_dot_stuffed(message.as_bytes()) + b".\r\n")
        code, answer = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryAmbiguousError(f"mail server silent after the message: {error}") from error
    _expect((code, answer))


def _expect(reply: tuple[int, bytes]) -> None:
    if reply[0] not in _ACCEPTED:
        raise _refused(*reply)


def _expect_recipient(reply: tuple[int, bytes]) -> None:
    """As `_expect`, and says so when it is the address that is wrong: not what a policy refuses (RFC 3463, X.7.Z)."""
    words = reply[1].decode(errors="replace")
    if reply[0] in _NO_SUCH_MAILBOX and not words.startswith("5.7."):
        raise DeliveryFailedError(f"{ADDRESS_REFUSED}: {reply[0]} {words}", permanent=True)
    _expect(reply)


def _refused(code: int, answer: bytes | str) -> DeliveryFailedError:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return DeliveryFailedError(f"mail server answers {code} {words}", permanent=code in _PERMANENT)


def _dot_stuffed(data: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that starts with a dot gets another one."""
    stuffed = re.sub(rb"(?m)^\.", b"..", data)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
