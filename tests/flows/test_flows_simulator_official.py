"""Every message of the simulator passes the official schema and the official French rules, under Saxon."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from fixtures.drafts import Kind
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import scenarios
from gateway.invoices.reading import read_invoice
from gateway.lifecycle.cdar.building import platform
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.correlation import siren_of

AT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SAXON = str(Path(__file__).parents[1] / "fixtures_generation" / "saxon_oracle.py")


@pytest.fixture
def told(invoice):
    """The messages of a scenario about one invoice, in their order."""

    def tell(scenario: str, kind: Kind = Kind.SEVERAL_RATES) -> list[CdarMessage]:
        read = read_invoice(invoice("F1", kind)).invoice
        subject = AnsweredInvoice(read, read.seller_siren or "", read.buyer_siren or "", read.issue_date)
        steps = enumerate(scenarios()[scenario].steps, start=1)
        return [answer(subject, step, at=AT + number * timedelta(minutes=1), received_at=AT) for number, step in steps]

    return tell


def test_every_message_of_every_scenario_passes_schema_and_rules(told, tmp_path):
    folder = files("pyfrctc")
    schema = etree.XMLSchema(file=str(folder / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd"))
    rules = str(folder / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt")
    jobs = []
    for scenario in scenarios():
        for kind in (Kind.SEVERAL_RATES, Kind.CREDIT_NOTE):
            for message in told(scenario, kind):
                data = write_cdar(message)
                schema.assertValid(etree.fromstring(data))
                path = tmp_path / f"{scenario}-{kind}-{message.documents[0].status_code}.xml"
                path.write_bytes(data)
                jobs.append({"stylesheet": rules, "document": str(path)})
    assert len(jobs) == 2 * sum(len(scenario.steps) for scenario in scenarios().values())
    fired = subprocess.run([sys.executable, SAXON], input=json.dumps(jobs), capture_output=True, text=True, check=True)
    assert dict(zip((job["document"] for job in jobs), json.loads(fired.stdout), strict=True)) == {
        job["document"]: [] for job in jobs
    }


def test_platforms_speak_of_transmission_and_the_parties_of_treatment(told, seller, customer):
    speakers = {"205": customer.siren, "207": customer.siren, "208": customer.siren, "209": seller.siren}
    speakers |= {"210": customer.siren, "211": customer.siren, "212": seller.siren, "204": customer.siren}
    for scenario in scenarios():
        for message in told(scenario):
            code = message.documents[0].status_code
            if code in speakers:
                assert siren_of(message.issuer) == speakers[code], code
            else:
                assert message.issuer == platform(), code
            assert [siren_of(party) for party in message.recipients] == [seller.siren]


def test_status_dates_grow_with_the_steps(told):
    for scenario in scenarios():
        instants = [message.status_at.instant for message in told(scenario) if message.status_at]
        assert instants == sorted(set(instants))


def test_a_refund_is_paid_by_the_seller(told, seller):
    [refund] = [each for each in told("paid", Kind.CREDIT_NOTE) if each.documents[0].status_code == "211"]
    assert siren_of(refund.issuer) == seller.siren
