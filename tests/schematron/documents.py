"""Documents for the differential test: the fixtures, and what a rule set's own paths and literals suggest.

Everything is drawn from a seeded generator: the same seed gives the same documents.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from random import Random

from lxml import etree

from fixtures.samples import all_samples
from gateway.schematron.matching import Alternative, alternatives
from gateway.schematron.stylesheet import Stylesheet
from gateway.schematron.xpath_ast import Expression, Filter, Literal, Path, Step, Union
from gateway.schematron.xpath_parser import parse

CDAR = b"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossDomainAcknowledgementAndResponse
    xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
    xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
    xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
    xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>REGULATED</ram:ID>
    </ram:BusinessProcessSpecifiedDocumentContextParameter>
    <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>F1_205_1</ram:ID>
    <ram:Name>CDV-205_Approuvee</ram:Name>
    <ram:IssueDateTime><udt:DateTimeString format="204">20261005080000</udt:DateTimeString></ram:IssueDateTime>
    <ram:SenderTradeParty><ram:RoleCode>WK</ram:RoleCode></ram:SenderTradeParty>
    <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">732829320</ram:GlobalID><ram:RoleCode>BY</ram:RoleCode>
    </ram:IssuerTradeParty>
    <ram:RecipientTradeParty><ram:GlobalID schemeID="0002">552100554</ram:GlobalID><ram:RoleCode>SE</ram:RoleCode>
      <ram:URIUniversalCommunication><ram:URIID schemeID="0225">552100554</ram:URIID></ram:URIUniversalCommunication>
    </ram:RecipientTradeParty>
  </rsm:ExchangedDocument>
  <rsm:AcknowledgementDocument>
    <ram:MultipleReferencesIndicator><udt:Indicator>false</udt:Indicator></ram:MultipleReferencesIndicator>
    <ram:TypeCode>23</ram:TypeCode>
    <ram:IssueDateTime><udt:DateTimeString format="204">20261005080000</udt:DateTimeString></ram:IssueDateTime>
    <ram:ReferenceReferencedDocument>
      <ram:IssuerAssignedID>F1</ram:IssuerAssignedID>
      <ram:TypeCode>380</ram:TypeCode>
      <ram:FormattedIssueDateTime><qdt:DateTimeString format="102">20261001</qdt:DateTimeString>
      </ram:FormattedIssueDateTime>
      <ram:ProcessConditionCode>207</ram:ProcessConditionCode>
      <ram:ProcessCondition>En litige</ram:ProcessCondition>
      <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">552100554</ram:GlobalID><ram:RoleCode>SE</ram:RoleCode>
      </ram:IssuerTradeParty>
      <ram:SpecifiedDocumentStatus><ram:SequenceNumeric>1</ram:SequenceNumeric><ram:ReasonCode>QTE_ERR</ram:ReasonCode>
        <ram:RequestedActionCode>NIN</ram:RequestedActionCode>
        <ram:SpecifiedDocumentCharacteristic><ram:TypeCode>MEN</ram:TypeCode>
          <ram:ValueAmount currencyID="EUR">120.00</ram:ValueAmount></ram:SpecifiedDocumentCharacteristic>
      </ram:SpecifiedDocumentStatus>
    </ram:ReferenceReferencedDocument>
  </rsm:AcknowledgementDocument>
</rsm:CrossDomainAcknowledgementAndResponse>
"""
FLUX10 = b"""<?xml version="1.0" encoding="UTF-8"?>
<Report>
  <ReportDocument><Id>R-2026_1</Id><IssueDateTime><DateTimeString>20261005080000</DateTimeString></IssueDateTime>
    <TypeCode>IN</TypeCode><Sender><Id schemeId="0238">1234</Id><RoleCode>WK</RoleCode></Sender>
    <Issuer><Id schemeId="0002">552100554</Id><RoleCode>SE</RoleCode></Issuer></ReportDocument>
  <TransactionsReport>
    <ReportPeriod><StartDate>20260901</StartDate><EndDate>20260930</EndDate></ReportPeriod>
    <Invoice><ID>F1</ID><IssueDate>20260905</IssueDate><TypeCode>380</TypeCode><CurrencyCode>EUR</CurrencyCode>
      <BusinessProcess><ID>B1</ID><TypeID>urn.cpro.gouv.fr:1p0:ereporting</TypeID></BusinessProcess>
      <Seller><CompanyId schemeId="0002">552100554</CompanyId>
        <TaxRegistrationId qualifyingId="VAT">FR83552100554</TaxRegistrationId>
        <PostalAddress><CountryId>FR</CountryId></PostalAddress></Seller>
      <Buyer><CompanyId schemeId="0223">DE123456789</CompanyId>
        <TaxRegistrationId qualifyingId="VAT">DE123456789</TaxRegistrationId>
        <PostalAddress><CountryId>DE</CountryId></PostalAddress></Buyer>
      <MonetaryTotal><TaxExclusiveAmount>100.00</TaxExclusiveAmount><TaxAmount CurrencyCode="EUR">20.00</TaxAmount>
      </MonetaryTotal>
      <TaxSubTotal><TaxableAmount>100.00</TaxableAmount><TaxAmount>20.00</TaxAmount>
        <TaxCategory><Code>S</Code><Percent>20</Percent></TaxCategory></TaxSubTotal>
    </Invoice>
  </TransactionsReport>
</Report>
"""
VALUES = (
    *("", " ", "X", "0", "1", "-1", "20", "20.00", "5.5", "12.345", "-0.5", "1e2", "999999999999.999"),
    *("2026-02-30", "2026-10-05", "20261005", "20260230", "true", "false", "EUR", "USD", "FR", "DE", "VAT", "LOC"),
    *("552100554", "55210055400013", "FR83552100554", "a b", "\u00a0x", "é" * 40, "A" * 300, "#PMT#x#BAR#B2B", "0225"),
)
NAMES_OF_ATTRIBUTES = ("schemeID", "currencyID", "unitCode", "listID", "format", "mimeCode", "name", "languageID")


