"""What all tables of one syntax share: namespaces, dates, the roots of documents.

It knows nothing of the model, which takes longer to load than a document to recognise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lxml import etree

from gateway.invoices.errors import InvalidDateError
from gateway.invoices.xml import line_of

XML_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the tables of one syntax share.

    Attributes:
        namespaces: prefix to namespace, for the paths.
        date_pattern: three groups, year, month and day.
        date_format: the same for people.
        date_format_code: what a `format` attribute must say when there is one (UNTDID 2379).
    """

    namespaces: Mapping[str, str]
    date_pattern: re.Pattern[str]
    date_format: str
    date_format_code: str | None = None

    def tag(self, name: str) -> str:
        """`cbc:ID` as lxml names it."""
        prefix, _, local = name.partition(":")
        return f"{{{self.namespaces[prefix]}}}{local}"

    def find(self, element: etree._Element, path: str) -> etree._Element | None:
        """The first element at `path` (`cac:TaxScheme/cbc:ID`), following the first match of each step."""
        found: etree._Element | None = element
        for name in path.split("/"):
            found = next(found.iterchildren(self.tag(name)), None) if found is not None else None
        return found

    def text_at(self, element: etree._Element, path: str) -> str | None:
        """The text of the element that `find` finds."""
        found = self.find(element, path)
        return text_of(found) if found is not None else None

    def date_of(self, element: etree._Element, term: str) -> date | None:
        """The date an element holds. Raises InvalidDateError."""
        value = text_of(element)
        if value is None:
            return None
        found = self.date_pattern.fullmatch(value)
        if found and element.get("format", self.date_format_code) == self.date_format_code:
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                pass  # A day that no calendar has, such as 31 February: the same error as below.
        raise InvalidDateError(term, value, line_of(element), self.date_format)


def text_of(element: etree._Element) -> str | None:
    """The text of an element without the space around it, None when nothing is left."""
    return (element.text or "").strip(XML_SPACE) or None


CII = Dialect(
    namespaces={
        "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
        "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
        "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    },
    date_pattern=re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
    date_format="YYYYMMDD",
    date_format_code="102",
)
CII_ROOT = CII.tag("rsm:CrossIndustryInvoice")

UBL = Dialect(
    namespaces={
        "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
        "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    },
    # A time zone is allowed by the schema and says nothing about a calendar day.
    date_pattern=re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?"),
    date_format="YYYY-MM-DD",
)
INVOICE_ROOT = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE_ROOT = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
