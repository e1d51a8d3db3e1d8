"""Documents for the differential test: the fixtures, and what a rule set's own paths and literals suggest.

Everything is drawn from a seeded generator: the same seed gives the same documents.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from random import Random

from lxml import etree

from fixtures.cii import to_cii
from fixtures.companies import make_customers, make_seller
from fixtures.drafts import Kind, make_draft
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.schematron.matching import Alternative, alternatives
from gateway.schematron.stylesheet import Stylesheet
from gateway.schematron.xpath_ast import (
    Call,
    Comparison,
    ContextItem,
    Expression,
    Filter,
    Literal,
    Logical,
    Path,
    Sequence,
    Step,
    Union,
    Variable,
)
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
PROFILES = {
    "UBL": (Profile.EN_16931, Profile.EXTENDED_CTC_FR),
    "CII": (
        *(Profile.MINIMUM, Profile.BASIC_WL, Profile.BASIC),
        *(Profile.EN_16931, Profile.EXTENDED, Profile.EXTENDED_CTC_FR),
    ),
}
VALUES = (
    *(
        "",
        " ",
        "X",
        "0",
        "1",
        "-1",
        "20",
        "20.00",
        "5.5",
        "12.345",
        "-0.5",
        "-0.00",
        "-0",
        "NaN",
        "1e2",
        "999999999999.999",
    ),
    *(
        "2026-02-30",
        "2026-10-05",
        "20261005",
        "20260230",
        "19991231",
        "19991231080000",
        "1999-12-31",
        "true",
        "false",
        "EUR",
        "USD",
        "FR",
        "DE",
        "VAT",
        "LOC",
    ),
    *("552100554", "55210055400013", "FR83552100554", "a b", "\u00a0x", "é" * 40, "A" * 300, "#PMT#x#BAR#B2B", "0225"),
)
VAT_CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M")
VAT_CATEGORY_PLACES = ("{*}ClassifiedTaxCategory/{*}ID", "{*}TaxCategory/{*}ID", "{*}CategoryCode")
NAMES_OF_ATTRIBUTES = ("schemeID", "currencyID", "unitCode", "listID", "format", "mimeCode", "name", "languageID")


@cache
def base_documents(family: str, seed: int = 1) -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of the documents of a family (UBL, CII, CDAR, FLUX10), valid as far as the fixtures can be."""
    if family == "CDAR":
        return (("cdar", CDAR),)
    if family == "FLUX10":
        return (("flux10", FLUX10),)
    return tuple(_invoices(family, seed))


def _invoices(family: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """An invoice of every kind in every profile of the syntax, the small kinds first."""
    seller = make_seller(seed)
    for kind, customer in zip(Kind, make_customers(seed, len(Kind)), strict=True):
        rng = Random(f"schematron {seed} {kind}")
        draft = make_draft(rng, seller, rng.choice(seller.agencies), customer, kind)
        for profile in PROFILES[family]:
            data = to_ubl(draft, profile) if family == "UBL" else to_cii(draft, profile)
            yield f"{family} {profile} {kind}", data


@dataclass(frozen=True)
class Place:
    """A chain of names, the last perhaps `@name`, from the rule's context or, `anywhere`, from some place above it."""

    anywhere: bool
    names: tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """What one check talks about: its contexts, the places it looks at, its literals."""

    branches: tuple[Alternative, ...]
    places: tuple[Place, ...]
    literals: tuple[str, ...]


def suggestions(stylesheet: Stylesheet) -> list[Suggestion]:
    """What the checks of a stylesheet talk about, the functions they call and the global variables included."""
    functions = {
        function.name: [parse(source) for source in (function.result, *(let.select for let in function.lets))]
        for function in stylesheet.functions
    }
    shared = {variable.name: [parse(variable.select)] for variable in stylesheet.variables}
    found: list[Suggestion] = []
    for pattern in stylesheet.patterns:
        for rule in pattern.rules:
            context = parse(rule.context)
            lets = {let.name: [parse(let.select)] for let in rule.lets}
            branches = tuple(alternatives(context, rule.context))
            for check in rule.checks:
                expressions = _reached(parse(check.test), {**functions, **shared, **lets})
                places = {place for expression in expressions for place in _places(expression)}
                literals = {text for expression in (context, *expressions) for text in literals_of(expression)}
                ordered = sorted(places, key=lambda place: (place.anywhere, place.names))
                found.append(Suggestion(branches, tuple(ordered), tuple(sorted(literals))))
    return found


def _reached(test: Expression, named: dict[str, list[Expression]]) -> list[Expression]:
    """The test and what its variables and functions stand for."""
    found, pending, seen = list[Expression](), [test], set[str]()
    while pending:
        expression = pending.pop()
        found.append(expression)
        names = {part.name for part in _parts(expression) if isinstance(part, Variable | Call)}
        for name in sorted(names & named.keys() - seen):
            seen.add(name)
            pending.extend(named[name])
    return found


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))


def literals_of(expression: Expression) -> Iterator[str]:
    """The literals of an expression, a list of words word by word."""
    for part in _parts(expression):
        if isinstance(part, Literal):
            text = str(part.value)
            yield from (text.split()[:40] or [text]) if len(text) > 60 else [text]


def _places(expression: Expression) -> Iterator[Place]:
    for part in _parts(expression):
        if isinstance(part, Path):
            is_from_context = part.anchor == "context" and isinstance(part.steps[0], Step)
            for names in _chains(part.steps):
                yield Place(not is_from_context, names)
        elif isinstance(part, ContextItem):
            yield Place(False, ())


