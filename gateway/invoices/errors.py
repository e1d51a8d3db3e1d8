"""Every way a document can be unreadable, each with what is wrong, where, and how to fix it."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text, printable

#: Longest piece of a document that is quoted back in a message.
QUOTED_CHARACTERS = 80

_SEND_AGAIN = Text(
    "Exportez à nouveau le document depuis le logiciel de facturation, puis renvoyez-le.",
    "Export the document again from the billing software, then send it again.",
)


def quoted(value: str) -> str:
    """`value` short enough for a message."""
    return value if len(value) <= QUOTED_CHARACTERS else value[: QUOTED_CHARACTERS - 1] + "…"


def place(line: int, column: int | None = None) -> str:
    """A position as every message gives it: `line 3, column 14`."""
    return f"line {line}" if column is None else f"line {line}, column {column}"


class UnreadableInvoiceError(GatewayError):
    """The bytes received cannot be read as an invoice (nor, for `read_document`, as another document it knows)."""

    code: ClassVar[str] = "UNREADABLE_DOCUMENT"
    status: ClassVar[int] = 422


class EmptyFileError(UnreadableInvoiceError):
    """There is no byte to read."""

    code: ClassVar[str] = "EMPTY_FILE"

    def __init__(self) -> None:
        super().__init__(Text("Le fichier est vide.", "The file is empty."), _SEND_AGAIN)


class UnknownFormatError(UnreadableInvoiceError):
    """The content is neither XML nor PDF."""

    code: ClassVar[str] = "UNKNOWN_FORMAT"

    def __init__(self, start: bytes) -> None:
        """`start`: the first bytes of the file."""
        seen = printable(start.decode("utf-8", "surrogateescape"))
        super().__init__(
            Text(
                f"Le fichier n’est ni un XML ni un PDF : il commence par « {seen} ».",
                f"The file is neither XML nor PDF: it starts with “{seen}”.",
            ),
            Text(
                "Envoyez la facture en UBL, en CII ou en PDF Factur-X.",
                "Send the invoice as UBL, as CII or as a Factur-X PDF.",
            ),
            where="byte 0",
        )


class MalformedXmlError(UnreadableInvoiceError):
    """The XML is not well-formed."""

    code: ClassVar[str] = "MALFORMED_XML"

    def __init__(self, reason: str, line: int, column: int) -> None:
        """`reason`: what the parser says, in English."""
        super().__init__(
            Text(f"Le XML est mal formé ({reason}).", f"The XML is not well-formed ({reason})."),
            _SEND_AGAIN,
            where=place(line, column),
        )


class WrongEncodingError(UnreadableInvoiceError):
    """The bytes are not in the encoding that the document declares, or that encoding is not accepted."""

    code: ClassVar[str] = "WRONG_ENCODING"

    def __init__(self, encoding: str, line: int, column: int) -> None:
        """`encoding`: the declared encoding, UTF-8 when none is."""
        seen = quoted(encoding)
        super().__init__(
            Text(
                f"Le document ne se lit pas dans l’encodage qu’il déclare ({seen}).",
                f"The document cannot be read in the encoding it declares ({seen}).",
            ),
            Text(
                'Enregistrez le fichier en UTF-8 et déclarez encoding="UTF-8" dans sa première ligne.',
                'Save the file as UTF-8 and declare encoding="UTF-8" in its first line.',
            ),
            where=place(line, column),
        )


class ForbiddenDoctypeError(UnreadableInvoiceError):
    """The XML carries a document type declaration: it may declare entities, which are never needed in an invoice."""

    code: ClassVar[str] = "FORBIDDEN_DOCTYPE"

    def __init__(self, line: int, column: int) -> None:
        super().__init__(
            Text(
                "Le XML contient une déclaration DOCTYPE ou des entités, refusées par sécurité.",
                "The XML carries a DOCTYPE declaration or entities, refused for safety.",
            ),
            Text(
                "Retirez la déclaration <!DOCTYPE …> et écrivez les caractères eux-mêmes.",
                "Remove the <!DOCTYPE …> declaration and write the characters themselves.",
            ),
            where=place(line, column),
        )


class UnknownDocumentError(UnreadableInvoiceError):
    """Well-formed XML, but of another kind than invoices, lifecycle messages and e-reporting."""

    code: ClassVar[str] = "UNKNOWN_DOCUMENT"

    def __init__(self, root: str) -> None:
        """`root`: the qualified name of the root element, `{namespace}name`."""
        super().__init__(
            Text(
                "Le XML n’est ni une facture UBL ou CII, ni un message CDAR, ni une déclaration e-reporting : "
                f"sa racine est « {quoted(root)} ».",
                "The XML is neither a UBL or CII invoice, nor a CDAR message, nor an e-reporting transmission: "
                f"its root is “{quoted(root)}”.",
            ),
            Text(
                "Envoyez une facture UBL 2.1 (Invoice, CreditNote) ou CII D16B/D22B (CrossIndustryInvoice).",
                "Send a UBL 2.1 invoice (Invoice, CreditNote) or CII D16B/D22B (CrossIndustryInvoice).",
            ),
            where="/",
        )


class NotAnInvoiceError(UnreadableInvoiceError):
    """A lifecycle message (CDAR) where an invoice is expected."""

    code: ClassVar[str] = "NOT_AN_INVOICE"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Le document est un message de cycle de vie (CDAR), pas une facture.",
                "The document is a lifecycle message (CDAR), not an invoice.",
            ),
            Text("Déposez-le comme message de cycle de vie.", "Submit it as a lifecycle message."),
            where="/",
        )


class EReportingNotAnInvoiceError(UnreadableInvoiceError):
    """An e-reporting transmission (Flux 10) where an invoice is expected."""

    code: ClassVar[str] = "E_REPORTING_NOT_AN_INVOICE"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "Le document est une déclaration e-reporting (flux 10), pas une facture.",
                "The document is an e-reporting transmission (Flux 10), not an invoice.",
            ),
            Text(
                "Transmettez-la par votre plateforme : la passerelle la valide, mais ne l’achemine pas.",
                "Transmit it through your platform: the gateway validates it and does not forward it.",
            ),
            where="/",
        )


class TooLargeError(UnreadableInvoiceError):
    """The document passes one of the reading limits."""

    code: ClassVar[str] = "TOO_LARGE"

    def __init__(self, what: Text, limit: float, where: str = "") -> None:
        """`what`: the thing that is too large, for example its depth; `limit`: the bound, in the unit of `what`."""
        super().__init__(
            Text(
                f"Le document dépasse la limite fixée pour {what.fr} ({limit}).",
                f"The document passes the limit set for {what.en} ({limit}).",
            ),
            Text(
                "Réduisez le document, ou demandez à l’administrateur de relever ce réglage.",
                "Make the document smaller, or ask the administrator to raise this setting.",
            ),
            where=where,
        )


class FileTooLargeError(TooLargeError):
    """The file, or the XML inside the PDF, has too many bytes."""

    code: ClassVar[str] = "FILE_TOO_LARGE"

    def __init__(self, limit: int, where: str = "") -> None:
        super().__init__(Text("la taille du fichier, en octets", "the size of the file, in bytes"), limit, where)


class XmlTooDeepError(TooLargeError):
    """The XML elements are nested too deeply."""

    code: ClassVar[str] = "XML_TOO_DEEP"

    def __init__(self, limit: int, where: str = "") -> None:
        super().__init__(Text("la profondeur du XML", "the depth of the XML"), limit, where)


class TooManyElementsError(TooLargeError):
    """The XML has too many elements."""

    code: ClassVar[str] = "XML_TOO_MANY_ELEMENTS"

    def __init__(self, limit: int) -> None:
        super().__init__(Text("le nombre d’éléments XML", "the number of XML elements"), limit, "/")


class AttachmentTooLargeError(TooLargeError):
    """A supporting document (BT-125) has too many bytes."""

    code: ClassVar[str] = "ATTACHMENT_TOO_LARGE"

    def __init__(self, limit: int, line: int) -> None:
        what = Text("la taille d’une pièce jointe, en octets", "the size of an attachment, in bytes")
        super().__init__(what, limit, f"BT-125, {place(line)}")


class TooManyAttachmentsError(TooLargeError):
    """The invoice carries too many supporting documents (BG-24), or the PDF too many files."""

    code: ClassVar[str] = "TOO_MANY_ATTACHMENTS"

    def __init__(self, limit: int, where: str) -> None:
        super().__init__(Text("le nombre de pièces jointes", "the number of attachments"), limit, where)


class PdfTooSlowError(TooLargeError):
    """Finding the invoice in the PDF takes too long."""

    code: ClassVar[str] = "PDF_TOO_SLOW"

    def __init__(self, limit: float) -> None:
        super().__init__(Text("la durée de lecture du PDF, en secondes", "the PDF reading time, in seconds"), limit)


class TruncatedPdfError(UnreadableInvoiceError):
    """The PDF does not reach its end mark."""

    code: ClassVar[str] = "TRUNCATED_PDF"

    def __init__(self, size: int) -> None:
        super().__init__(
            Text(
                "Le PDF est tronqué : sa marque de fin (%%EOF) manque.",
                "The PDF is truncated: its end mark (%%EOF) is missing.",
            ),
            Text(
                "Le transfert a sans doute été interrompu : renvoyez le fichier complet.",
                "The transfer was probably cut short: send the complete file again.",
            ),
            where=f"byte {size}",
        )


class DamagedPdfError(UnreadableInvoiceError):
    """The PDF's structure cannot be followed."""

    code: ClassVar[str] = "DAMAGED_PDF"

    def __init__(self, reason: str) -> None:
        """`reason`: what stopped the reading, in English."""
        super().__init__(
            Text("Le PDF est endommagé.", "The PDF is damaged."),
            _SEND_AGAIN,
            where=quoted(reason),
        )


