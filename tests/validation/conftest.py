"""Valid documents to start from, and the ways of breaking them that several tests share."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from fixtures.samples import Sample, all_samples
from gateway.lifecycle.cdar.building import InvoiceReference, build_status, company
from gateway.lifecycle.cdar.writing import write_cdar

CDAR = write_cdar(
    build_status(
        InvoiceReference("F2026-0042", date(2026, 10, 5), "552100554"),
        "205",
        issuer=company("732829320", "BY", "Maison Lenoir", "732829320"),
        recipients=[company("552100554", "SE", "Ateliers du Rhône", "552100554_STATUTS")],
        at=datetime(2026, 10, 12, 9, 30, tzinfo=UTC),
    )
)


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
