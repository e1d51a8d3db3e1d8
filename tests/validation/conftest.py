"""Valid documents to start from, and the ways of breaking them that several tests share."""

from collections.abc import Callable

import pytest
from lxml import etree

from fixtures.samples import Sample, all_samples

_R = "urn:un:unece:uncefact:data:standard:"

CDAR = f"""<rsm:CrossDomainAcknowledgementAndResponse xmlns:rsm="{_R}CrossDomainAcknowledgementAndResponse:100"
    xmlns:ram="{_R}ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{_R}UnqualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:GuidelineSpecifiedDocumentContextParameter>
      <ram:ID>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>M-1</ram:ID>
    <ram:RecipientTradeParty><ram:RoleCode>SE</ram:RoleCode></ram:RecipientTradeParty>
  </rsm:ExchangedDocument>
  <rsm:AcknowledgementDocument>
    <ram:TypeCode>23</ram:TypeCode>
    <ram:ReferenceReferencedDocument>
      <ram:IssuerAssignedID>F-1</ram:IssuerAssignedID><ram:ProcessConditionCode>205</ram:ProcessConditionCode>
    </ram:ReferenceReferencedDocument>
  </rsm:AcknowledgementDocument>
</rsm:CrossDomainAcknowledgementAndResponse>""".encode()


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Every valid fixture: all syntaxes, profiles and kinds."""
    return all_samples(seed=1)


@pytest.fixture(scope="session")
def valid(samples: list[Sample]) -> Callable[[str, str], bytes]:
    """An ordinary valid document of a syntax and a profile."""

    def find(syntax: str, profile: str = "EN 16931") -> bytes:
        if syntax == "CDAR":
            return CDAR
        return next(sample.data for sample in samples if (sample.syntax, sample.profile) == (syntax, profile))

    return find


@pytest.fixture(scope="session")
def broken() -> Callable[[bytes, str, str | None], bytes]:
    """The document with the first element of a local name given another text, or removed when the text is None."""

    def change(data: bytes, name: str, text: str | None) -> bytes:
        root = etree.fromstring(data)
        element = next(root.iter(f"{{*}}{name}"))
        if text is None:
            element.getparent().remove(element)
        else:
            element.text = text
        return etree.tostring(root)

    return change
