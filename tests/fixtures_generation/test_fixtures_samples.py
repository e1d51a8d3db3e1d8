"""The samples pass the official XSD, the PDFs hold what they promise, and everything is repeatable to the byte."""

import json
from collections import Counter
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from fixtures.__main__ import write_all
from fixtures.broken import XSD, BrokenSample, broken_samples
from fixtures.cii import to_cii
from fixtures.drafts import Kind
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from fixtures.samples import Sample, all_samples, demo_batch
from tests.fixtures_generation.artefacts import invoice_xml, xsd_errors

TODAY = date(2026, 11, 16)


def sample_of(samples: list[Sample], syntax: str, profile: Profile, kind: Kind = Kind.INVOICE) -> Sample:
    return next(one for one in samples if (one.syntax, one.profile, one.kind) == (syntax, profile, kind))


def test_every_valid_sample_passes_its_official_xsd(samples: list[Sample]) -> None:
    assert {sample.name: xsd_errors(sample) for sample in samples if xsd_errors(sample)} == {}


def test_another_seed_passes_the_xsd_too_and_says_something_else(samples: list[Sample]) -> None:
    others = all_samples(seed=2)
    assert [one.name for one in others] == [one.name for one in samples]
    assert not {one.data for one in others} & {one.data for one in samples}
    assert {sample.name: xsd_errors(sample) for sample in others if xsd_errors(sample)} == {}


def test_every_syntax_profile_and_kind_is_there_under_its_own_name(samples: list[Sample]) -> None:
    assert len({sample.name for sample in samples}) == len(samples)
    assert {(one.syntax, one.profile) for one in samples} == {
        ("UBL", "EN 16931"), ("UBL", "EXTENDED-CTC-FR"),
        ("CII", "BASIC"), ("CII", "EN 16931"), ("CII", "EXTENDED"), ("CII", "EXTENDED-CTC-FR"),
        ("Factur-X", "MINIMUM"), ("Factur-X", "BASIC WL"), ("Factur-X", "BASIC"), ("Factur-X", "EN 16931"),
        ("Factur-X", "EXTENDED"),
    }  # fmt: skip
    assert {one.kind for one in samples if one.syntax == "UBL"} == set(Kind)


def test_samples_are_repeatable_to_the_byte(samples: list[Sample], broken: list[BrokenSample]) -> None:
    assert [one.data for one in all_samples(seed=1)] == [one.data for one in samples]
    assert [one.data for one in broken_samples(seed=1)] == [one.data for one in broken]


def test_a_pdf_holds_exactly_the_cii_document_of_its_draft(samples: list[Sample]) -> None:
    for sample in samples:
        if sample.syntax == "Factur-X":
            assert invoice_xml(sample) == to_cii(sample.draft, sample.profile), sample.name


def test_a_pdf_is_a_readable_pdf_a_3(samples: list[Sample]) -> None:
    sample = sample_of(samples, "Factur-X", Profile.EN_16931)
    reader = PdfReader(BytesIO(sample.data))
    text = reader.pages[0].extract_text()
    assert sample.draft.number in text
    assert sample.draft.customer.name in text
    assert f"{sample.draft.payable:,}".replace(",", "\u202f").replace(".", ",") in text
    xmp = reader.xmp_metadata
    assert xmp is not None
    assert (xmp.pdfaid_part, xmp.pdfaid_conformance) == ("3", "B")
    assert b"<fx:ConformanceLevel>EN 16931<" in sample.data


def test_a_pdf_is_dated_as_its_invoice(samples: list[Sample]) -> None:
    sample = sample_of(samples, "Factur-X", Profile.BASIC)
    metadata = PdfReader(BytesIO(sample.data)).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert metadata.creation_date.date() == sample.draft.issue_date


@pytest.mark.parametrize("file_name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml"])
def test_the_xml_is_embedded_once_under_the_name_asked_for(samples: list[Sample], file_name: str) -> None:
    draft = sample_of(samples, "UBL", Profile.EN_16931).draft
    reader = PdfReader(BytesIO(to_facturx(draft, Profile.EXTENDED, file_name)))
    assert reader.attachments == {file_name: [to_cii(draft, Profile.EXTENDED)]}


def test_broken_samples_fail_the_xsd_exactly_when_that_is_their_fault(broken: list[BrokenSample]) -> None:
    assert len({one.name for one in broken}) == len(broken)
    readable = [one for one in broken if one.verdict == "invalid"]
    for one in readable:
        if one.name.startswith("xsd-element-of-a-richer-profile"):
            continue  # claims MINIMUM: refused by the XSD of that profile, see the next test
        assert bool(xsd_errors(one)) is (one.expected == XSD), (one.name, xsd_errors(one))


def test_a_whole_invoice_announced_as_minimum_is_refused_by_the_xsd_of_minimum(
    samples: list[Sample], broken: list[BrokenSample]
) -> None:
    data = next(one.data for one in broken if one.name.startswith("xsd-element-of-a-richer-profile"))
    minimum = sample_of(samples, "Factur-X", Profile.MINIMUM)
    claimed = Sample("", data, "application/xml", "CII", Profile.MINIMUM, Kind.INVOICE, minimum.draft)
    assert Profile.MINIMUM.guideline.encode() in data
    assert xsd_errors(claimed)


def test_unreadable_samples_have_the_fault_they_are_named_for(broken: list[BrokenSample]) -> None:
    by_name = {one.name: one for one in broken}
    assert PdfReader(BytesIO(by_name["unreadable-encrypted-pdf"].data)).is_encrypted
    assert PdfReader(BytesIO(by_name["unreadable-pdf-without-xml"].data)).attachments == {}
    assert len(PdfReader(BytesIO(by_name["unreadable-pdf-with-two-invoices"].data)).attachments) == 2
    assert b"<!ENTITY" in by_name["unreadable-entity-declaration"].data
    with pytest.raises(UnicodeDecodeError):
        by_name["unreadable-latin-1-announced-as-utf-8"].data.decode()


def test_a_demo_batch_is_a_plausible_month() -> None:
    batch = demo_batch(seed=3, count=120, today=TODAY)
    assert len(batch) == len({one.number for one in batch}) == 120
    assert [one.number[-6:] for one in batch] == sorted(one.number[-6:] for one in batch)
    dates = [one.draft.issue_date for one in batch]
    assert dates == sorted(dates)
    assert TODAY - timedelta(days=75) <= dates[0] <= dates[-1] < TODAY
    scenarios = Counter(one.scenario for one in batch)
    assert set(scenarios) == {"paid", "rejected", "refused", "disputed", "suspended", "silent"}
    assert scenarios["paid"] > 60
    assert len({one.agency_siret for one in batch}) > 20
    assert {one.media_type for one in batch} == {"application/pdf", "application/xml"}


def test_a_small_demo_batch_shows_every_scenario_and_is_repeatable() -> None:
    batch = demo_batch(seed=1, count=6, today=TODAY)
    assert len({one.scenario for one in batch}) == 6
    assert batch == demo_batch(seed=1, count=6, today=TODAY)


def test_the_command_writes_every_document_with_its_expected_verdict(tmp_path: Path) -> None:
    count = write_all(tmp_path, seed=1)
    index = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert len(index["documents"]) == count
    on_disk = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {one["path"] for one in index["documents"]} == on_disk - {"index.json"}
    assert {one["verdict"] for one in index["documents"]} == {"valid", "invalid", "unreadable"}
