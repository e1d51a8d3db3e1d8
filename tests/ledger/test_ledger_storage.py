"""A folder and a bucket keep the same promises; what a store cannot do has a name."""

import hashlib
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import (
    DocumentDamagedError,
    DocumentMissingError,
    DocumentPurgedError,
    DocumentStoreDeniedError,
    DocumentStoreMissingError,
    DocumentStoreUnavailableError,
    DocumentsUrlError,
)
from gateway.ledger.object_storage import BucketStorage
from gateway.ledger.opening import open_documents
from gateway.ledger.storage import FolderStorage, Storage

NAME = "ab" * 32
AT = datetime(2037, 1, 2, tzinfo=UTC)


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "documents")
    return request.getfixturevalue("s3").storage()


@pytest.fixture
def store(storage) -> DocumentStore:
    return DocumentStore(storage)


def test_what_was_never_kept_is_not_there(storage):
    assert storage.read(NAME) is None
    assert not storage.has(NAME)
    storage.remove(NAME)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_every_document_comes_back_as_it_was_kept(store, data):
    sha256 = store.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert store.get(sha256) == data


def test_a_large_document_comes_back_as_it_was_kept(store):
    data = bytes(range(256)) * 50_000
    assert store.get(store.put(data)) == data


def test_keeping_what_is_there_writes_nothing(storage, monkeypatch):
    storage.keep(NAME, b"data")

    def refuse(*_: object) -> None:
        raise AssertionError("written again")

    monkeypatch.setattr(storage, "write", refuse)
    storage.keep(NAME, b"data")
    assert storage.read(NAME) == b"data"


def test_keeping_mends_what_was_damaged(store, storage):
    sha256 = store.put(b"data")
    storage.write(sha256, b"DATA")
    with pytest.raises(DocumentDamagedError):
        store.get(sha256)
    store.put(b"data")
    assert store.get(sha256) == b"data"


def test_documents_swapped_in_the_store_are_never_handed_out(store, storage):
    first, second = store.put(b"facture"), store.put(b"avoir")
    storage.write(first, b"avoir")
    storage.write(second, b"facture")
    for sha256 in (first, second):
        with pytest.raises(DocumentDamagedError):
            store.get(sha256)


def test_a_purge_deletes_the_bytes_and_says_when_and_why(store, storage):
    sha256 = store.put(b"data")
    assert store.purge(sha256, at=AT, rule="R 1")
    assert not storage.has(sha256)
    with pytest.raises(DocumentPurgedError, match=r"2037-01-02 by rule R 1"):
        store.get(sha256)
    assert not store.purge(sha256, at=AT, rule="R 1")
    store.put(b"data")
    assert store.get(sha256) == b"data"
    assert store.purge(sha256, at=AT + timedelta(days=365), rule="R 2")
    with pytest.raises(DocumentPurgedError, match=r"2038-01-02 by rule R 2"):
        store.get(sha256)