class EncryptedPdfError(UnreadableInvoiceError):
    """The PDF is encrypted, which PDF/A-3, and so Factur-X, forbids."""

    code: ClassVar[str] = "ENCRYPTED_PDF"

    def __init__(self) -> None:
        super().__init__(
            Text("Le PDF est chiffré.", "The PDF is encrypted."),
            Text(
                "Produisez un PDF/A-3 sans mot de passe ni restriction.",
                "Produce a PDF/A-3 without password nor restriction.",
            ),
            where="/Encrypt",
        )


class PdfWithoutInvoiceError(UnreadableInvoiceError):
    """The PDF embeds no invoice XML under one of the names that Factur-X knows."""

    code: ClassVar[str] = "PDF_WITHOUT_INVOICE"

    def __init__(self, embedded: list[str]) -> None:
        """`embedded`: names of the files that the PDF does hold."""
        super().__init__(
            Text(
                "Le PDF ne contient aucune facture XML : ce n’est pas un Factur-X.",
                "The PDF holds no invoice XML: it is not a Factur-X.",
            ),
            Text(
                "Produisez un Factur-X : un PDF/A-3 avec la facture CII jointe sous le nom factur-x.xml.",
                "Produce a Factur-X: a PDF/A-3 with the CII invoice attached as factur-x.xml.",
            ),
            where="embedded files: " + (quoted(", ".join(embedded)) or "none"),
        )


