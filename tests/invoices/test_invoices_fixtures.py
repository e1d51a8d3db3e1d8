"""What the generator of sample data writes, this room reads: two independent views of the same syntaxes."""

import pytest
from lxml import html

from fixtures.broken import BrokenSample, broken_samples
from fixtures.samples import Sample, all_samples
from gateway.invoices.errors import InvalidValueError, UnreadableInvoiceError
from gateway.invoices.reading import read_invoice
from gateway.invoices.rendering import render_html

SAMPLES = all_samples()
BROKEN = broken_samples()
#: Profiles that give no lines, and the one that gives hardly more than the totals.
WITHOUT_LINES = {"MINIMUM", "BASIC WL"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_generated_document_is_read_as_it_was_meant(sample: Sample) -> None:
    read = read_invoice(sample.data)
    invoice, draft = read.invoice, sample.draft
    assert (read.document.syntax, read.document.profile) == (sample.syntax, sample.profile)
    assert (invoice.number, invoice.issue_date, invoice.type_code) == (draft.number, draft.issue_date, draft.type_code)
    assert (invoice.currency, invoice.process) == (draft.currency, draft.process)
    assert (invoice.seller_siren, invoice.buyer_siren) == (draft.seller.siren, draft.customer.siren)
    assert (invoice.seller.vat_id, invoice.seller.name) == (draft.seller.vat_number, draft.seller.name)
    totals = invoice.totals
    assert (totals.without_vat, totals.vat, totals.with_vat) == (draft.net_total, draft.vat_total, draft.gross_total)
    assert totals.due == draft.payable
    assert invoice.is_credit_note is draft.is_credit_note


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_generated_document_is_read_in_full_as_far_as_its_profile_goes(sample: Sample) -> None:
    invoice, draft = read_invoice(sample.data).invoice, sample.draft
    assert len(invoice.lines) == (0 if sample.profile in WITHOUT_LINES else len(draft.lines))
    if sample.profile == "MINIMUM":
        return
    assert [(note.subject_code, note.text) for note in invoice.notes] == [(n.subject, n.text) for n in draft.notes]
    assert invoice.due_date == draft.due_date
    assert len(invoice.vat_breakdown) == len(draft.vat_breakdown)
    assert invoice.totals.lines == draft.line_total
    assert [each.number for each in invoice.preceding_invoices] == ([draft.preceding.number] if draft.preceding else [])
    (means,) = invoice.payment_means
    assert (means.code, means.remittance) == (draft.payment.means, draft.payment.remittance)
    debit, transfer = means.direct_debit, means.credit_transfer
    assert (debit.mandate if debit else None) == draft.payment.mandate
    assert (debit.creditor if debit else None) == (draft.seller.creditor_id if draft.payment.mandate else None)
    assert (transfer.account if transfer else None) == (draft.seller.iban if means.code == "30" else None)


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.draft.attachments], ids=lambda sample: sample.name)
def test_an_attachment_comes_out_byte_for_byte(sample: Sample) -> None:
    read = read_invoice(sample.data)
    carried = (
        [] if sample.profile in {"MINIMUM", "BASIC WL", "BASIC"} else [a.content for a in sample.draft.attachments]
    )
    assert [attachment.content for attachment in read.invoice.attachments] == carried


@pytest.mark.parametrize("sample", SAMPLES[:: max(1, len(SAMPLES) // 12)], ids=lambda sample: sample.name)
def test_a_generated_document_has_a_page(sample: Sample) -> None:
    page = html.fromstring(render_html(read_invoice(sample.data).invoice))
    assert sample.draft.number in page.text_content()


@pytest.mark.parametrize(
    "sample", [each for each in BROKEN if each.verdict == "unreadable"], ids=lambda sample: sample.name
)
def test_an_unreadable_document_is_refused_with_the_code_it_should_have(sample: BrokenSample) -> None:
    with pytest.raises(UnreadableInvoiceError) as caught:
        read_invoice(sample.data)
    assert caught.value.code == sample.expected


@pytest.mark.parametrize(
    "sample", [each for each in BROKEN if each.verdict == "invalid"], ids=lambda sample: sample.name
)
def test_an_invalid_document_is_read_or_its_wrong_value_is_named(sample: BrokenSample) -> None:
    try:
        assert read_invoice(sample.data).document.data == sample.data
    except InvalidValueError as error:
        named = error.term
    else:
        named = None
    assert named is None or (named.startswith("BT-") and sample.layer == "xsd")
