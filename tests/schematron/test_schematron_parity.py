"""The differential test, quick: some documents and mutants for every artefact; `parity.py` is the long one."""

import pytest

from gateway.schematron.stylesheet import read_stylesheet
from tests.schematron.artefacts import ARTEFACTS, Artefact
from tests.schematron.oracle import Saxon
from tests.schematron.parity import Comparison, compare, documents_for

SEED = 20261005
DOCUMENTS = 20


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_findings_are_saxons(artefact: Artefact, saxon: Saxon):
    """Kind, rule, test, location, flag, role, message and order; the seed is in the name of each document."""
    documents = documents_for(artefact, read_stylesheet(artefact.path), SEED, DOCUMENTS)
    result = Comparison(artefact.name)
    compare(artefact, saxon, documents, result)
    assert result.differences == []
    assert result.compared == DOCUMENTS
    assert result.fired
