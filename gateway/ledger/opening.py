"""From settings to the store of documents: a folder, or a bucket by its address."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentsUrlError
from gateway.ledger.object_storage import BucketAccess, BucketStorage
from gateway.ledger.storage import FolderStorage, Storage

#: Name under which nothing is ever kept: asking for it shows that the store answers.
_NOTHING = "0" * 64


def open_documents(settings: Settings, url: str | None = None) -> DocumentStore:
    """The store of the settings, or that of another address under the same settings, once it has answered.

    Raises DocumentsUrlError, DocumentStoreUnavailableError, DocumentStoreMissingError, DocumentStoreDeniedError.
    """
    storage = _storage(settings, url or settings.documents_url)
    storage.read(_NOTHING)
    return DocumentStore(storage)


def _storage(settings: Settings, url: str | None) -> Storage:
    if url is None:
        return FolderStorage(settings.data_dir / "documents")
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/"):
        return FolderStorage(Path(unquote(parts.path)))
    if parts.scheme != "s3" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise DocumentsUrlError
    return BucketStorage(
        BucketAccess(
            url=url,
            timeout=timedelta(seconds=settings.documents_timeout_seconds),
            endpoint=settings.documents_endpoint,
            region=settings.documents_region,
            access_key=settings.documents_access_key,
            secret_key=settings.documents_secret_key,
        )
    )
