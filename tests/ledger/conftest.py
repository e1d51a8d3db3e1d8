"""An S3 server on this machine, spoken to over HTTP, and what the tests of the ledger share."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from gateway.ledger.object_storage import BucketAccess, BucketStorage
from gateway.ledger.signing import KEY_FILE, SigningKey, load_key


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server without buckets at an endpoint; it takes any credentials."""

    endpoint: str

    def bucket(self) -> str:
        """The name of a fresh bucket."""
        name = f"documents-{uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self):
        """What an operator would look into the bucket with."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    def access(self, url: str, **changes: object) -> BucketAccess:
        """How the gateway reaches a bucket here."""
        given = {
            "url": url,
            "timeout": timedelta(seconds=5),
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key": "key",
            "secret_key": SecretStr("secret"),
        }
        return BucketAccess(**(given | changes))

    def storage(self) -> BucketStorage:
        """A fresh bucket, under a prefix."""
        return BucketStorage(self.access(f"s3://{self.bucket()}/gateway/documents"))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Server(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def key(tmp_path) -> SigningKey:
    """The key of an installation."""
    return load_key(tmp_path / KEY_FILE)


@pytest.fixture
def new_key(tmp_path) -> Callable[[], SigningKey]:
    """Makes the key of another installation."""
    return lambda: load_key(tmp_path / uuid4().hex / KEY_FILE)


@dataclass(slots=True)
class Answering:
    """A server that answers everything with one status, and counts."""

    url: str = ""
    requests: int = 0


@pytest.fixture
def answering() -> Iterator[Callable[[int], Answering]]:
    """Starts such a server."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int) -> Answering:
        state = Answering()

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                state.requests += 1
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815, the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        return state

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()
