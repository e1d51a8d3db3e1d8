"""A file is known by its content."""

import pytest

from gateway.invoices.detection import Syntax, detect
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.reading import read_document
from tests.invoices.invoices_documents import CDAR, CII_INVOICE, UBL_CREDIT_NOTE, UBL_INVOICE, broken, pdf_with

LIMITS = ReadingLimits()
CIUS = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
CTC = "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"


@pytest.mark.parametrize(
    ("data", "syntax"),
    [
        (UBL_INVOICE, "UBL"),
        (UBL_CREDIT_NOTE, "UBL"),
        (CII_INVOICE, "CII"),
        (pdf_with(("factur-x.xml", CII_INVOICE)), "Factur-X"),
        (CDAR, "CDAR"),
        (b"\n" + CDAR, "CDAR"),
        (b"<!-- %PDF-1.7 -->" + CDAR, "CDAR"),
    ],
)
def test_the_syntax_is_known(data: bytes, syntax: str) -> None:
    assert detect(data, LIMITS).syntax == syntax
    assert read_document(data).syntax is Syntax(syntax)


@pytest.mark.parametrize(
    ("specification", "profile"),
    [
        ("urn:factur-x.eu:1p0:minimum", "MINIMUM"),
        ("urn:factur-x.eu:1p0:basicwl", "BASIC WL"),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "BASIC"),
        ("urn:cen.eu:en16931:2017", "EN 16931"),
        ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "EXTENDED"),
        (CTC, "EXTENDED-CTC-FR"),
        (CIUS, CIUS),
        ("", ""),
    ],
)
def test_the_profile_of_a_cii_follows_from_bt_24(specification: str, profile: str) -> None:
    data = broken(CII_INVOICE, b">BT-24<", f"> {specification} <".encode())
    assert detect(data, LIMITS).profile == profile
    assert detect(pdf_with(("factur-x.xml", data)), LIMITS).profile == profile


@pytest.mark.parametrize(
    ("specification", "profile"),
    [("urn:cen.eu:en16931:2017", "EN 16931"), (CTC, "EXTENDED-CTC-FR"), (CIUS, CIUS)],
)
def test_the_profile_of_a_ubl_follows_from_bt_24(specification: str, profile: str) -> None:
    assert detect(broken(UBL_INVOICE, b">BT-24<", f">{specification}<".encode()), LIMITS).profile == profile


def test_the_guideline_of_a_lifecycle_message_is_kept_as_written() -> None:
    context = (
        b"><ExchangedDocumentContext><GuidelineSpecifiedDocumentContextParameter><ID>urn.cpro.gouv.fr:1p0:CDV:invoice"
        b"</ID></GuidelineSpecifiedDocumentContextParameter></ExchangedDocumentContext>"
        b"</rsm:CrossDomainAcknowledgementAndResponse>"
    )
    assert detect(broken(CDAR, b"/>", context), LIMITS).profile == "urn.cpro.gouv.fr:1p0:CDV:invoice"
