"""The official Schematron, run by Saxon, accepts every valid sample and names the fault of every broken one."""

import json
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from fixtures.broken import BrokenSample
from fixtures.samples import Sample
from tests.fixtures_generation.artefacts import invoice_xml, rule_sets

_ORACLE = Path(__file__).with_name("saxon_oracle.py")


@dataclass(frozen=True)
class Fired:
    """The rule (None where the rule has no id) and its message."""

    rule: str | None
    text: str


@pytest.fixture(scope="module")
def verdicts(
    samples: list[Sample], broken: list[BrokenSample], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Fired]]:
    """What fires on each document, by name: one Saxon process for all, each distinct XML judged once per rule set."""
    folder = tmp_path_factory.mktemp("documents")
    judged: list[Sample | BrokenSample] = [*samples, *(one for one in broken if one.layer in {"en16931", "fr-ctc"})]
    jobs: dict[tuple[str, str], list[str]] = {}
    for document in judged:
        xml = invoice_xml(document)
        path = folder / f"{sha256(xml).hexdigest()}.xml"
        path.write_bytes(xml)
        for stylesheet in rule_sets(document):
            jobs.setdefault((stylesheet, str(path)), []).append(document.name)
    order = sorted(jobs)
    request = json.dumps([{"stylesheet": stylesheet, "document": path} for stylesheet, path in order])
    answer = subprocess.run([sys.executable, _ORACLE], input=request, capture_output=True, text=True, check=True)
    result: dict[str, list[Fired]] = {document.name: [] for document in judged}
    for job, findings in zip(order, json.loads(answer.stdout), strict=True):
        for name in jobs[job]:
            result[name] += [Fired(**finding) for finding in findings]
    return result


def test_no_official_rule_fires_on_a_valid_sample(samples: list[Sample], verdicts: dict[str, list[Fired]]) -> None:
    assert {sample.name: verdicts[sample.name] for sample in samples if verdicts[sample.name]} == {}


def test_exactly_the_expected_rules_fire_on_a_broken_sample(
    broken: list[BrokenSample], verdicts: dict[str, list[Fired]]
) -> None:
    faulty = [one for one in broken if one.layer in {"en16931", "fr-ctc"}]
    assert len(faulty) > 50
    wrong = {
        one.name: fired
        for one in faulty
        if {fired.rule for fired in verdicts[one.name]} != {one.expected, *one.also}
        for fired in verdicts[one.name] or [Fired(None, "nothing fired")]
    }
    assert wrong == {}
