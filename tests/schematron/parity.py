"""The differential test: every artefact, many documents, the engine against Saxon.

`python tests/schematron/parity.py [--seed N] [--documents N] [--only NAME] [--jobs N]` prints, per artefact, how many
documents were compared, how many asserts and reports fired on some document (`--never`: which did not, and why), and
every difference; it exits with 1 when there is one.
"""

import argparse
import subprocess
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
from tests.schematron.firing import Key, Silence, aimed_documents, as_printed, key, targets
from tests.schematron.oracle import Saxon

#: Compiled rules shared by the runs of one user; the engine refuses it should another user own it.
CACHE = Path(tempfile.gettempdir()) / "gateway-schematron-parity"

#: Bytes of a document from which mutants are made.
SMALL = 40_000
#: How often a check is aimed at that fires for the engine and not for Saxon, which may stop where the engine goes on.
ROUNDS = 15

Row = tuple[str | None, ...]


@dataclass
class Comparison:
    """What the comparison of one artefact showed."""

    artefact: str
    compared: int = 0
    stopped: int = 0
    """Documents on which Saxon stopped with a dynamic error."""
    stopped_alone: int = 0
    """Those on which the engine went on: XPath leaves the order of `and` and `or` open."""
    went_on: int = 0
    """Documents on which the engine stopped and Saxon went on, for the same reason."""
    fired: Counter[Key] = field(default_factory=Counter)
    """How often each check fired, on documents on which Saxon and the engine agree."""
    checks: int = 0
    """Asserts and reports of the artefact."""
    silent: list[Silence] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)


def as_row(finding: Finding) -> Row:
    """A finding in the form of the oracle's: the test as an attribute value template prints it."""
    return (
        finding.kind,
        finding.rule,
        as_printed(finding.test),
        finding.location,
        finding.flag,
        finding.role,
        finding.message,
    )


def compare(artefact: Artefact, saxon: Saxon, documents: list[tuple[str, bytes]], result: Comparison) -> None:
    """Compare findings, in order, on each document."""
    rules = load_rules(artefact.path, CACHE)
    for name, document in documents:
        expected = saxon.findings(artefact.path, document)
        found = rules.check(etree.ElementTree(etree.fromstring(document)))
        result.compared += 1
        is_error = bool(found) and found[-1].kind == "error"
        result.stopped += isinstance(expected, str)
        result.stopped_alone += isinstance(expected, str) and not is_error
        result.went_on += is_error and not isinstance(expected, str)
        rows = [] if isinstance(expected, str) else [tuple(row[1:]) for row in expected]
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
        elif not isinstance(expected, str):
            result.fired.update(key(*map(str, row[:4])) for row in expected)
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
    small = [document for _, document in documents if len(document) < SMALL]
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


def run(name: str, seed: int, count: int, tries: int) -> Comparison:
    """Compare one artefact on `count` documents, then on one aimed at each check that has not fired on them."""
    artefact = BY_NAME[name]
    stylesheet = read_stylesheet(artefact.path)
    checks = targets(stylesheet)
    result = Comparison(name, checks=len(checks))
    bases = [document for _, document in base_documents(artefact.family) if len(document) < SMALL]
    rules, rng = load_rules(artefact.path, CACHE), Random(f"{seed} {name} aimed")
    with Saxon() as saxon:
        compare(artefact, saxon, documents_for(artefact, stylesheet, seed, count), result)
        reasons: dict[Key, str] = {}
        for _ in range(ROUNDS):
            wanted = {name: target for name, target in checks.items() if name not in result.fired | reasons}
            aimed, silent = aimed_documents(rules, stylesheet, bases, wanted, rng, tries)
            reasons.update((silence.key, silence.reason) for silence in silent)
            compare(artefact, saxon, aimed, result)
    result.silent = [
        Silence(name, reasons.get(name, "Saxon stops on every document on which it fires for the engine"))
        for name in checks
        if name not in result.fired
    ]
    return result