def _chains(steps: tuple[Step | Filter, ...]) -> Iterator[tuple[str, ...]]:
    names: list[str] = []
    for step in steps:
        match step:
            case Step("child", test) if "*" not in test and not test.endswith("()"):
                names.append(test)
            case Step("attribute", test) if "*" not in test:
                names.append(f"@{test}")
                break
            case Step("descendant-or-self") if not names:
                continue
            case Filter(Union(operands)):
                for operand in operands:
                    if isinstance(operand, Path):
                        yield from ((*names, *chain) for chain in _chains(operand.steps))
                break
            case Filter() if not names:
                continue
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
            if self._rng.random() < 0.5:
                self._recategorise(root)
            for suggestion in self._suggestions[start : start + at_once]:
                self._follow(root, suggestion)
            yield etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def mutant(self, document: bytes) -> bytes:
        """The document with one to six changes."""
        root = etree.fromstring(document)
        changes = (
            *(self._delete, self._duplicate, self._retext, self._reattribute, self._recategorise),
            *(self._follow_rule, self._follow_rule),
        )
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

    def _recategorise(self, root: etree._Element) -> None:
        """Another VAT category, everywhere or in one kind of place: the rules of a category ask for much else."""
        category = self._rng.choice(VAT_CATEGORIES)
        places = VAT_CATEGORY_PLACES if self._rng.random() < 0.6 else (self._rng.choice(VAT_CATEGORY_PLACES),)
        for place in places:
            for element in root.iterfind(f".//{place}"):
                if self._rng.random() < 0.9:
                    element.text = category

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
        """Make a check's context if it is not there; make a place it looks at, or change or delete what is there."""
        branches = [branch for branch in suggestion.branches if self._can_stand(root, branch)]
        if not branches:
            return
        branch = self._rng.choice(branches)
        context = self._context(root, branch)
        if self._rng.random() < 0.8:
            for predicate in branch.predicates[-1]:
                self._satisfy(context, predicate)
        for place in (
            self._rng.choices(suggestion.places, k=self._rng.choice((1, 1, 1, 2))) if suggestion.places else ()
        ):
            start = context
            if place.anywhere:
                tag = self._tag(place.names[0], root)
                named = [element for element in root.iter("*") if element.tag == tag]
                above = self._rng.choice(named).getparent() if named else None
                start = root if above is None or self._rng.random() < 0.3 else above
            self._touch(start, place.names, suggestion.literals)

    def _satisfy(self, element: etree._Element, predicate: Expression) -> None:
        """Give the element what an equality with a literal asks for."""
        match predicate:
            case Logical(_, left, right):
                self._satisfy(element, left)
                self._satisfy(element, right)
            case Comparison("eq", ContextItem(), Literal(value)) if len(element) == 0:
                element.text = str(value)
            case Comparison("eq", Path("context", steps), Literal() | Sequence() as values):
                texts = tuple(literals_of(values))
                for names in _chains(steps):
                    self._put(element, names, self._rng.choice(texts))

    def _put(self, element: etree._Element, names: tuple[str, ...], value: str) -> None:
        *above, last = names
        parent = self._made(element, [self._tag(name, element) for name in above])
        if last.startswith("@"):
            parent.set(self._tag(last[1:], element), _xml_text(value))
        else:
            self._made(parent, [self._tag(last, element)]).text = _xml_text(value)

    def _can_stand(self, root: etree._Element, branch: Alternative) -> bool:
        """Whether the document element allows this context: an Invoice cannot hold what is read in a CreditNote."""
        tops = {"ubl:Invoice", "cn:CreditNote"}
        first = branch.names[0]
        return (not branch.anchored and first not in tops) or first == "*" or self._tag(first, root) == root.tag

    def _context(self, root: etree._Element, branch: Alternative) -> etree._Element:
        names = [self._tag(name, root) for name in branch.names]
        existing = [element for element in root.iter("*") if _stands_on(element, names, anchored=branch.anchored)]
        if existing and self._rng.random() < 0.9:
            return self._rng.choice(existing)
        if root.tag == names[0]:
            return self._made(root, names[1:])
        return self._made(self._rng.choice([root, self._any_element(root)]), names)

    def _made(self, element: etree._Element, tags: list[str]) -> etree._Element:
        for tag in tags:
            found = element.find(tag)
            is_new = found is None or self._rng.random() < 0.05
            element = etree.SubElement(element, tag) if is_new or found is None else found
        return element

    def _touch(self, context: etree._Element, path: tuple[str, ...], literals: tuple[str, ...]) -> None:
        if not path:
            if len(context) == 0:
                context.text = self._value(literals)
            return
        *names, last = path
        parent = self._made(context, [self._tag(name, context) for name in names])
        if last.startswith("@"):
            parent.set(self._tag(last[1:], context), self._value(literals))
            return
        tag = self._tag(last, context)
        found = parent.findall(tag)
        action = self._rng.random()
        if found and action < 0.3:
            for element in found if action < 0.15 else [self._rng.choice(found)]:
                parent.remove(element)
            return
        if found and action < 0.5:
            parent.append(copy.deepcopy(self._rng.choice(found)))
            return
        leaf = self._rng.choice(found) if found and action < 0.9 else etree.SubElement(parent, tag)
        if len(leaf) == 0:
            leaf.text = self._perturbed(leaf.text) if leaf.text and action < 0.7 else self._value(literals)

    def _perturbed(self, text: str) -> str:
        """The text changed a little: another digit at its end, a sign before it, a space around it."""
        return self._rng.choice((f"{text}5", f"{text}.125", f"-{text}", f"-{text}1", f" {text} ", text[:-1], text * 2))

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
