"""Bytes to a `CdarMessage`. Tolerant of the deviations seen in the field, each noted; strict on amounts."""

import base64
import binascii
import re
from collections.abc import Iterator
from decimal import Decimal

from lxml import etree

from gateway.invoices.errors import InvalidNumberError, TooLargeError, TooManyAttachmentsError, place
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.xml import line_of, parse_xml
from gateway.kernel.dated import data_file
from gateway.kernel.identifiers import SCHEME_PLATFORM
from gateway.kernel.text import Text
from gateway.lifecycle.cdar.model import (
    NAMESPACES,
    Attachment,
    CdarDate,
    CdarMessage,
    Characteristic,
    Deviation,
    Identifier,
    Note,
    Party,
    ReferencedDocument,
    StatusDetail,
)
from gateway.lifecycle.errors import (
    IncompleteLifecycleMessageError,
    InvalidCdarAttachmentError,
    NotALifecycleMessageError,
    SeveralAcknowledgementsError,
)
from gateway.lifecycle.reasons import reason
from gateway.lifecycle.statuses import status

_ROOT = f"{{{NAMESPACES['rsm']}}}CrossDomainAcknowledgementAndResponse"
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DEFAULT_LIMITS = ReadingLimits()


def read_cdar(data: bytes, limits: ReadingLimits = _DEFAULT_LIMITS) -> CdarMessage:
    """The lifecycle message in `data`.

    What departs from the norm without hiding the meaning (outer spaces, former portal number, absent MDT-97, unknown
    codes, odd dates…) is accepted and listed in `deviations`. Raises a subclass of UnreadableInvoiceError when the
    bytes are no CDAR, when no document or status is named, or when an amount or an attachment cannot be read.
    """
    root = parse_xml(data, limits).getroot()
    if root.tag != _ROOT:
        raise NotALifecycleMessageError(str(root.tag))
    return _CdarReader(limits).message(root)


