"""The story of an invoice as an evidence file tells it."""

from decimal import Decimal

from babel.dates import format_datetime

from gateway.kernel.clock import PARIS
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text
from gateway.ledger.evidence import Happening, Story
from gateway.lifecycle.event_text import details_of
from gateway.lifecycle.timeline import Timeline, TimelineEntry

_TITLE = Text("Dossier de preuve de la facture {number}", "Evidence of invoice {number}")
_SELLER = Text("Vendeur", "Seller")
_BUYER = Text("Acheteur", "Buyer")
_ISSUED = Text("Date d’émission", "Issue date")
_DUE = Text("Échéance", "Due date")
_TOTAL = Text("Total TTC", "Total with VAT")
_COLLECTED = Text("Encaissé", "Collected")
_REMAINING = Text("Reste à payer", "Remaining")
_STATUS = Text("Statut", "Status")
_DOCUMENT = Text("Empreinte du fichier (sha256)", "Hash of the file (sha256)")


def story_of(timeline: Timeline, subject: str, language: Language) -> Story:
    """The facts and the events of a timeline, times in Paris, amounts in the invoice's currency."""

    def money(amount: Decimal) -> str:
        return Sayer(language).money(amount, timeline.currency)

    facts = [
        (_SELLER, f"{timeline.seller_name} ({timeline.seller_siren})"),
        (_BUYER, timeline.buyer_name + (f" ({timeline.buyer_siren})" if timeline.buyer_siren else "")),
        (_ISSUED, timeline.issue_date.isoformat()),
        (_DUE, timeline.due_date.isoformat() if timeline.due_date else ""),
        (_TOTAL, money(timeline.total_with_vat)),
        (_COLLECTED, money(timeline.collected)),
        (_REMAINING, money(timeline.remaining)),
        (_STATUS, f"{timeline.status.code} {timeline.status.label.on_page(language)}" if timeline.status else ""),
        (_DOCUMENT, timeline.document_sha256),
    ]
    return Story(
        subject=subject,
        title=_TITLE.format(number=timeline.number).on_page(language),
        facts=tuple((label.on_page(language), value) for label, value in facts if value),
        happenings=tuple(_happening(entry, language) for entry in timeline.entries),
        data=timeline.model_dump(mode="json"),
        language=language,
    )


def _happening(entry: TimelineEntry, language: Language) -> Happening:
    message = f"message {entry.message_id}" if entry.message_id else ""
    return Happening(
        when=format_datetime(entry.at.astimezone(PARIS), "yyyy-MM-dd HH:mm:ss", locale=language),
        what=f"{entry.status.code} {entry.status.label.on_page(language)}",
        who=entry.issuer_name or (entry.issuer.label.on_page(language) if entry.issuer else ""),
        details=" — ".join(filter(None, (Text.of(details_of(entry, language)).on_page(language), message))),
    )
