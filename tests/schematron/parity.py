"""The differential test: every artefact, many documents, the engine against Saxon.

`python tests/schematron/parity.py [--seed N] [--documents N] [--only NAME] [--jobs N]` prints, per artefact, how many
documents were compared, how many asserts and reports fired on some document, which never did, and every difference.
"""

import argparse
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lxml import etree

from gateway.schematron import Finding, load_rules
from gateway.schematron.stylesheet import Stylesheet, read_stylesheet
from tests.schematron.artefacts import ARTEFACTS, BY_NAME, Artefact
from tests.schematron.documents import Mutator, base_documents
from tests.schematron.oracle import Saxon

#: Compiled rules shared by the runs of one user; the engine refuses it should another user own it.
CACHE = Path(tempfile.gettempdir()) / "gateway-schematron-parity"

Row = tuple[str | None, ...]
_TEMPLATE = re.compile(r"\{([0-9, ]*)\}")


@dataclass
class Comparison:
    """What the comparison of one artefact showed."""

    artefact: str
    compared: int = 0
    stopped: int = 0
    """Documents on which Saxon stopped with a dynamic error."""
    order: int = 0
    """Documents on which only one of the two stopped: XPath leaves the order of `and` and `or` open."""
    fired: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)


def as_row(finding: Finding) -> Row:
    """A finding in the form of the oracle's: the test as an attribute value template prints it."""
    test = _TEMPLATE.sub(lambda match: " ".join(part.strip() for part in match[1].split(",")), finding.test)
    return (finding.kind, finding.rule, test, finding.location, finding.flag, finding.role, finding.message)


def compare(artefact: Artefact, saxon: Saxon, documents: list[tuple[str, bytes]], result: Comparison) -> None:
    """Compare findings, in order, on each document."""
    rules = load_rules(artefact.path, CACHE)
    for name, document in documents:
        expected = saxon.findings(artefact.path, document)
        found = rules.check(etree.ElementTree(etree.fromstring(document)))
        result.compared += 1
        is_error = bool(found) and found[-1].kind == "error"
        result.stopped += isinstance(expected, str)
        result.order += is_error != isinstance(expected, str)
        rows = [] if isinstance(expected, str) else [tuple(row) for row in expected]
        result.fired.update((str(row[0]), str(row[1]), str(row[2])) for row in rows)
        ours = [as_row(finding) for finding in found]
        difference = ""
        if isinstance(expected, str):
            if not found:
                difference = f"passes where Saxon stops: {expected[:300]}"
        elif is_error:
            before = ours[:-1]
            if [row for row in before if row not in rows]:
                difference = f"found before stopping: {_first_difference(before, rows)}"
        elif ours != rows:
            difference = _first_difference(ours, rows)
        if difference:
            result.differences.append(f"{name}: {difference}")
            result.kept.append(document)


def _first_difference(ours: list[Row], rows: list[Row]) -> str:
    missing = [row for row in rows if row not in ours]
    extra = [row for row in ours if row not in rows]
    if not missing and not extra:
        return "same findings in another order or number"
    return f"missing {missing[:1]} extra {extra[:1]}"


def documents_for(artefact: Artefact, stylesheet: Stylesheet, seed: int, count: int) -> list[tuple[str, bytes]]:
    """The base documents, then mutants of them and of each other, `count` in all."""
    rng = Random(f"{seed} {artefact.name}")
    documents = list(base_documents(artefact.family))
    if len(documents) > count // 2:
        documents = rng.sample(documents, count // 2)
    mutator = Mutator(rng, stylesheet)
    small = [document for _, document in documents if len(document) < 40_000]
    sweeps = [rng.choice(small) for _ in range(max(1, count // 300))]
    for number, base in enumerate(sweeps):
        documents.extend((f"sweep {number} of seed {seed}", swept) for swept in mutator.sweep(base, at_once=4))
    del documents[max(count - count // 3, len(small)) :]
    pool = list(small)
    while len(documents) < count:
        base = rng.choice(pool if rng.random() < 0.5 else small)
        mutant = mutator.mutant(base)
        documents.append((f"mutant {len(documents)} of seed {seed}", mutant))
        pool.append(mutant)
        if len(pool) > 60:
            del pool[len(small)]
    return documents


def run(name: str, seed: int, count: int) -> Comparison:
    """Compare one artefact on `count` documents."""
    artefact = BY_NAME[name]
    result = Comparison(name)
    documents = documents_for(artefact, read_stylesheet(artefact.path), seed, count)
    with Saxon() as saxon:
        compare(artefact, saxon, documents, result)
    return result


def _never_fired(artefact: Artefact, fired: Counter[tuple[str, str, str]]) -> list[str]:
    seen = {(kind, rule) for kind, rule, _ in fired} if artefact.name != "Flux10" else set()
    seen_tests = {(kind, " ".join(test.split())) for kind, _, test in fired}
    never: list[str] = []
    for pattern in read_stylesheet(artefact.path).patterns:
        for rule in pattern.rules:
            for check in rule.checks:
                test = _TEMPLATE.sub(lambda m: " ".join(p.strip() for p in m[1].split(",")), check.printed_test)
                is_known = check.rule and (check.kind, check.rule) in seen
                if not is_known and (check.kind, " ".join(test.split())) not in seen_tests:
                    never.append(f"{check.kind} {check.rule or '-'} [{rule.context.strip()[:70]}] {test[:90]}")
    return never


def main() -> int:
    """Run, print, and tell by the exit code whether there was a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=1000, help="documents per artefact")
    parser.add_argument("--only", default="", help="artefacts whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--never", action="store_true", help="list the checks that never fired")
    parser.add_argument("--keep", type=Path, help="folder for the documents that differ")
    options = parser.parse_args()
    names = [artefact.name for artefact in ARTEFACTS if options.only in artefact.name]
    failed = False
    print(f"seed {options.seed}, {options.documents} documents per artefact")
    with ProcessPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(run, name, options.seed, options.documents) for name in names]
        for task in tasks:
            result = task.result()
            artefact = BY_NAME[result.artefact]
            checks = {
                (pattern.mode, check.kind, check.rule, check.printed_test)
                for pattern in read_stylesheet(artefact.path).patterns
                for rule in pattern.rules
                for check in rule.checks
            }
            never = _never_fired(artefact, result.fired)
            print(
                f"{result.artefact}: {result.compared} documents, {len(result.differences)} differ, "
                f"{result.stopped} stopped by Saxon ({result.order} by one of the two only); "
                f"{len(checks) - len(never)} of {len(checks)} checks fired"
            )
            for difference in result.differences[:8]:
                print(f"    {difference[:900]}")
            if options.never:
                print("".join(f"    never: {line}\n" for line in never), end="")
            if options.keep is not None:
                options.keep.mkdir(parents=True, exist_ok=True)
                for index, document in enumerate(result.kept):
                    (options.keep / f"{result.artefact}-{index}.xml").write_bytes(document)
            failed = failed or bool(result.differences)
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