class _CdarReader:
    """Reads one message and gathers its deviations."""

    def __init__(self, limits: ReadingLimits) -> None:
        self.limits = limits
        self.deviations: list[Deviation] = []

    def message(self, root: etree._Element) -> CdarMessage:
        acknowledgements = root.findall("rsm:AcknowledgementDocument", NAMESPACES)
        if not acknowledgements:
            raise IncompleteLifecycleMessageError(
                "rsm:AcknowledgementDocument", Text("de bloc d’accusé", "an acknowledgement")
            )
        if len(acknowledgements) > 1:
            raise SeveralAcknowledgementsError(len(acknowledgements))
        acknowledgement = acknowledgements[0]
        documents = tuple(map(self.document, _children(acknowledgement, "ram:ReferenceReferencedDocument")))
        if not documents:
            raise IncompleteLifecycleMessageError(
                "ram:ReferenceReferencedDocument", Text("de référence", "a reference")
            )
        context, exchanged = "rsm:ExchangedDocumentContext", "rsm:ExchangedDocument"
        parameter = "SpecifiedDocumentContextParameter/ram:ID"
        message = CdarMessage(
            process=self.code(root, f"{context}/ram:BusinessProcess{parameter}", "MDT-2"),
            profile=self.code(root, f"{context}/ram:Guideline{parameter}", "MDT-3"),
            message_id=self.code(root, f"{exchanged}/ram:ID", "MDT-4"),
            name=_text(root, f"{exchanged}/ram:Name"),
            issued=self.moment(root, f"{exchanged}/ram:IssueDateTime", "MDT-8"),
            sender=self.party(root.find(f"{exchanged}/ram:SenderTradeParty", NAMESPACES), "MDT-19"),
            issuer=self.party(root.find(f"{exchanged}/ram:IssuerTradeParty", NAMESPACES), "MDT-38"),
            recipients=self.parties(root, f"{exchanged}/ram:RecipientTradeParty", "MDT-57"),
            multiple=self.flag(acknowledgement, "ram:MultipleReferencesIndicator", "MDT-74") or False,
            phase=self.code(acknowledgement, "ram:TypeCode", "MDT-77"),
            status_at=self.moment(acknowledgement, "ram:IssueDateTime", "MDT-78"),
            documents=documents,
        )
        self.note_unknown_codes(message)
        self.note_former_portal(message)
        return message.model_copy(update={"deviations": tuple(self.deviations)})

    def document(self, element: etree._Element) -> ReferencedDocument:
        document = ReferencedDocument(
            number=self.code(element, "ram:IssuerAssignedID", "MDT-87"),
            uncl_code=self.code(element, "ram:StatusCode", "MDT-88"),
            type_code=self.code(element, "ram:TypeCode", "MDT-91"),
            global_id=self.identifier(element.find("ram:GlobalID", NAMESPACES), "MDT-92"),
            received=self.moment(element, "ram:ReceiptDateTime", "MDT-95"),
            attachments=tuple(self.attachments(element)),
            reference_type=self.code(element, "ram:ReferenceTypeCode", "MDT-97"),
            issued=self.moment(element, "ram:FormattedIssueDateTime", "MDT-100"),
            status_code=self.code(element, "ram:ProcessConditionCode", "MDT-105"),
            status_label=_text(element, "ram:ProcessCondition"),
            seller=self.party(element.find("ram:IssuerTradeParty", NAMESPACES), "MDT-129"),
            parties=self.parties(element, "ram:RecipientTradeParty", "MDT-158"),
            details=tuple(map(self.detail, _children(element, "ram:SpecifiedDocumentStatus"))),
        )
        if not document.status_code:
            raise IncompleteLifecycleMessageError("MDT-105", Text("de code de statut", "a status code"))
        if not document.reference_type:
            self.deviate("MDT-97-ABSENT", "MDT-97", Text("Type de référence absent.", "Reference type absent."))
        if "_" in document.status_label:
            self.deviate(
                "LABEL-UNDERSCORE",
                "MDT-106",
                Text("Libellé de statut avec des tirets bas.", "Status label with underscores."),
            )
        return document

    def detail(self, element: etree._Element) -> StatusDetail:
        return StatusDetail(
            reason_code=self.code(element, "ram:ReasonCode", "MDT-113"),
            reason=_text(element, "ram:Reason"),
            status_code=self.code(element, "ram:ProcessConditionCode", "MDT-115"),
            action_code=self.code(element, "ram:RequestedActionCode", "MDT-121"),
            action=_text(element, "ram:RequestedAction"),
            sequence=self.sequence(element),
            notes=tuple(map(self.note, _children(element, "ram:IncludedNote"))),
            characteristics=tuple(map(self.characteristic, _children(element, "ram:SpecifiedDocumentCharacteristic"))),
        )

    def sequence(self, element: etree._Element) -> int | None:
        written = self.code(element, "ram:SequenceNumeric", "MDT-124-2")
        if re.fullmatch(r"[0-9]{1,9}", written):
            return int(written)
        self.deviate(
            "SEQUENCE-ABSENT",
            "MDT-124-2",
            Text("Numéro de détail absent ou illisible.", "Detail number absent or unreadable."),
        )
        return None

    def note(self, element: etree._Element) -> Note:
        return Note(
            content=_text(element, "ram:Content"),
            content_code=self.code(element, "ram:ContentCode", "MDT-125"),
            subject_code=self.code(element, "ram:SubjectCode", "MDT-127"),
        )

    def characteristic(self, element: etree._Element) -> Characteristic:
        amount = element.find("ram:ValueAmount", NAMESPACES)
        return Characteristic(
            term=self.code(element, "ram:ID", "MDT-206"),
            type_code=self.code(element, "ram:TypeCode", "MDT-207"),
            changed=self.flag(element, "ram:ValueChangedIndicator", "MDT-209"),
            name=_text(element, "ram:Name"),
            location=_text(element, "ram:Location"),
            value=_text(element, "ram:Value"),
            amount=self.number(amount, "MDT-215"),
            currency="" if amount is None else amount.get("currencyID", "").strip(),
            on=self.moment(element, "ram:ValueDateTime", "MDT-219"),
            percent=self.number(element.find("ram:ValuePercent", NAMESPACES), "MDT-224"),
        )

    def parties(self, element: etree._Element, path: str, term: str) -> tuple[Party, ...]:
        found = (self.party(each, term) for each in _children(element, path))
        return tuple(party for party in found if party is not None)

    def party(self, element: etree._Element | None, term: str) -> Party | None:
        if element is None:
            return None
        ids = (self.identifier(each, term) for each in _children(element, "ram:GlobalID"))
        return Party(
            ids=tuple(each for each in ids if each is not None),
            name=_text(element, "ram:Name"),
            role=self.code(element, "ram:RoleCode", f"{term} (role)"),
            address=self.identifier(element.find("ram:URIUniversalCommunication/ram:URIID", NAMESPACES), "MDT-73"),
        )

    def identifier(self, element: etree._Element | None, term: str) -> Identifier | None:
        value = self.stripped(element, term)
        return None if element is None or not value else Identifier(scheme=element.get("schemeID", ""), value=value)

    def attachments(self, element: etree._Element) -> Iterator[Attachment]:
        found = _children(element, "ram:AttachmentBinaryObject")
        if len(found) > self.limits.max_attachments:
            raise TooManyAttachmentsError(self.limits.max_attachments, "MDT-96")
        for each in found:
            # Spaces and line ends are allowed inside base64Binary, and only they.
            encoded = "".join((each.text or "").split())
            if len(encoded) * 3 // 4 - encoded[-2:].count("=") > self.limits.max_attachment_bytes:
                what = Text("la taille d’une pièce jointe, en octets", "the size of an attachment, in bytes")
                raise TooLargeError(what, self.limits.max_attachment_bytes, f"MDT-96, {place(line_of(each))}")
            try:
                content = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError) as error:
                raise InvalidCdarAttachmentError(encoded, line_of(each)) from error
            yield Attachment(filename=each.get("filename", ""), mime_type=each.get("mimeCode", ""), content=content)

    def moment(self, element: etree._Element, path: str, term: str) -> CdarDate | None:
        """The date below `path`, in a udt or qdt DateTimeString, or in a udt DateTime."""
        parent = element.find(path, NAMESPACES)
        written = None if parent is None or len(parent) == 0 else parent[0]
        raw = self.stripped(written, term)
        if written is None or not raw:
            return None
        moment = CdarDate(raw=raw, format=written.get("format", "").strip())
        if moment.wall_clock is None:
            self.deviate("DATE-UNREADABLE", term, Text(f"Date illisible : {raw}.", f"Unreadable date: {raw}."))
        elif len(raw) != {"204": 14, "203": 12, "102": 8}.get(moment.format):
            self.deviate(
                "DATE-FORMAT",
                term,
                Text("Date qui ne suit pas le format annoncé.", "Date that does not follow its announced format."),
            )
        return moment

    def number(self, element: etree._Element | None, term: str) -> Decimal | None:
        written = self.stripped(element, term)
        if element is None or not written:
            return None
        if not _DECIMAL.fullmatch(written):
            raise InvalidNumberError(term, written, line_of(element))
        return Decimal(written)

    def flag(self, element: etree._Element, path: str, term: str) -> bool | None:
        """A udt Indicator or IndicatorString."""
        parent = element.find(path, NAMESPACES)
        written = self.stripped(None if parent is None or len(parent) == 0 else parent[0], term).lower()
        if not written:
            return None
        if written not in ("true", "false", "1", "0"):
            self.deviate(
                "FLAG-UNREADABLE", term, Text(f"Indicateur illisible : {written}.", f"Unreadable flag: {written}.")
            )
            return None
        return written in ("true", "1")

    def code(self, element: etree._Element, path: str, term: str) -> str:
        """A code or an identifier, without the outer spaces some senders leave."""
        return self.stripped(element.find(path, NAMESPACES), term)

    def stripped(self, element: etree._Element | None, term: str) -> str:
        written = (element.text or "") if element is not None else ""
        bare = written.strip()
        if bare and bare != written:
            self.deviate("OUTER-SPACES", term, Text("Espaces autour de la valeur.", "Spaces around the value."))
        return bare

    def note_unknown_codes(self, message: CdarMessage) -> None:
        """Statuses and reasons that the catalogue does not know on the day of the status."""
        on = next((moment.day for moment in (message.status_at, message.issued) if moment and moment.day), None)
        for document in message.documents:
            code = document.status_code
            if not status(code, on).known:
                published = Text(f"Statut {code} non publié.", f"Status {code} is not published.")
                self.deviate("STATUS-UNKNOWN", "MDT-105", published)
            for code in (detail.reason_code for detail in document.details):
                if code and not reason(code, on).known:
                    published = Text(f"Motif {code} non publié.", f"Reason {code} is not published.")
                    self.deviate("REASON-UNKNOWN", "MDT-113", published)

    def note_former_portal(self, message: CdarMessage) -> None:
        former = data_file("lifecycle.toml")["ppf"]["former_matricules"]
        if any(party.id_in(SCHEME_PLATFORM) in former for party in message.recipients):
            self.deviate(
                "PPF-FORMER-NUMBER",
                "MDT-57",
                Text("Ancien matricule du portail public (9998).", "Former number of the public portal (9998)."),
            )

    def deviate(self, code: str, term: str, text: Text) -> None:
        self.deviations.append(Deviation(code=code, term=term, text=text))


def _children(element: etree._Element, path: str) -> list[etree._Element]:
    return element.findall(path, NAMESPACES)


def _text(element: etree._Element, path: str) -> str:
    """Free text; repeated elements are lines of it."""
    return "\n".join((each.text or "").strip() for each in _children(element, path))
