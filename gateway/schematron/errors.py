"""Errors of the Schematron engine."""

from pathlib import Path
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class SchematronError(GatewayError):
    """Base of every error of this room."""

    code: ClassVar[str] = "SCHEMATRON_ERROR"


class StylesheetError(SchematronError):
    """The file is missing, is not XML, or is not a Schematron compiled by the ISO skeleton."""

    code: ClassVar[str] = "SCHEMATRON_STYLESHEET_UNREADABLE"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            what=Text(
                fr=f"Le fichier de règles Schematron ne peut pas être lu : {reason}.",
                en=f"The Schematron rules file cannot be read: {reason}.",
            ),
            fix=Text(
                fr="Indiquez un fichier XSLT compilé par le squelette ISO, tel que le livre l’éditeur des règles.",
                en="Give an XSLT file compiled by the ISO skeleton, as the publisher of the rules ships it.",
            ),
            where=str(path),
        )


class UnsupportedConstructError(SchematronError):
    """The rules use something the engine does not implement: refused when compiled, never guessed."""

    code: ClassVar[str] = "SCHEMATRON_CONSTRUCT_UNSUPPORTED"

    def __init__(self, construct: str, where: str) -> None:
        self.construct = construct
        super().__init__(
            what=Text(
                fr=f"Construction XPath ou XSLT non prise en charge : {construct}.",
                en=f"Unsupported XPath or XSLT construct: {construct}.",
            ),
            fix=Text(
                fr="Ce fichier de règles demande une version plus récente du moteur ; gardez la version précédente.",
                en="This rules file needs a newer version of the engine; keep the previous version of the rules.",
            ),
            where=where,
        )


class DynamicError(SchematronError):
    """An XPath expression that has no value on this document (XPath 2.0, section 2.3.1); stops the rules.

    `reason` starts with the W3C error code: "FORG0001: ..." for an invalid lexical value, "XPTY0004: ..." for more
    than one item where at most one is allowed, "FOAR0001: ..." for a division by zero.
    """

    code: ClassVar[str] = "SCHEMATRON_DYNAMIC_ERROR"

    def __init__(self, error: str, reason: str) -> None:
        self.reason = f"{error}: {reason}"
        super().__init__(
            what=Text(
                fr=f"Une règle ne peut pas être évaluée sur ce document ({self.reason}).",
                en=f"A rule cannot be evaluated on this document ({self.reason}).",
            ),
            fix=Text(
                fr="Corrigez d’abord les erreurs de schéma XSD du document : type ou nombre d’éléments invalides.",
                en="Mend the XSD errors of the document first: a value of the wrong type or a repeated element.",
            ),
        )