def base_documents(family: str, seed: int = 1) -> list[tuple[str, bytes]]:
    """Name and bytes of the documents of a family (UBL, CII, CDAR, FLUX10), valid as far as the fixtures can be."""
    if family == "CDAR":
        return [("cdar", CDAR)]
    if family == "FLUX10":
        return [("flux10", FLUX10)]
    samples = (sample for sample in all_samples(seed) if sample.syntax == family)
    return [(sample.name, sample.data) for sample in samples]


@dataclass(frozen=True)
class Suggestion:
    """What one check talks about: its contexts, the paths below them, its literals."""

    branches: tuple[Alternative, ...]
    paths: tuple[tuple[str, ...], ...]
    literals: tuple[str, ...]


def suggestions(stylesheet: Stylesheet) -> list[Suggestion]:
    """What the checks of a stylesheet talk about."""
    found: list[Suggestion] = []
    for pattern in stylesheet.patterns:
        for rule in pattern.rules:
            context = parse(rule.context)
            lets = [parse(let.select) for let in rule.lets]
            branches = tuple(alternatives(context, rule.context))
            for check in rule.checks:
                expressions = [parse(check.test), *lets]
                paths = {path for expression in expressions for path in _relative_paths(expression)}
                literals = {text for expression in (context, *expressions) for text in _literals(expression)}
                found.append(Suggestion(branches, tuple(sorted(paths)), tuple(sorted(literals))))
    return found


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))


def _literals(expression: Expression) -> Iterator[str]:
    for part in _parts(expression):
        if isinstance(part, Literal):
            text = str(part.value)
            yield from (text.split()[:40] or [text]) if len(text) > 60 else [text]


def _relative_paths(expression: Expression) -> Iterator[tuple[str, ...]]:
    """Chains of names, the last perhaps `@name`; what follows `..` or `//` teaches nothing and is left out."""
    for part in _parts(expression):
        if isinstance(part, Path):
            yield from _chains(part.steps)


def _chains(steps: tuple[Step | Filter, ...]) -> Iterator[tuple[str, ...]]:
    names: list[str] = []
    for step in steps:
        match step:
            case Step("child", test) if "*" not in test and not test.endswith("()"):
                names.append(test)
            case Step("attribute", test) if "*" not in test:
                names.append(f"@{test}")
                break
            case Filter(Union(operands)):
                for operand in operands:
                    if isinstance(operand, Path):
                        yield from ((*names, *chain) for chain in _chains(operand.steps))
                break
            case _:
                break
    if names:
        yield tuple(names)


