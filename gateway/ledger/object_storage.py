"""Documents in a bucket of any store that speaks S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store
from pydantic import SecretStr

from gateway.ledger.errors import (
    DocumentStoreDeniedError,
    DocumentStoreMissingError,
    DocumentStoreUnavailableError,
)

if TYPE_CHECKING:  # described by the library for type checkers only
    from obstore.store import S3Config

#: A request is sent again at most so often: 5xx, 429, a connection lost or refused.
_RETRIES = 4
_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=2)
_NO_BUCKET = "NoSuchBucket"


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """How a bucket is reached; what is None comes from the usual variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL…)
    or from the machine's role.

    Attributes:
        url: `s3://bucket/prefix`.
        timeout: of one request.
    """

    url: str
    timeout: timedelta
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: SecretStr | None = None


class BucketStorage:
    """A bucket, under a prefix or not; a name's first four characters spread it, as in a folder.

    S3 answers a write when it is durable, and nobody reads half an object. Raises DocumentStoreUnavailableError,
    DocumentStoreMissingError, DocumentStoreDeniedError.
    """

    def __init__(self, access: BucketAccess) -> None:
        self._place = access.url
        with self._named():
            self._store = S3Store.from_url(
                access.url,
                config=_config(access),
                client_options={"timeout": access.timeout, "connect_timeout": access.timeout, "allow_http": True},
                retry_config={
                    "max_retries": _RETRIES,
                    "retry_timeout": access.timeout * _RETRIES,
                    "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
                },
            )

    @property
    def place(self) -> str:
        """The address of the bucket."""
        return self._place

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such object."""
        with self._named():
            try:
                return self._store.get(_key(name)).bytes().to_bytes()
            except FileNotFoundError as error:
                self._refuse_missing_bucket(error)
                return None

    def keep(self, name: str, data: bytes) -> None:
        """Put if absent: one request for a new object. One that is there is read, and written again if it differs."""
        with self._named():
            try:
                self._store.put(_key(name), data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                if self.read(name) != data:
                    self.write(name, data)
            except FileNotFoundError as error:
                raise DocumentStoreMissingError(self._place) from error

    def write(self, name: str, data: bytes) -> None:
        """Put, whatever is there."""
        with self._named():
            try:
                self._store.put(_key(name), data, use_multipart=False)
            except FileNotFoundError as error:
                raise DocumentStoreMissingError(self._place) from error

    def has(self, name: str) -> bool:
        """Whether the object is there."""
        with self._named():
            try:
                self._store.head(_key(name))
            except FileNotFoundError:
                return False
            return True

    def remove(self, name: str) -> None:
        """Delete the object."""
        with self._named():
            try:
                self._store.delete(_key(name))
            except FileNotFoundError as error:
                self._refuse_missing_bucket(error)

    def _refuse_missing_bucket(self, error: FileNotFoundError) -> None:
        if _NO_BUCKET in str(error):
            raise DocumentStoreMissingError(self._place) from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What the library raises, under the names of this room."""
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise DocumentStoreDeniedError(self._place) from error
        except BaseError as error:
            raise DocumentStoreUnavailableError(self._place, _first_line(error)) from error


def _config(access: BucketAccess) -> "S3Config":
    config: S3Config = {}
    if access.endpoint is not None:
        config["endpoint"] = access.endpoint
    if access.region is not None:
        config["region"] = access.region
    if access.access_key is not None:
        config["access_key_id"] = access.access_key
    if access.secret_key is not None:
        config["secret_access_key"] = access.secret_key.get_secret_value()
    return config


def _key(name: str) -> str:
    return f"{name[:2]}/{name[2:4]}/{name}"


def _first_line(error: BaseError) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
