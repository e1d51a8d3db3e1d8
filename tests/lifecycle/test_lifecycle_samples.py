"""The sample messages, written by other code than ours, are official and are read as they were meant."""

from decimal import Decimal

import pytest

from fixtures.cdar import StatusSample, status_samples
from fixtures.samples import all_samples
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.events import events_of
from gateway.lifecycle.statuses import all_statuses, status
from gateway.validation.service import validate
from tests.lifecycle.making_events import START
from tests.lifecycle.official_cdar import assert_passes

DRAFT = all_samples(1)[0].draft
SAMPLES = status_samples(DRAFT)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_passes_the_official_rules_and_ours(sample: StatusSample) -> None:
    assert_passes(sample.data)
    assert validate(sample.data).verdict == "valid"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_read_as_it_was_meant(sample: StatusSample) -> None:
    message = read_cdar(sample.data)
    [event] = events_of(message, START)
    assert message.deviations == ()
    assert (event.code, event.status_at, event.message_at) == (sample.status.code, sample.at, sample.at)
    assert (event.key.number, event.key.seller_siren, event.key.year) == (
        DRAFT.number,
        DRAFT.seller.siren,
        DRAFT.issue_date.year,
    )
    assert event.issuer_role == sample.status.by
    assert event.reasons == ((sample.status.reason,) if sample.status.reason else ())
    assert event.comment == sample.status.comment
    assert event.recipient_roles == (("DFH",) if sample.to_portal else ("BY" if sample.status.by == "SE" else "SE",))
    known = status(sample.status.code)
    assert (known.label.fr, known.uncl) == (sample.status.label, sample.status.uncl)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_written_again_says_the_same(sample: StatusSample) -> None:
    message = read_cdar(sample.data)
    assert read_cdar(write_cdar(message)) == message


def test_the_receipt_tells_the_whole_invoice_by_rate() -> None:
    receipt = next(sample for sample in SAMPLES if sample.status.code == "212")
    [event] = events_of(read_cdar(receipt.data), START)
    assert {data.percent for data in event.data("MEN")} == {group.vat.rate for group in DRAFT.vat_breakdown}
    assert sum((data.amount or Decimal(0) for data in event.data("MEN")), Decimal(0)) == DRAFT.gross_total


def test_every_status_that_the_portal_does_not_set_has_a_sample_for_each_of_its_profiles() -> None:
    exchanged = [each for each in all_statuses() if set(each.set_by) != {"public_portal"}]
    expected = {(each.code, to_portal) for each in exchanged for to_portal in {False, each.to_ppf}}
    assert {(sample.status.code, sample.to_portal) for sample in SAMPLES} == expected