def test_many_writers_of_one_document_leave_it_whole(store):
    data = b"x" * 100_000
    threads = [threading.Thread(target=store.put, args=(data,)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert store.get(hashlib.sha256(data).hexdigest()) == data


def test_the_objects_of_a_bucket_are_named_by_their_hash_under_the_prefix(s3):
    bucket = s3.bucket()
    sha256 = DocumentStore(BucketStorage(s3.access(f"s3://{bucket}/house/documents"))).put(b"data")
    (found,) = s3.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == f"house/documents/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def test_a_bucket_that_does_not_exist_is_said_to_be_missing(s3):
    storage = BucketStorage(s3.access("s3://no-such-bucket/x"))
    for act in (lambda: storage.read(NAME), lambda: storage.keep(NAME, b""), lambda: storage.write(NAME, b"")):
        with pytest.raises(DocumentStoreMissingError, match="s3://no-such-bucket/x"):
            act()


def test_a_server_that_is_not_there_is_said_to_be_silent_in_bounded_time(s3):
    storage = BucketStorage(s3.access("s3://b/x", endpoint="http://127.0.0.1:1", timeout=timedelta(seconds=0.2)))
    with pytest.raises(DocumentStoreUnavailableError) as error:
        storage.read(NAME)
    assert "secret" not in str(error.value)


def test_a_server_that_never_answers_is_given_up_in_bounded_time(s3):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections are taken by the system, and nobody reads them
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        storage = BucketStorage(s3.access("s3://b/x", endpoint=endpoint, timeout=timedelta(seconds=0.2)))
        start = monotonic()
        with pytest.raises(DocumentStoreUnavailableError):
            storage.keep(NAME, b"data")
    assert monotonic() - start < 10


def test_a_server_that_answers_with_faults_is_tried_again_a_few_times(s3, answering):
    server = answering(503)
    storage = BucketStorage(s3.access("s3://b/x", endpoint=server.url, timeout=timedelta(seconds=2)))
    with pytest.raises(DocumentStoreUnavailableError):
        storage.keep(NAME, b"data")
    assert 2 <= server.requests <= 5


def test_refused_credentials_are_said_to_be_refused(s3, answering):
    storage = BucketStorage(s3.access("s3://b/x", endpoint=answering(403).url))
    for act in (lambda: storage.read(NAME), lambda: storage.keep(NAME, b""), lambda: storage.has(NAME)):
        with pytest.raises(DocumentStoreDeniedError):
            act()


def test_a_folder_that_cannot_be_written_is_said_to_be_unusable(tmp_path):
    (tmp_path / "documents").write_text("a file where the folder should be")
    with pytest.raises(DocumentStoreUnavailableError, match="documents"):
        DocumentStore(tmp_path / "documents").put(b"data")


def test_the_settings_choose_the_store(s3, tmp_path):
    bucket = s3.bucket()
    chosen = {
        "documents_endpoint": s3.endpoint,
        "documents_region": "us-east-1",
        "documents_access_key": "key",
        "documents_secret_key": "never-shown",
    }
    kept = load_settings(data_dir=tmp_path, documents_url=f"s3://{bucket}/x", **chosen)
    assert open_documents(kept).get(open_documents(kept).put(b"data")) == b"data"
    assert "Contents" in s3.client().list_objects_v2(Bucket=bucket)
    folder = open_documents(load_settings(data_dir=tmp_path, documents_url=f"file://{tmp_path}/un%20autre"))
    folder.put(b"data")
    assert Path(folder.place) == tmp_path / "un autre"
    assert Path(open_documents(load_settings(data_dir=tmp_path)).place) == tmp_path / "documents"
    assert "never-shown" not in repr(kept)


def test_the_usual_variables_reach_the_bucket(s3, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    store = open_documents(load_settings(data_dir=tmp_path, documents_url=f"s3://{s3.bucket()}"))
    assert store.get(store.put(b"data")) == b"data"


def test_a_missing_bucket_is_found_when_the_store_is_opened(s3, tmp_path):
    settings = load_settings(
        data_dir=tmp_path,
        documents_url="s3://no-such-bucket",
        documents_endpoint=s3.endpoint,
        documents_access_key="key",
        documents_secret_key="secret",
    )
    with pytest.raises(DocumentStoreMissingError):
        open_documents(settings)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "documents",
        "ftp://host/x",
        "s3://",
        "s3:///x",
        "s3://key:secret@bucket/x",
        "s3://b/x?y=1",
        "file:///",
        "file://host/x",
    ],
)
def test_an_address_that_names_no_store_is_refused_and_not_repeated(tmp_path, url):
    with pytest.raises(DocumentsUrlError) as error:
        open_documents(load_settings(data_dir=tmp_path), url or "x")
    assert "secret" not in str(error.value)


def test_a_missing_document_is_missing_in_either_store(store):
    with pytest.raises(DocumentMissingError):
        store.get(NAME)
