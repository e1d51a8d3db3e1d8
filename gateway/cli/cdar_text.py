"""A lifecycle message as lines that people read."""

from collections.abc import Iterator
from datetime import date

from babel.numbers import format_decimal

from gateway.kernel.text import Language, Text
from gateway.lifecycle import reasons
from gateway.lifecycle.cdar.model import CdarDate, CdarMessage, Characteristic, Party, ReferencedDocument, StatusDetail
from gateway.lifecycle.statuses import status

_HEADINGS = {
    "message": Text("Message", "Message"),
    "profile": Text("Profil", "Profile"),
    "made": Text("Émis le", "Made on"),
    "sender": Text("Émetteur", "Sender"),
    "issuer": Text("Auteur du statut", "Status set by"),
    "recipient": Text("Destinataire", "Recipient"),
    "invoice": Text("Facture", "Invoice"),
    "dated": Text("du", "of"),
    "seller": Text("Vendeur", "Seller"),
    "status": Text("Statut", "Status"),
    "reason": Text("Motif", "Reason"),
    "action": Text("Action attendue", "Action expected"),
    "comment": Text("Commentaire", "Comment"),
    "data": Text("Donnée", "Data"),
    "attachment": Text("Pièce jointe", "Attachment"),
    "deviation": Text("Écart à la norme", "Deviation from the norm"),
}
_WIDTH = 24
#: Two decimals at least, six at most (annex 7, G7.07).
_AMOUNT = "#,##0.00####"


def as_text(message: CdarMessage, language: Language) -> str:
    """The message, one fact a line; times as written, without time zone."""
    return "\n".join(
        f"{_HEADINGS[name].in_language(language):<{_WIDTH}}{fact}" for name, fact in _facts(message, language)
    )


def _facts(message: CdarMessage, language: Language) -> Iterator[tuple[str, str]]:
    yield "message", message.message_id
    yield "profile", message.profile
    yield "made", _moment(message.issued)
    yield "sender", _party(message.sender, language)
    yield "issuer", _party(message.issuer, language)
    for recipient in message.recipients:
        yield "recipient", _party(recipient, language)
    for document in message.documents:
        yield from _document(document, message.status_at, language)
    for deviation in message.deviations:
        yield "deviation", f"{deviation.term} {deviation.text.in_language(language)}"


def _document(document: ReferencedDocument, at: CdarDate | None, language: Language) -> Iterator[tuple[str, str]]:
    dated = _HEADINGS["dated"].in_language(language)
    yield "invoice", f"{document.number} {dated} {_moment(document.issued)}"
    yield "seller", _party(document.seller, language)
    on = at.day if at else None
    label = status(document.status_code, on).label.in_language(language)
    yield "status", f"{document.status_code} {label}, {_moment(at)}"
    for detail in document.details:
        yield from _detail(detail, on, language)
    for attachment in document.attachments:
        yield "attachment", f"{attachment.filename} ({attachment.mime_type}, {len(attachment.content)} o/B)"


def _detail(detail: StatusDetail, on: date | None, language: Language) -> Iterator[tuple[str, str]]:
    if detail.reason_code:
        yield "reason", f"{detail.reason_code} {reasons.reason(detail.reason_code, on).label.in_language(language)}"
    if detail.action_code:
        yield "action", f"{detail.action_code} {reasons.label('action', detail.action_code, on).in_language(language)}"
    for note in detail.notes:
        yield "comment", " ".join(part for part in (note.content_code, note.content, note.subject_code) if part)
    for data in detail.characteristics:
        yield "data", _data(data, language)


def _data(data: Characteristic, language: Language) -> str:
    parts = [
        data.type_code,
        reasons.label("characteristic", data.type_code).in_language(language),
        data.term,
        data.value,
    ]
    if data.amount is not None:
        parts.append(f"{format_decimal(data.amount, _AMOUNT, locale=language)} {data.currency}")
    if data.percent is not None:
        parts.append(f"{format_decimal(data.percent, locale=language, decimal_quantization=False)} %")
    if data.on is not None:
        parts.append(_moment(data.on))
    return " ".join(part for part in parts if part)


def _party(party: Party | None, language: Language) -> str:
    if party is None:
        return "—"
    role = f"{party.role} {reasons.label('role', party.role).in_language(language)}" if party.role else ""
    ids = ", ".join(f"{each.scheme}:{each.value}" for each in party.ids)
    address = f"→ {party.address.scheme}:{party.address.value}" if party.address else ""
    return " ".join(part for part in (role, party.name, ids, address) if part)


def _moment(moment: CdarDate | None) -> str:
    if moment is None:
        return "—"
    written = moment.wall_clock
    if written is None:
        return moment.raw
    return f"{written:%Y-%m-%d}" if moment.format == "102" else f"{written:%Y-%m-%d %H:%M:%S}"