class PdfInvoiceNotCiiError(UnreadableInvoiceError):
    """The XML embedded in the PDF is no CII invoice, the only syntax of Factur-X."""

    code: ClassVar[str] = "PDF_INVOICE_NOT_CII"

    def __init__(self, root: str) -> None:
        """`root`: the qualified name of the root element, `{namespace}name`."""
        super().__init__(
            Text(
                f"Le XML joint au PDF n’est pas une facture CII : sa racine est « {quoted(root)} ».",
                f"The XML embedded in the PDF is no CII invoice: its root is “{quoted(root)}”.",
            ),
            Text(
                "Joignez une facture CII (CrossIndustryInvoice) au PDF.",
                "Embed a CII invoice (CrossIndustryInvoice) in the PDF.",
            ),
            where="/",
        )


class PdfWithSeveralInvoicesError(UnreadableInvoiceError):
    """The PDF embeds more than one invoice XML: nobody can tell which one counts."""

    code: ClassVar[str] = "PDF_WITH_SEVERAL_INVOICES"

    def __init__(self, embedded: list[str]) -> None:
        """`embedded`: names of the invoice files found."""
        super().__init__(
            Text("Le PDF contient plusieurs factures XML.", "The PDF holds several invoice XML files."),
            Text("Ne joignez qu’une facture XML par PDF.", "Attach one invoice XML to each PDF only."),
            where="embedded files: " + quoted(", ".join(embedded)),
        )


class InvalidValueError(UnreadableInvoiceError):
    """A business term holds a value that its type does not allow."""

    code: ClassVar[str] = "INVALID_VALUE"

    def __init__(self, what: Text, fix: Text, term: str, value: str, line: int) -> None:
        """`term`: the business term, such as BT-115; `value`: what the document says; `line`: where."""
        seen = quoted(value)
        super().__init__(
            Text(f"{term} : « {seen} » {what.fr}", f"{term}: “{seen}” {what.en}"),
            fix,
            where=f"{term}, {place(line)}",
        )
        self.term = term
        self.value = value
        self.line = line


class InvalidNumberError(InvalidValueError):
    """A number that is none."""

    code: ClassVar[str] = "INVALID_NUMBER"

    def __init__(self, term: str, value: str, line: int) -> None:
        super().__init__(
            Text("n’est pas un nombre.", "is not a number."),
            Text(
                "Écrivez des chiffres et un point décimal, sans espace ni virgule, par exemple 1234.50.",
                "Write digits and a decimal point, without space nor comma, for example 1234.50.",
            ),
            term,
            value,
            line,
        )


class InvalidDateError(InvalidValueError):
    """A date that is none, or that is not in the format of its syntax."""

    code: ClassVar[str] = "INVALID_DATE"

    def __init__(self, term: str, value: str, line: int, expected: str) -> None:
        """`expected`: the format of the syntax, such as YYYY-MM-DD."""
        super().__init__(
            Text("n’est pas une date.", "is not a date."),
            Text(
                f"Écrivez une date du calendrier au format {expected}.",
                f"Write a calendar date in the format {expected}.",
            ),
            term,
            value,
            line,
        )


class InvalidAttachmentError(InvalidValueError):
    """A supporting document whose content is not base64."""

    code: ClassVar[str] = "INVALID_ATTACHMENT"

    def __init__(self, value: str, line: int) -> None:
        super().__init__(
            Text("n’est pas un contenu en base64.", "is not base64 content."),
            Text("Encodez la pièce jointe en base64.", "Encode the attachment in base64."),
            "BT-125",
            value,
            line,
        )
