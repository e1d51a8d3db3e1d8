"""A `CdarMessage` to bytes, in the element order of the D22B uncoupled schema."""

import base64
from collections.abc import Mapping

from lxml import etree

from gateway.lifecycle.cdar.model import (
    NAMESPACES,
    CdarDate,
    CdarMessage,
    Characteristic,
    Identifier,
    Note,
    Party,
    ReferencedDocument,
    StatusDetail,
)
from gateway.lifecycle.errors import UnwritableMessageError


def write_cdar(message: CdarMessage) -> bytes:
    """The XML of `message`, UTF-8, indented; empty fields are left out, `deviations` are not written.

    It writes what it is given: whether the rules allow it is the business of `building` and of validation. Raises
    UnwritableMessageError on a text that XML cannot carry.
    """
    root = etree.Element(_name("rsm:CrossDomainAcknowledgementAndResponse"), nsmap=NAMESPACES)
    context = _branch(root, "rsm:ExchangedDocumentContext")
    if message.process:
        _leaf(_branch(context, "ram:BusinessProcessSpecifiedDocumentContextParameter"), "ram:ID", message.process)
    _leaf(_branch(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", message.profile)

    exchanged = _branch(root, "rsm:ExchangedDocument")
    _leaf(exchanged, "ram:ID", message.message_id)
    _leaf(exchanged, "ram:Name", message.name)
    _date(exchanged, "ram:IssueDateTime", message.issued)
    _party(exchanged, "ram:SenderTradeParty", message.sender)
    _party(exchanged, "ram:IssuerTradeParty", message.issuer)
    for recipient in message.recipients:
        _party(exchanged, "ram:RecipientTradeParty", recipient)

    acknowledgement = _branch(root, "rsm:AcknowledgementDocument")
    _leaf(_branch(acknowledgement, "ram:MultipleReferencesIndicator"), "udt:Indicator", _boolean(message.multiple))
    _leaf(acknowledgement, "ram:TypeCode", message.phase)
    _date(acknowledgement, "ram:IssueDateTime", message.status_at)
    for document in message.documents:
        _document(_branch(acknowledgement, "ram:ReferenceReferencedDocument"), document)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _document(parent: etree._Element, document: ReferencedDocument) -> None:
    _leaf(parent, "ram:IssuerAssignedID", document.number)
    _leaf(parent, "ram:StatusCode", document.uncl_code)
    _leaf(parent, "ram:TypeCode", document.type_code)
    _identifier(parent, "ram:GlobalID", document.global_id)
    _date(parent, "ram:ReceiptDateTime", document.received)
    for attachment in document.attachments:
        attributes = {"mimeCode": attachment.mime_type, "filename": attachment.filename}
        encoded = base64.b64encode(attachment.content).decode("ascii")
        _leaf(parent, "ram:AttachmentBinaryObject", encoded, attributes, keep_empty=True)
    _leaf(parent, "ram:ReferenceTypeCode", document.reference_type)
    _date(parent, "ram:FormattedIssueDateTime", document.issued, "qdt:DateTimeString")
    _leaf(parent, "ram:ProcessConditionCode", document.status_code)
    _leaf(parent, "ram:ProcessCondition", document.status_label)
    _party(parent, "ram:IssuerTradeParty", document.seller)
    for party in document.parties:
        _party(parent, "ram:RecipientTradeParty", party)
    for detail in document.details:
        _detail(_branch(parent, "ram:SpecifiedDocumentStatus"), detail)


def _detail(parent: etree._Element, detail: StatusDetail) -> None:
    _leaf(parent, "ram:ReasonCode", detail.reason_code)
    _leaf(parent, "ram:Reason", detail.reason)
    _leaf(parent, "ram:ProcessConditionCode", detail.status_code)
    _leaf(parent, "ram:RequestedActionCode", detail.action_code)
    _leaf(parent, "ram:RequestedAction", detail.action)
    _leaf(parent, "ram:SequenceNumeric", "" if detail.sequence is None else str(detail.sequence))
    for note in detail.notes:
        _note(_branch(parent, "ram:IncludedNote"), note)
    for characteristic in detail.characteristics:
        _characteristic(_branch(parent, "ram:SpecifiedDocumentCharacteristic"), characteristic)


def _note(parent: etree._Element, note: Note) -> None:
    _leaf(parent, "ram:ContentCode", note.content_code)
    _leaf(parent, "ram:Content", note.content)
    _leaf(parent, "ram:SubjectCode", note.subject_code)


def _characteristic(parent: etree._Element, data: Characteristic) -> None:
    _leaf(parent, "ram:ID", data.term)
    _leaf(parent, "ram:TypeCode", data.type_code)
    if data.changed is not None:
        _leaf(_branch(parent, "ram:ValueChangedIndicator"), "udt:IndicatorString", _boolean(data.changed))
    _leaf(parent, "ram:Name", data.name)
    _leaf(parent, "ram:Location", data.location)
    _leaf(parent, "ram:Value", data.value)
    if data.amount is not None:
        _leaf(parent, "ram:ValueAmount", f"{data.amount:f}", {"currencyID": data.currency})
    _date(parent, "ram:ValueDateTime", data.on)
    if data.percent is not None:
        _leaf(parent, "ram:ValuePercent", f"{data.percent:f}")


def _party(parent: etree._Element, name: str, party: Party | None) -> None:
    if party is None:
        return
    element = _branch(parent, name)
    for identifier in party.ids:
        _identifier(element, "ram:GlobalID", identifier)
    _leaf(element, "ram:Name", party.name)
    _leaf(element, "ram:RoleCode", party.role)
    if party.address:
        _identifier(_branch(element, "ram:URIUniversalCommunication"), "ram:URIID", party.address)


def _identifier(parent: etree._Element, name: str, identifier: Identifier | None) -> None:
    if identifier:
        _leaf(parent, name, identifier.value, {"schemeID": identifier.scheme})


def _date(parent: etree._Element, name: str, moment: CdarDate | None, leaf: str = "udt:DateTimeString") -> None:
    if moment:
        _leaf(_branch(parent, name), leaf, moment.raw, {"format": moment.format})


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _branch(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, _name(name))


def _leaf(
    parent: etree._Element, name: str, text: str, attributes: Mapping[str, str] | None = None, keep_empty: bool = False
) -> None:
    """Add an element with its text and its non-empty attributes; nothing when the text is empty."""
    if not text and not keep_empty:
        return
    element = _branch(parent, name)
    try:
        element.text = text
        for key, value in (attributes or {}).items():
            if value:
                element.set(key, value)
    except ValueError as error:
        raise UnwritableMessageError(name, text) from error


def _name(prefixed: str) -> etree.QName:
    prefix, local = prefixed.split(":")
    return etree.QName(NAMESPACES[prefix], local)
