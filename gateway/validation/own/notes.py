"""The notes that French law wants on an invoice: there, and saying something."""

from collections.abc import Iterator

from gateway.invoices.detection import Syntax
from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.rulebook import Who

#: Subject codes (BT-21, UNTDID 4451) of the mandatory notes: BR-FR-05.
MANDATORY = {
    "PMT": Text("indemnité forfaitaire de recouvrement", "fixed recovery indemnity"),
    "PMD": Text("pénalités de retard", "late-payment penalties"),
    "AAB": Text("escompte", "discount for early payment"),
}
_AROUND = " \t\r\n.,;:!?-–—_*/\\'\"«»()[]<>\u00a0"

_SAYS_NOTHING = Text(
    "La mention {code} (BT-22, {subject}) ne dit rien : {shown}.",
    "Note {code} (BT-22, {subject}) says nothing: {shown}.",
)


def find_empty_notes(case: Case) -> Iterator[Remark]:
    """Mandatory notes that are empty or hold a placeholder."""
    for note in case.invoice.notes:
        subject = MANDATORY.get(note.subject_code or "")
        if subject is None or not _is_placeholder(note.text, note.subject_code or "", case):
            continue
        what = Text(
            _SAYS_NOTHING.fr.format(code=note.subject_code, subject=subject.fr, shown=f"« {note.text} »"),
            _SAYS_NOTHING.en.format(code=note.subject_code, subject=subject.en, shown=f"'{note.text}'"),
        )
        # UBL writes the subject code before the text.
        written = f"#{note.subject_code}#{note.text}" if case.document.syntax is Syntax.UBL else note.text
        yield Remark(what, "BT-22", written)


def _is_placeholder(text: str, code: str, case: Case) -> bool:
    words = " ".join(text.lower().strip(_AROUND).split())
    lists = case.figures.placeholders
    return not words or words in lists["any"] or words in lists.get(code, frozenset())


CHECKS = (
    OwnCheck(
        "GW-06",
        ("BT-22", "BT-21"),
        Text(
            "Les mentions PMT, PMD et AAB disent l’indemnité de recouvrement, les pénalités et l’escompte.",
            "Notes PMT, PMD and AAB say the recovery indemnity, the penalties and the discount.",
        ),
        Text(
            "BR-FR-05 constate leur présence, pas leur contenu ; sans elles les pénalités se contestent et l’amende de "
            "l’article L441-9 menace.",
            "BR-FR-05 sees that they are there, not what they say; without them the penalties can be disputed and the "
            "fine of article L441-9 threatens.",
        ),
        Who.SELLER,
        Text(
            "Écrivez la mention en toutes lettres dans le modèle de facture.",
            "Write the note in full in the invoice template.",
        ),
        find_empty_notes,
    ),
)
