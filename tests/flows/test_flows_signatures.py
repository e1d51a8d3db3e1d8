"""A webhook call is believed only when it is signed with the key, over these bytes, about now."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flows.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed, sign

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
KEY = bytes(range(32))
BODY = b'{"flowId": "1"}'
TOLERANCE = timedelta(minutes=5)


def believed(body=BODY, key=KEY, now=NOW, **changed: str) -> bool:
    headers = sign(BODY, KEY, NOW) | {name.replace("_", "-"): value for name, value in changed.items()}
    return is_signed(
        body,
        key,
        signature=headers[SIGNATURE_HEADER],
        timestamp=headers[TIMESTAMP_HEADER],
        now=now,
        tolerance=TOLERANCE,
    )


@given(body=st.binary(max_size=200), key=st.binary(min_size=32, max_size=64))
def test_what_is_signed_is_believed(body, key):
    headers = sign(body, key, NOW)
    signature, timestamp = headers[SIGNATURE_HEADER], headers[TIMESTAMP_HEADER]
    assert is_signed(body, key, signature=signature, timestamp=timestamp, now=NOW, tolerance=TOLERANCE)


def test_a_signature_over_the_hexadecimal_fingerprint_is_believed_too():
    fingerprint = sha256(BODY + b"@" + str(int(NOW.timestamp())).encode()).hexdigest()
    assert believed(Afnor_Signature=b64encode(digest(KEY, fingerprint.encode(), "sha256")).decode())


def test_other_bytes_another_key_or_another_time_are_not_believed():
    assert believed()
    assert not believed(body=BODY + b" ")
    assert not believed(key=KEY[::-1])
    assert not believed(Afnor_Signature_Timestamp=str(int(NOW.timestamp()) + 1))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_call_said_again_is_not_believed(seconds):
    assert not believed(now=NOW + timedelta(seconds=seconds))
    assert believed(now=NOW + timedelta(seconds=seconds) * 0.99)


@pytest.mark.parametrize("broken", ["", "é", "not base64!", "AAAA"])
def test_what_is_no_signature_is_not_believed(broken):
    assert not believed(Afnor_Signature=broken)


@pytest.mark.parametrize("broken", ["", "-1", "1e3", "9" * 40, "٣"])
def test_what_is_no_time_is_not_believed(broken):
    assert not believed(Afnor_Signature_Timestamp=broken)
