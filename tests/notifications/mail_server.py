"""A mail server for tests: real SMTP on the loopback, that answers or falls silent as told."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Behaviour:
    """What the server answers at each step; an empty answer closes the connection; "silence" keeps it open."""

    greeting: str = "220 ready"
    auth: str = "235 welcome"
    mail: str = "250 ok"
    recipient: str = "250 ok"
    data: str = "354 go on"
    message: str = "250 queued"
    offers_auth: bool = False
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        behaviour = self.server.behaviour
        answers = {"MAIL": behaviour.mail, "RCPT": behaviour.recipient, "AUTH": behaviour.auth, "QUIT": "221 bye"}
        if not self._answer(behaviour.greeting):
            return
        while line := self.rfile.readline():
            verb = line.decode("ascii").strip().upper()[:4]
            behaviour.commands.append(line.decode("ascii").strip())
            if verb == "EHLO":
                self._answer("250-test\r\n250 AUTH PLAIN" if behaviour.offers_auth else "250 test")
            elif verb == "DATA":
                if not self._answer(behaviour.data):
                    return
                if behaviour.data.startswith("354"):
                    behaviour.messages.append(self._read_message())
                    if not self._answer(behaviour.message):
                        return
            elif not self._answer(answers.get(verb, "250 ok")) or verb == "QUIT":
                return

    def _read_message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _answer(self, words: str) -> bool:
        if words == "silence":
            self.server.behaviour.released.wait(30)
            return False
        if words:
            self.wfile.write(words.encode() + b"\r\n")
        return bool(words)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    behaviour: Behaviour


@contextmanager
def mail_server(behaviour: Behaviour) -> Iterator[int]:
    """Run a server with that behaviour; its port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.behaviour = behaviour
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            behaviour.released.set()
            server.shutdown()
            thread.join()
