"""A lifecycle message is read whole, tolerantly where the meaning is clear, and never guessed where it is not."""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.invoices.errors import InvalidNumberError, TooLargeError, TooManyAttachmentsError, UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.lifecycle.cdar.model import (
    Attachment,
    CdarDate,
    CdarMessage,
    Characteristic,
    Identifier,
    Note,
    Party,
    ReferencedDocument,
    StatusDetail,
)
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.errors import (
    IncompleteLifecycleMessageError,
    InvalidCdarAttachmentError,
    NotALifecycleMessageError,
    SeveralAcknowledgementsError,
)

VALID = b"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossDomainAcknowledgementAndResponse
    xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
    xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
    xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
    xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:BusinessProcessSpecifiedDocumentContextParameter>
      <ram:ID>REGULATED</ram:ID>
    </ram:BusinessProcessSpecifiedDocumentContextParameter>
    <ram:GuidelineSpecifiedDocumentContextParameter>
      <ram:ID>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>F1_207_1</ram:ID>
    <ram:IssueDateTime><udt:DateTimeString format="204">20260115103000</udt:DateTimeString></ram:IssueDateTime>
    <ram:SenderTradeParty><ram:RoleCode>WK</ram:RoleCode></ram:SenderTradeParty>
    <ram:IssuerTradeParty>
      <ram:GlobalID schemeID="0002">732829320</ram:GlobalID><ram:RoleCode>BY</ram:RoleCode>
    </ram:IssuerTradeParty>
    <ram:RecipientTradeParty>
      <ram:GlobalID schemeID="0002">552100554</ram:GlobalID><ram:RoleCode>SE</ram:RoleCode>
      <ram:URIUniversalCommunication><ram:URIID schemeID="0225">552100554</ram:URIID></ram:URIUniversalCommunication>
    </ram:RecipientTradeParty>
    <ram:RecipientTradeParty>
      <ram:GlobalID schemeID="0238">0000</ram:GlobalID><ram:RoleCode>DFH</ram:RoleCode>
    </ram:RecipientTradeParty>
  </rsm:ExchangedDocument>
  <rsm:AcknowledgementDocument>
    <ram:MultipleReferencesIndicator><udt:Indicator>false</udt:Indicator></ram:MultipleReferencesIndicator>
    <ram:TypeCode>23</ram:TypeCode>
    <ram:IssueDateTime><udt:DateTimeString format="204">20260115102959</udt:DateTimeString></ram:IssueDateTime>
    <ram:ReferenceReferencedDocument>
      <ram:IssuerAssignedID>F1</ram:IssuerAssignedID>
      <ram:TypeCode>380</ram:TypeCode>
      <ram:AttachmentBinaryObject mimeCode="text/plain" filename="a.txt">YQ
        ==</ram:AttachmentBinaryObject>
      <ram:ReferenceTypeCode>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ReferenceTypeCode>
      <ram:FormattedIssueDateTime>
        <qdt:DateTimeString format="102">20260105</qdt:DateTimeString>
      </ram:FormattedIssueDateTime>
      <ram:ProcessConditionCode>207</ram:ProcessConditionCode>
      <ram:ProcessCondition>En litige</ram:ProcessCondition>
      <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">552100554</ram:GlobalID></ram:IssuerTradeParty>
      <ram:SpecifiedDocumentStatus>
        <ram:ReasonCode>PU_ERR</ram:ReasonCode>
        <ram:SequenceNumeric>1</ram:SequenceNumeric>
        <ram:IncludedNote><ram:Content>Prix du contrat : 10</ram:Content></ram:IncludedNote>
        <ram:SpecifiedDocumentCharacteristic>
          <ram:TypeCode>MNATTC</ram:TypeCode>
          <ram:ValueChangedIndicator><udt:IndicatorString>false</udt:IndicatorString></ram:ValueChangedIndicator>
          <ram:ValueAmount currencyID="EUR">12.50</ram:ValueAmount>
        </ram:SpecifiedDocumentCharacteristic>
      </ram:SpecifiedDocumentStatus>
      <ram:SpecifiedDocumentStatus>
        <ram:ReasonCode>QTE_ERR</ram:ReasonCode>
        <ram:SequenceNumeric>2</ram:SequenceNumeric>
      </ram:SpecifiedDocumentStatus>
    </ram:ReferenceReferencedDocument>
  </rsm:AcknowledgementDocument>
