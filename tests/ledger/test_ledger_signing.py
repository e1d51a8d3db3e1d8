"""The installation's key is made once, for its owner only; a change of key keeps what the old one signed."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.checkpoints import checkpoint_of, require_own
from gateway.ledger.errors import CheckpointInvalidError, LedgerKeyError
from gateway.ledger.key_changes import change_key, change_of, key_changes, trusted_keys
from gateway.ledger.service import append, verify
from gateway.ledger.signing import KEY_FILE, SigningKey, is_signed, load_key

KEY = SigningKey(ed25519.Ed25519PrivateKey.generate())


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    file = tmp_path / "data" / KEY_FILE
    assert load_key(file).public == load_key(file).public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [KEY_FILE]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len({key.public for key in pool.map(load_key, [tmp_path / KEY_FILE] * 16)}) == 1


@given(st.binary(max_size=200), st.integers(0, 63), st.integers(1, 255))
def test_a_signature_fits_its_data_and_its_key_only(data, place, by):
    signature = KEY.sign(data)
    assert is_signed(data, signature, KEY.public)
    assert not is_signed(data + b"x", signature, KEY.public)
    changed = bytearray.fromhex(signature)
    changed[place] ^= by
    assert not is_signed(data, changed.hex(), KEY.public)
    other = SigningKey(ed25519.Ed25519PrivateKey.generate())
    assert not is_signed(data, signature, other.public)


@pytest.mark.parametrize("nonsense", ["", "zz", "ab", "a" * 64])
def test_nonsense_is_no_signature(nonsense):
    assert not is_signed(b"data", nonsense, KEY.public)
    assert not is_signed(b"data", KEY.sign(b"data"), nonsense)


def test_the_public_key_is_exchanged_in_a_form_that_others_read():
    public = load_pem_public_key(KEY.public_pem().encode())
    public.verify(bytes.fromhex(KEY.sign(b"data")), b"data")


def other_kinds() -> dict[str, bytes]:
    x = x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    return {"text": b"no key", "empty": b"", "another kind": x, "with a password": locked}


@pytest.mark.parametrize("kind", list(other_kinds()))
def test_a_file_that_holds_no_key_of_this_kind_is_refused_and_kept(tmp_path, kind):
    file, data = tmp_path / KEY_FILE, other_kinds()[kind]
    file.write_bytes(data)
    with pytest.raises(LedgerKeyError):
        load_key(file)
    assert file.read_bytes() == data


def test_a_place_where_no_key_can_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerKeyError, match="file/key"):
        load_key(tmp_path / "file" / "key")


@pytest.fixture
def file(tmp_path):
    return tmp_path / KEY_FILE


def fill(database, organisation, clock) -> None:
    with database.transaction(organisation) as session:
        append(session, at=clock(), kind="flow.received", subject="flow:1", content={})


def trusted(database, organisation, file) -> set[str]:
    with database.transaction(organisation) as session:
        return trusted_keys(session, load_key(file))


def test_a_changed_key_is_recorded_in_every_ledger_and_its_file_holds_the_new_one(
    database, organisation, other_organisation, file, clock
):
    old = load_key(file)
    new = change_key(database, [organisation, other_organisation], file, now=clock())
    assert load_key(file).public == new.public != old.public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir() if "key" in each.name] == [KEY_FILE]
    for each in (organisation, other_organisation):
        with database.transaction(each) as session:
            (change,) = key_changes(session)
            assert (change.old, change.new, change.at) == (old.public, new.public, clock())
            assert verify(session).holds


def test_checkpoints_of_every_former_key_stay_valid(database, organisation, file, clock):
    fill(database, organisation, clock)
    checkpoints = []
    for _ in range(3):
        with database.transaction(organisation) as session:
            checkpoints.append(checkpoint_of(session, load_key(file), now=clock()))
        change_key(database, [organisation], file, now=clock())
    with database.transaction(organisation) as session:
        for each in checkpoints:
            require_own(session, each, load_key(file), "file")
    assert len({each.key for each in checkpoints}) == 3


def test_a_change_that_a_crash_cut_short_goes_on_with_the_same_new_key(
    database, organisation, other_organisation, file, clock, monkeypatch
):
    load_key(file)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as crash, pytest.raises(KeyboardInterrupt):
        crash.setattr("gateway.ledger.key_changes.os.replace", dies)
        change_key(database, [organisation], file, now=clock())
    change_key(database, [organisation, other_organisation], file, now=clock())
    for each in (organisation, other_organisation):
        with database.transaction(each) as session:
            (change,) = key_changes(session)
            assert change.new == load_key(file).public


def test_whoever_can_write_the_ledger_but_has_no_key_cannot_make_a_key_trusted(
    database, organisation, file, clock, new_key
):
    current, evil = load_key(file), new_key()
    half = change_of(evil, evil, clock()).model_copy(update={"new": current.public})
    fill(database, organisation, clock)
    with database.transaction(organisation) as session:
        for content in (half.model_dump(mode="json"), {"old": evil.public, "new": current.public}, {}):
            append(session, at=clock(), kind="ledger.key_changed", subject="ledger-key", content=content)
        forged = checkpoint_of(session, evil, now=clock())
        assert trusted_keys(session, current) == {current.public}
        with pytest.raises(CheckpointInvalidError):
            require_own(session, forged, current, "file")


def test_a_stolen_former_key_cannot_vouch_for_another(database, organisation, file, clock, new_key):
    stolen, evil = load_key(file), new_key()
    change_key(database, [organisation], file, now=clock())
    with database.transaction(organisation) as session:
        change = change_of(stolen, evil, clock())
        append(
            session, at=clock(), kind="ledger.key_changed", subject="ledger-key", content=change.model_dump(mode="json")
        )
    assert trusted(database, organisation, file) == {stolen.public, load_key(file).public}
