"""The PDF around a Factur-X invoice: what people read says what programs read, in a form that can be archived."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from time import monotonic
from typing import TYPE_CHECKING

from gateway.invoices.detection import Syntax
from gateway.invoices.errors import PdfTooSlowError, UnreadableInvoiceError
from gateway.kernel.money import round_cents
from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.report import Severity
from gateway.validation.rulebook import Who

if TYPE_CHECKING:  # loaded only for a PDF, since loading takes longer than checking
    from pypdf import PdfReader

#: What may stand between thousands, and before the cents.
_BETWEEN_THOUSANDS = r"[ \u00a0\u2009\u202f.,'’]?"
_BEFORE_CENTS = "[.,]"
_ANY_AMOUNT = re.compile(rf"\d{_BEFORE_CENTS}\d\d(?!\d)")
_PDF_A_PART = re.compile(rb"pdfaid:part\s*(?:=\s*[\"']|>)\s*(\d)")
_PDF_A_3 = b"3"

_NOT_SHOWN = Text(
    "Le PDF ne montre nulle part {title} du XML, {amount} ({term}) : l’acheteur lit autre chose que ce qui est traité.",
    "The PDF shows nowhere {title} of the XML, {amount} ({term}): what the buyer reads is not what is processed.",
)
_TOTALS = {
    "BT-109": Text("le total HT", "the total without VAT"),
    "BT-112": Text("le total TTC", "the total with VAT"),
    "BT-115": Text("le net à payer", "the amount due"),
}
_NOT_MADE = Text(
    "Contrôle non fait, le PDF ne se relit pas : {reason}",
    "Check not made, the PDF cannot be read again: {reason}",
)
_MAKE_AGAIN = Text(
    "Le XML a été lu et contrôlé ; produisez le PDF à nouveau si un lecteur de PDF ne l’ouvre pas non plus.",
    "The XML was read and checked; make the PDF again if a PDF reader does not open it either.",
)
_NO_PDF_A = Text("Le PDF ne se déclare pas PDF/A-3.", "The PDF does not claim to be PDF/A-3.")
_OTHER_PDF_A = Text("Le PDF se déclare PDF/A-{part}, non PDF/A-3.", "The PDF claims to be PDF/A-{part}, not PDF/A-3.")
_WRONG_RELATIONSHIP = Text(
    "Le XML est joint au PDF avec AFRelationship « {value} » ; le profil {profile} veut : {allowed}.",
    "The XML is attached to the PDF with AFRelationship '{value}'; profile {profile} wants: {allowed}.",
)


def _on_pdf(find: Callable[[Case, "PdfReader"], Iterator[Remark]]) -> Callable[[Case], list[Remark]]:
    """A check of the PDF of a Factur-X invoice; where the PDF cannot be read, the report says that it was not made."""

    def found(case: Case) -> list[Remark]:
        if case.document.syntax is not Syntax.FACTUR_X:
            return []
        try:
            return list(find(case, case.pdf))
        except UnreadableInvoiceError as error:
            return [_not_made(error.what)]
        except Exception as error:
            # A damaged PDF makes the library fail anywhere, with any exception; its invoice has been read all the same.
            reason = f"{type(error).__name__}: {error}"
            return [_not_made(Text(reason, reason))]

    return found


def _not_made(reason: Text) -> Remark:
    what = Text(_NOT_MADE.fr.format(reason=reason.fr), _NOT_MADE.en.format(reason=reason.en))
    return Remark(what, severity=Severity.INFO, fix=_MAKE_AGAIN)


def _find_missing_totals(case: Case, reader: "PdfReader") -> Iterator[Remark]:
    """Totals of the XML that no page shows, in any usual way of writing amounts; a PDF without amounts is an image."""
    totals = case.invoice.totals
    amounts = {"BT-109": totals.without_vat, "BT-112": totals.with_vat, "BT-115": totals.due}
    missing = {term: amount for term, amount in amounts.items() if amount}
    deadline = monotonic() + case.limits.max_pdf_seconds
    shows_amounts = False
    # The totals stand on the last page nearly always, and extracting text is slow.
    for page in reversed(reader.pages):
        if not missing:
            return
        if monotonic() > deadline:
            raise PdfTooSlowError(case.limits.max_pdf_seconds)
        text = page.extract_text()
        shows_amounts = shows_amounts or bool(_ANY_AMOUNT.search(text))
        missing = {term: amount for term, amount in missing.items() if not written(amount).search(text)}
    for term, amount in missing.items() if shows_amounts else ():
        title = _TOTALS[term]
        what = Text(
            _NOT_SHOWN.fr.format(title=title.fr, amount=amount, term=term),
            _NOT_SHOWN.en.format(title=title.en, amount=amount, term=term),
        )
        yield Remark(what, term, str(amount))


def written(amount: Decimal) -> re.Pattern[str]:
    """Every usual way of writing an amount: 1 234,56 or 1.234,56 or 1,234.56 or 1234.56."""
    units, cents = f"{abs(round_cents(amount)):.2f}".split(".")
    first = len(units) % 3 or 3
    groups = [units[:first], *(units[start : start + 3] for start in range(first, len(units), 3))]
    return re.compile(rf"(?<!\d){_BETWEEN_THOUSANDS.join(groups)}{_BEFORE_CENTS}{cents}(?!\d)")


def _find_no_pdf_a(case: Case, reader: "PdfReader") -> Iterator[Remark]:
    from pypdf.generic import StreamObject

    metadata = reader.root_object.get("/Metadata")
    stream = metadata.get_object() if metadata is not None else None
    part = _PDF_A_PART.search(stream.get_data()) if isinstance(stream, StreamObject) else None
    if part is None:
        yield Remark(_NO_PDF_A)
    elif part.group(1) != _PDF_A_3:
        yield Remark(_OTHER_PDF_A.format(part=part.group(1).decode()))


def _find_wrong_relationship(case: Case, reader: "PdfReader") -> Iterator[Remark]:
    from gateway.invoices.pdf import invoice_specifications

    allowed = case.figures.relationships_of(case.document.profile)
    specification = next(invoice_specifications(reader))
    value = str(specification.get("/AFRelationship", "")).removeprefix("/")
    if value not in allowed:
        listed = ", ".join(sorted(allowed))
        yield Remark(_WRONG_RELATIONSHIP.format(value=value or "—", profile=case.document.profile, allowed=listed))


CHECKS = (
    OwnCheck(
        "GW-10",
        ("BT-109", "BT-112", "BT-115"),
        Text(
            "Les totaux du XML se lisent aussi dans le PDF d’une facture Factur-X.",
            "The totals of the XML can be read in the PDF of a Factur-X invoice too.",
        ),
        Text(
            "Les règles officielles ne voient que le XML ; si le PDF dit autre chose, l’acheteur paie un autre montant "
            "ou conteste.",
            "The official rules see the XML only; when the PDF says something else, the buyer pays another amount or "
            "disputes.",
        ),
        Who.SOFTWARE,
        Text(
            "Produisez le PDF et le XML à partir des mêmes données, en une fois.",
            "Make the PDF and the XML from the same data, in one go.",
        ),
        _on_pdf(_find_missing_totals),
    ),
    OwnCheck(
        "GW-11",
        (),
        Text("Le PDF d’une facture Factur-X est un PDF/A-3.", "The PDF of a Factur-X invoice is a PDF/A-3."),
        Text(
            "Le contenu XML ne le dit pas ; une plateforme peut refuser le fichier et l’archive ne se rouvrira pas à "
            "coup sûr.",
            "The XML does not tell; a platform may refuse the file, and the archive may not open again.",
        ),
        Who.SOFTWARE,
        Text(
            "Convertissez le PDF en PDF/A-3 avant d’y joindre le XML.",
            "Convert the PDF to PDF/A-3 before attaching the XML.",
        ),
        _on_pdf(_find_no_pdf_a),
    ),
    OwnCheck(
        "GW-12",
        (),
        Text(
            "Le XML est joint au PDF avec la relation (AFRelationship) que Factur-X prévoit pour son profil.",
            "The XML is attached to the PDF with the relationship (AFRelationship) Factur-X wants for its profile.",
        ),
        Text(
            "Sans elle un lecteur ne sait pas si le XML remplace, complète ou accompagne la page.",
            "Without it a reader cannot tell whether the XML replaces, completes or accompanies the page.",
        ),
        Who.SOFTWARE,
        Text("Corrigez AFRelationship à la création du fichier.", "Correct AFRelationship when the file is made."),
        _on_pdf(_find_wrong_relationship),
    ),
)