</rsm:CrossDomainAcknowledgementAndResponse>"""


def altered(old: str, new: str) -> bytes:
    """The valid message with one thing changed."""
    text = VALID.decode()
    assert text.count(old) >= 1
    return text.replace(old, new, 1).encode()


def deviations(data: bytes) -> set[tuple[str, str]]:
    return {(each.code, each.term) for each in read_cdar(data).deviations}


def test_a_valid_message_is_read_whole_and_without_deviation() -> None:
    message = read_cdar(VALID)
    document = message.documents[0]
    assert message.deviations == ()
    assert (message.phase, message.multiple, message.message_id) == ("23", False, "F1_207_1")
    assert [party.role for party in message.recipients] == ["SE", "DFH"]
    assert message.recipients[0].address == Identifier(scheme="0225", value="552100554")
    assert document.attachments == (Attachment(filename="a.txt", mime_type="text/plain", content=b"a"),)
    assert document.issued is not None
    assert document.issued.day == date(2026, 1, 5)
    assert [detail.reason_code for detail in document.details] == ["PU_ERR", "QTE_ERR"]
    data = document.details[0].characteristics[0]
    assert (data.amount, str(data.amount), data.currency, data.changed) == (Decimal("12.5"), "12.50", "EUR", False)
    assert document.details[0].notes[0].content == "Prix du contrat : 10"


def test_times_without_offset_are_read_in_paris_and_kept_as_written() -> None:
    winter, summer = CdarDate(raw="20260115103000"), CdarDate(raw="20260715103000")
    assert winter.instant == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    assert summer.instant == datetime(2026, 7, 15, 8, 30, tzinfo=UTC)
    assert winter.raw == "20260115103000"


@pytest.mark.parametrize(
    ("old", "new", "deviation"),
    [
        ("<ram:ReferenceTypeCode>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ReferenceTypeCode>", "", "MDT-97-ABSENT/MDT-97"),
        (">0000<", ">9998<", "PPF-FORMER-NUMBER/MDT-57"),
        (">En litige<", ">EN_LITIGE<", "LABEL-UNDERSCORE/MDT-106"),
        (">MNATTC<", ">MNATTC <", "OUTER-SPACES/MDT-207"),
        (">F1<", ">F1 <", "OUTER-SPACES/MDT-87"),
        (">207<", ">280<", "STATUS-UNKNOWN/MDT-105"),
        (">PU_ERR<", ">PRIX<", "REASON-UNKNOWN/MDT-113"),
        ("<ram:SequenceNumeric>1</ram:SequenceNumeric>", "", "SEQUENCE-ABSENT/MDT-124-2"),
        (">20260115102959<", ">hier<", "DATE-UNREADABLE/MDT-78"),
        (">20260115102959<", ">20260230000000<", "DATE-UNREADABLE/MDT-78"),
        (">20260105<", ">20260105000000<", "DATE-FORMAT/MDT-100"),
        (">false</udt:IndicatorString>", ">non</udt:IndicatorString>", "FLAG-UNREADABLE/MDT-209"),
    ],
)
def test_a_departure_that_hides_nothing_is_accepted_and_noted(old: str, new: str, deviation: str) -> None:
    code, _, term = deviation.partition("/")
    assert deviations(altered(old, new)) == {(code, term)}


def test_outer_spaces_do_not_change_the_code_read() -> None:
    data = read_cdar(altered(">MNATTC<", ">\n  MNATTC <")).documents[0].details[0].characteristics[0]
    assert data.type_code == "MNATTC"


def test_an_unreadable_date_keeps_its_characters() -> None:
    message = read_cdar(altered(">20260115102959<", ">hier<"))
    assert message.status_at is not None
    assert (message.status_at.raw, message.status_at.instant) == ("hier", None)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (">12.50<", ">12,50<", InvalidNumberError),
        (">12.50<", ">NaN<", InvalidNumberError),
        (">YQ\n        ==<", ">Y!Q=<", InvalidCdarAttachmentError),
        ("<ram:ProcessConditionCode>207</ram:ProcessConditionCode>", "", IncompleteLifecycleMessageError),
        ("</rsm:AcknowledgementDocument>", "</rsm:AcknowledgementDocument><rsm:AcknowledgementDocument/>", None),
    ],
)
def test_what_cannot_be_read_surely_is_refused_by_name(
    old: str, new: str, error: type[UnreadableInvoiceError] | None
) -> None:
    with pytest.raises(error or SeveralAcknowledgementsError) as refusal:
        read_cdar(altered(old, new))
    assert refusal.value.where


def test_a_message_that_names_no_document_is_refused() -> None:
    start, end = VALID.index(b"<ram:ReferenceReferencedDocument>"), VALID.index(b"</rsm:AcknowledgementDocument>")
    with pytest.raises(IncompleteLifecycleMessageError, match="ReferenceReferencedDocument"):
        read_cdar(VALID[:start] + VALID[end:])


def test_a_message_without_acknowledgement_is_refused() -> None:
    start, end = VALID.index(b"<rsm:AcknowledgementDocument>"), VALID.index(b"</rsm:CrossDomain")
    with pytest.raises(IncompleteLifecycleMessageError, match="rsm:AcknowledgementDocument"):
        read_cdar(VALID[:start] + VALID[end:])


def test_an_invoice_is_not_taken_for_a_lifecycle_message() -> None:
    with pytest.raises(NotALifecycleMessageError):
        read_cdar(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>')


def test_attachments_are_bounded_in_number_and_in_size() -> None:
    with pytest.raises(TooManyAttachmentsError):
        read_cdar(VALID, ReadingLimits(max_attachments=0))
    assert read_cdar(VALID, ReadingLimits(max_attachment_bytes=1)).documents[0].attachments[0].content == b"a"
    with pytest.raises(TooLargeError):
        read_cdar(VALID, ReadingLimits(max_attachment_bytes=0))


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=len(VALID) - 1), st.binary(max_size=3), st.integers(0, 40))
def test_a_damaged_message_is_read_or_refused_by_name_and_nothing_else(at: int, patch: bytes, cut: int) -> None:
    with suppress(UnreadableInvoiceError):
        read_cdar(VALID[:at] + patch + VALID[at + cut :])


# Write, read: same content

CODES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./", min_size=1, max_size=12)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1, max_size=30
).filter(lambda text: text == text.strip() and "￾" not in text and "￿" not in text)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
    lambda moment: CdarDate(raw=moment.strftime("%Y%m%d%H%M%S"))
)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(
    lambda day: CdarDate(raw=day.strftime("%Y%m%d"), format="102")
)
IDENTIFIERS = st.builds(Identifier, scheme=st.sampled_from(["0002", "0009", "0225", "0238"]), value=CODES)
PARTIES = st.builds(
    Party,
    ids=st.lists(IDENTIFIERS, max_size=2).map(tuple),
    name=WORDS,
    role=st.sampled_from(["SE", "BY", "WK", "DFH"]),
    address=st.none() | IDENTIFIERS,
)
NUMBERS = st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9)
CHARACTERISTICS = st.builds(
    Characteristic,
    term=CODES,
    type_code=CODES,
    changed=st.none() | st.booleans(),
    name=WORDS,
    location=WORDS,
    value=WORDS,
    amount=NUMBERS,
    currency=st.just(""),
    on=st.none() | DAYS,
    percent=NUMBERS,
).map(lambda data: data if data.amount is None else data.model_copy(update={"currency": "EUR"}))
DETAILS = st.builds(
    StatusDetail,
    reason_code=CODES,
    reason=WORDS,
    status_code=CODES,
    action_code=CODES,
    action=WORDS,
    sequence=st.integers(1, 999),
    notes=st.lists(st.builds(Note, content=WORDS, content_code=CODES, subject_code=CODES), max_size=2).map(tuple),
    characteristics=st.lists(CHARACTERISTICS, max_size=3).map(tuple),
)
DOCUMENTS = st.builds(
    ReferencedDocument,
    number=CODES,
    uncl_code=CODES,
    type_code=CODES,
    global_id=st.none() | IDENTIFIERS,
    received=st.none() | INSTANTS,
    attachments=st.lists(
        st.builds(Attachment, filename=CODES, mime_type=CODES, content=st.binary(max_size=20)), max_size=2
    ).map(tuple),
    reference_type=CODES,
    issued=st.none() | DAYS,
    status_code=CODES,
    status_label=WORDS,
    seller=st.none() | PARTIES,
    parties=st.lists(PARTIES, max_size=2).map(tuple),
    details=st.lists(DETAILS, max_size=3).map(tuple),
)
MESSAGES = st.builds(
    CdarMessage,
    process=CODES,
    profile=CODES,
    message_id=CODES,
    name=WORDS,
    issued=st.none() | INSTANTS,
    sender=st.none() | PARTIES,
    issuer=st.none() | PARTIES,
    recipients=st.lists(PARTIES, min_size=1, max_size=3).map(tuple),
    multiple=st.booleans(),
    phase=st.sampled_from(["23", "305"]),
    status_at=st.none() | INSTANTS,
    documents=st.lists(DOCUMENTS, min_size=1, max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_a_message_written_then_read_has_the_same_content(message: CdarMessage) -> None:
    assert read_cdar(write_cdar(message)).model_copy(update={"deviations": ()}) == message


@settings(max_examples=50, deadline=None)
@given(MESSAGES)
def test_a_message_survives_json(message: CdarMessage) -> None:
    assert CdarMessage.model_validate_json(message.model_dump_json()) == message
