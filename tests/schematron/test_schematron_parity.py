"""The differential test, quick: some documents and mutants for every artefact; `parity.py` is the long one."""

from pathlib import Path
from random import Random

import pytest

from gateway.schematron import load_rules
from gateway.schematron.stylesheet import read_stylesheet
from tests.schematron.artefacts import ARTEFACTS, BY_NAME, Artefact
from tests.schematron.documents import base_documents
from tests.schematron.firing import Key, aimed_documents, targets
from tests.schematron.oracle import Saxon
from tests.schematron.parity import CACHE, Comparison, compare, documents_for, silent_row

SEED = 20261005
DOCUMENTS = 20
AIMED = 8
PAGE = Path(__file__).parents[2] / "docs/reference/schematron-parity.md"


def tables_of_page() -> tuple[list[list[str]], list[str]]:
    """The cells of the table of artefacts, and the rows of the table of what never fired."""
    counts, silent = (
        [line for line in part.splitlines() if line.startswith("|")][2:]
        for part in PAGE.read_text(encoding="utf-8").split("## Never fired")
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in counts], silent


def rows_of(artefact: Artefact, keys: set[Key]) -> set[str]:
    """How the page begins the row of each of these checks."""
    return {silent_row(artefact.name, key) for key in keys}


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_findings_are_saxons_and_nothing_fires_that_the_page_says_never_does(artefact: Artefact, saxon: Saxon):
    """Kind, rule, test, location, flag, role, message and order; the seed is in the name of each document."""
    stylesheet = read_stylesheet(artefact.path)
    documents = documents_for(artefact, stylesheet, SEED, DOCUMENTS)
    result = Comparison(artefact.name)
    compare(artefact, saxon, documents, result)
    assert result.differences == []
    assert result.compared == DOCUMENTS
    assert result.fired
    _, silent = tables_of_page()
    assert [row for row in silent if row.startswith(tuple(rows_of(artefact, set(result.fired))))] == []


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_a_document_aimed_at_a_check_makes_it_fire_for_saxon_too(artefact: Artefact, saxon: Saxon):
    stylesheet, rng = read_stylesheet(artefact.path), Random(SEED)
    checks = targets(stylesheet)
    wanted = {key: checks[key] for key in rng.sample(sorted(checks), AIMED)}
    bases = [document for _, document in base_documents(artefact.family)]
    aimed, silent = aimed_documents(load_rules(artefact.path, CACHE), stylesheet, bases, wanted, rng, tries=100)
    result = Comparison(artefact.name)
    compare(artefact, saxon, aimed, result)
    assert result.differences == []
    stopped_by_one = result.stopped_alone + result.went_on
    assert stopped_by_one > 0 or wanted.keys() - result.fired.keys() == {silence.key for silence in silent}


def test_the_page_lists_checks_that_exist_and_counts_them():
    counts, silent = tables_of_page()
    assert [cells[0] for cells in counts] == list(BY_NAME)
    for name, _, differing, _, _, _, checks, fired, never in counts:
        known = set(targets(read_stylesheet(BY_NAME[name].path)))
        listed = [row for row in silent if row.startswith(f"| {name} |")]
        assert (int(checks), int(differing)) == (len(known), 0)
        assert int(fired) + int(never) == int(checks)
        assert len(listed) == int(never)
        assert all(row.startswith(tuple(rows_of(BY_NAME[name], known))) for row in listed)
        assert all(row.rstrip("| ").rpartition("|")[2].strip() for row in listed), "a reason for each"