class Mutator:
    """Makes documents from others, one to six changes each, many of them such as the rules themselves suggest."""

    def __init__(self, rng: Random, stylesheet: Stylesheet) -> None:
        self._rng = rng
        self._namespaces = stylesheet.namespaces
        self._suggestions = suggestions(stylesheet)

    def sweep(self, document: bytes, at_once: int) -> Iterator[bytes]:
        """The document with something changed for each check in turn, `at_once` checks at a time."""
        for start in range(0, len(self._suggestions), at_once):
            root = etree.fromstring(document)
            for suggestion in self._suggestions[start : start + at_once]:
                self._follow(root, suggestion)
            yield etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def mutant(self, document: bytes) -> bytes:
        """The document with one to six changes."""
        root = etree.fromstring(document)
        changes = (self._delete, self._duplicate, self._retext, self._reattribute, self._follow_rule, self._follow_rule)
        for _ in range(self._rng.choice((1, 1, 2, 3, 6))):
            self._rng.choice(changes)(root)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def _any_element(self, root: etree._Element) -> etree._Element:
        return self._rng.choice(list(root.iter("*")))

    def _delete(self, root: etree._Element) -> None:
        element = self._any_element(root)
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)

    def _duplicate(self, root: etree._Element) -> None:
        element = self._any_element(root)
        if element is not root:
            element.addnext(copy.deepcopy(element))

    def _value(self, literals: tuple[str, ...] = ()) -> str:
        if literals and self._rng.random() < 0.7:
            return _xml_text(self._rng.choice(literals))
        return self._rng.choice(VALUES)

    def _retext(self, root: etree._Element) -> None:
        leaves = [element for element in root.iter("*") if len(element) == 0]
        if leaves:
            self._rng.choice(leaves).text = self._value(self._rng.choice(self._suggestions).literals)

    def _reattribute(self, root: etree._Element) -> None:
        element = self._any_element(root)
        if element.attrib and self._rng.random() < 0.7:
            name = self._rng.choice(list(element.attrib))
            if self._rng.random() < 0.4:
                del element.attrib[name]
                return
        else:
            name = self._rng.choice(NAMES_OF_ATTRIBUTES)
        element.set(name, self._value(self._rng.choice(self._suggestions).literals))

    def _follow_rule(self, root: etree._Element) -> None:
        self._follow(root, self._rng.choice(self._suggestions))

    def _follow(self, root: etree._Element, suggestion: Suggestion) -> None:
        """Make the context of a check if it is not there; make a path below it, or change or delete what is there."""
        context = self._context(root, self._rng.choice(suggestion.branches))
        if context is None or not suggestion.paths:
            return
        for _ in range(self._rng.choice((1, 1, 1, 2))):
            self._touch(context, self._rng.choice(suggestion.paths), suggestion.literals)

    def _context(self, root: etree._Element, branch: Alternative) -> etree._Element | None:
        names = [self._tag(name, root) for name in branch.names]
        existing = [element for element in root.iter("*") if _stands_on(element, names, anchored=branch.anchored)]
        if existing and self._rng.random() < 0.9:
            return self._rng.choice(existing)
        if root.tag == names[0]:
            return self._made(root, names[1:])
        if branch.anchored:
            return None
        return self._made(self._rng.choice([root, self._any_element(root)]), names)

    def _made(self, element: etree._Element, tags: list[str]) -> etree._Element:
        for tag in tags:
            found = element.find(tag)
            is_new = found is None or self._rng.random() < 0.05
            element = etree.SubElement(element, tag) if is_new or found is None else found
        return element

    def _touch(self, context: etree._Element, path: tuple[str, ...], literals: tuple[str, ...]) -> None:
        *names, last = path
        parent = self._made(context, [self._tag(name, context) for name in names])
        if last.startswith("@"):
            parent.set(self._tag(last[1:], context), self._value(literals))
            return
        tag = self._tag(last, context)
        found = parent.findall(tag)
        if found and self._rng.random() < 0.3:
            parent.remove(self._rng.choice(found))
            return
        leaf = self._rng.choice(found) if found and self._rng.random() < 0.6 else etree.SubElement(parent, tag)
        if len(leaf) == 0:
            leaf.text = self._value(literals)

    def _tag(self, name: str, near: etree._Element) -> str:
        if "*" in name:
            return str(self._rng.choice([element.tag for element in near.getroottree().getroot().iter("*")]))
        prefix, colon, local = name.partition(":")
        return f"{{{self._namespaces[prefix]}}}{local}" if colon else name


def _stands_on(element: etree._Element, tags: list[str], *, anchored: bool) -> bool:
    current: etree._Element | None = element
    for tag in reversed(tags):
        if current is None or current.tag != tag:
            return False
        current = current.getparent()
    return current is None or not anchored


def _xml_text(text: str) -> str:
    return "".join(character for character in text if character >= " " or character in "\t\n\r")