def main() -> int:
    """Run, print, and tell by the exit code whether there was a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=1000, help="documents per artefact, the aimed ones aside")
    parser.add_argument("--tries", type=int, default=2000, help="documents aimed at a check before it is given up")
    parser.add_argument("--only", default="", help="artefacts whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--never", action="store_true", help="list the checks that never fired")
    parser.add_argument("--page", type=Path, help="page to write: what was compared, what never fired and why")
    parser.add_argument("--keep", type=Path, help="folder for the documents that differ")
    options = parser.parse_args()
    names = [artefact.name for artefact in ARTEFACTS if options.only in artefact.name]
    print(f"seed {options.seed}, {options.documents} documents per artefact and more aimed at single checks")
    results: list[Comparison] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(run, name, options.seed, options.documents, options.tries) for name in names]
        for task in tasks:
            results.append(task.result())
            _print(results[-1], never=options.never)
            if options.keep is not None:
                _keep(results[-1], options.keep)
    compared, checks = sum(result.compared for result in results), sum(result.checks for result in results)
    silent, differing = (
        sum(len(result.silent) for result in results),
        sum(len(result.differences) for result in results),
    )
    print(f"all: {compared} documents, {differing} differ; {checks - silent} of {checks} checks fired")
    if options.page is not None:
        options.page.write_text(page(results, options.seed, engine_version()), encoding="utf-8")
    return 1 if differing else 0


def _print(result: Comparison, *, never: bool) -> None:
    print(
        f"{result.artefact}: {result.compared} documents, {len(result.differences)} differ, "
        f"{result.stopped} stopped by Saxon ({result.stopped_alone} by it alone), {result.went_on} by the engine alone"
        f"; {result.checks - len(result.silent)} of {result.checks} checks fired"
    )
    for difference in result.differences[:8]:
        print(f"    {difference[:900]}")
    for silence in result.silent if never else ():
        context, kind, rule, test = silence.key
        print(f"    never: {kind} {rule or '-'} [{context[-70:]}] {test[:90]}: {silence.reason}")
    sys.stdout.flush()


def _keep(result: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, document in enumerate(result.kept):
        (folder / f"{result.artefact}-{index}.xml").write_bytes(document)


def engine_version() -> str:
    """The last change of the engine: date and commit."""
    command = ["git", "log", "-1", "--date=short", "--format=%ad (commit %h)", "--", "gateway/schematron"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def page(results: list[Comparison], seed: int, engine: str) -> str:
    """The page of the documentation; `engine` says which version was compared."""
    lines = [
        "# Schematron parity",
        "",
        "The engine beside Saxon on the same documents: the fixtures, mutants of them, and documents aimed at single",
        "checks. Rule, test, location, flag, role, message and order of every finding were compared. Written by",
        f'`make parity PARITY_ARGS="--page docs/reference/schematron-parity.md"`, seed {seed}, with the engine of',
        f"{engine}.",
        "",
        "| Artefact | Documents | Differing | Stopped by Saxon | By it alone | By ours alone | Checks | Fired | Not |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        stopped = (result.stopped, result.stopped_alone, result.went_on)
        fired = (result.checks, result.checks - len(result.silent), len(result.silent))
        cells = (result.artefact, result.compared, len(result.differences), *stopped, *fired)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    lines += [
        "",
        "*Stopped by Saxon*: a dynamic error ends the transformation and there is no verdict to compare; the engine",
        "reports that error, or goes on and finds others (*by it alone*). Such documents fire nothing here. *By",
        "ours alone*: Saxon went on. Both are right: where one operand of `and`, `or` has no value and the other",
        "decides, XPath lets a processor stop or go on. *Checks*: asserts and reports.",
        "",
        "## Never fired",
        "",
        "| Artefact | Rule | Context | Test | Reason |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        for silence in result.silent:
            reason = silence.reason.replace("|", "\\|")
            lines.append(f"{silent_row(result.artefact, silence.key)} {reason} |")
    return "\n".join([*lines, ""])


def silent_row(artefact: str, name: Key) -> str:
    """The row of a check on the page, up to its reason."""
    context, kind, rule, test = name
    return f"| {artefact} | {rule or kind} | {_code(context)} | {_code(test)} |"


def _code(text: str) -> str:
    """XPath in a table cell, shortened in the middle."""
    short = text if len(text) <= 90 else f"{text[:40]} … {text[-45:]}"
    return f"`{short.replace('|', chr(92) + '|')}`"


if __name__ == "__main__":
    sys.exit(main())
