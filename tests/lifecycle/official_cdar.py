"""The official schema and rules of lifecycle messages, as lxml and Saxon apply them."""

from functools import cache
from importlib.resources import files

from lxml import etree
from saxonche import PySaxonProcessor

_FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


@cache
def schema() -> etree.XMLSchema:
    """The XSD of CDAR D22B."""
    return etree.XMLSchema(
        file=str(files("pyfrctc") / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    )


@cache
def _saxon():
    processor = PySaxonProcessor(license=False)
    path = files("pyfrctc") / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def broken_rules(data: bytes) -> list[tuple[str, str]]:
    """The rules of BR-FR-CDV that a message breaks, with their places, as Saxon and the official file tell."""
    processor, stylesheet = _saxon()
    node = processor.parse_xml(xml_text=data.decode())
    report = etree.fromstring(stylesheet.transform_to_string(xdm_node=node).encode())
    return [(each.get("id", ""), each.get("location", "")) for each in report.iterfind(_FAILED)]


def assert_passes(data: bytes) -> None:
    """The message is what the schema and the rules want."""
    schema().assertValid(etree.fromstring(data))
    assert broken_rules(data) == []
