"""Places in the XML are named by the business terms of EN 16931."""

import re
import tomllib
from importlib.resources import files

import pytest
import xmlschema
from lxml import etree

from gateway.validation.catalog import installed_catalog
from gateway.validation.terms import _bindings, location_of, terms_at

SCHEMAS = {
    "Invoice": ("ubl-invoice-xsd", "ubl-invoice-xsd"),
    "CreditNote": ("ubl-creditnote-xsd", "ubl-creditnote-xsd"),
    # The widest Factur-X profile, and the full CII where UN/CEFACT has more.
    "CrossIndustryInvoice": ("factur-x-extended-xsd", "cii-d22b-xsd"),
}
#: UBL has these on the invoice only (a credit note has no due date of its own, no project reference).
INVOICE_ONLY = {"DueDate", "ProjectReference/ID"}


def _exists(element: xmlschema.XsdElement, steps: list[str]) -> bool:
    for step in steps:
        if step == "*":
            return element.type.is_complex()
        children = element.type.content.iter_elements() if element.type.is_element_only() else ()
        found = next((child for child in children if child.local_name == step), None)
        if found is None:
            return False
        element = found
    return True


@pytest.mark.parametrize("root", SCHEMAS)
def test_every_binding_leads_to_an_element_of_the_official_schema(root: str) -> None:
    artefacts = {artefact.id: artefact for artefact in installed_catalog().artefacts}
    roots = [
        next(
            element
            for element in xmlschema.XMLSchema10(str(artefacts[name].file), validation="skip").elements.values()
            if element.local_name == root
        )
        for name in dict.fromkeys(SCHEMAS[root])
    ]
    wrong = {path for path in _bindings()[root] if not any(_exists(element, path.split("/")) for element in roots)}
    assert wrong == (INVOICE_ONLY if root == "CreditNote" else set())


def test_every_binding_names_terms_of_the_standard() -> None:
    data = tomllib.loads((files("gateway.validation") / "bindings.toml").read_text(encoding="utf-8"))
    for binding in data["terms"].values():
        for terms in binding.values():
            assert all(re.fullmatch(r"BT-\d{1,3}|BG-\d{1,2}", term) for term in terms.split(", ")), terms


@pytest.mark.parametrize(
    ("path", "terms"),
    [
        ("Invoice/LegalMonetaryTotal/PayableAmount", ("BT-115",)),
        ("CreditNote/CreditNoteLine/CreditedQuantity", ("BT-129",)),
        ("CrossIndustryInvoice/ExchangedDocument/IssueDateTime/DateTimeString", ("BT-2",)),
        ("Invoice/AccountingSupplierParty/Party/Person", ("BG-4",)),
        ("Invoice", ()),
        ("CrossDomainAcknowledgementAndResponse/ExchangedDocument/ID", ()),
    ],
)
def test_a_path_gives_its_terms_or_those_of_its_group(path: str, terms: tuple[str, ...]) -> None:
    assert terms_at(path.split("/")) == terms


def test_a_location_counts_only_where_siblings_share_a_name() -> None:
    root = etree.fromstring('<a xmlns:n="urn:n"><n:b/><n:b><c/></n:b></a>')
    assert location_of(root) == "/a"
    assert location_of(root[1][0]) == "/a/n:b[2]/c"
    assert root.xpath(location_of(root[1][0]), namespaces={"n": "urn:n"}) == [root[1][0]]
