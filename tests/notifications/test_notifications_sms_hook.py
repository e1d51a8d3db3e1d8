"""An SMS is given to the operator's hook once; what may have arrived is called again under the same key."""

from uuid import uuid4

import httpx
import pytest

from gateway.jobs.channels import Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.kernel.settings import load_settings
from gateway.notifications.sms_hook import sms_deliverer

SMS = Delivery(uuid4(), "reminder:1:0", {"to": "+33102030405", "body": "Bonjour"}, None)
HOOK = "https://sms.example/send"


def sent_by(answer, tmp_path):
    calls = []

    def post(address, body, headers):
        calls.append((address, body, headers))
        if isinstance(answer, Exception):
            raise answer
        return answer

    deliver = sms_deliverer(load_settings(data_dir=tmp_path, sms_hook_url=HOOK), post)
    return deliver, calls


def test_the_hook_gets_the_number_the_text_and_the_key(tmp_path):
    deliver, calls = sent_by(204, tmp_path)
    deliver(SMS)
    assert calls == [(HOOK, {"to": "+33102030405", "text": "Bonjour"}, {"Idempotency-Key": "reminder:1:0"})]


@pytest.mark.parametrize(
    ("answer", "error", "permanent"),
    [
        (httpx.ConnectError("refused"), DeliveryFailedError, False),
        (httpx.ReadTimeout("silent"), DeliveryAmbiguousError, None),
        (503, DeliveryFailedError, False),
        (429, DeliveryFailedError, False),
        (422, DeliveryFailedError, True),
    ],
)
def test_what_did_not_arrive_and_what_may_have_are_told_apart(tmp_path, answer, error, permanent):
    deliver, _ = sent_by(answer, tmp_path)
    with pytest.raises(error) as failed:
        deliver(SMS)
    assert getattr(failed.value, "permanent", None) is permanent


def test_without_a_hook_nothing_delivers(tmp_path):
    assert sms_deliverer(load_settings(data_dir=tmp_path)) is None
