"""A folder of 1,000 mixed small invoices: `gateway validate` on all cores, beside the same work by saxonche.

The peer does what the command does: opens each file (the XML of a Factur-X out of its PDF), checks the XSD with lxml,
runs the profile's and the French rules with stylesheets that each process compiles once, and reads the SVRL. It runs
in as many processes as there are cores, spawned, since SaxonC must not be forked. Our own checks, which it does not
have, are left out. Both are whole commands, timed from start to exit on the wall's clock and by the processor time of
all their processes, taken in turns, after one run that warms the disk and our rule cache. Both find the byte code of
every module, as an installed program does, whatever this environment says of writing it.

Then the start: the whole command on one invoice of each syntax, every layer, rules compiled before.

`python tests/benchmarks/bench_folder.py [--documents N] [--runs N] [--starts N]` prints two Markdown tables.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from random import Random
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter
from typing import Any

from lxml import etree
from measuring import machine, table

from fixtures.cii import to_cii
from fixtures.companies import make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.invoices.reading import read_document
from gateway.validation.catalog import Catalog, installed_catalog

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
LAYERS = ("en16931", "fr-ctc")
SYNTAXES = ("UBL", "CII", "Factur-X")
_peer: dict[str, Any] = {}


def documents(count: int) -> Iterator[tuple[str, bytes]]:
    """Small invoices, a third each of UBL, CII and Factur-X; one in five has a wrong total and fails."""
    seller, customers = make_seller(1), make_customers(1, 40)
    for number in range(count):
        rng = Random(number)
        draft = make_draft(
            rng,
            seller,
            rng.choice(seller.agencies),
            rng.choice(customers),
            number=f"B-{number:05d}",
            issue_date=date(2026, 9, 1),
            line_count=rng.randint(1, 8),
        )
        syntax = SYNTAXES[number % 3]
        if syntax == "Factur-X":
            yield f"{number:05d}.pdf", to_facturx(draft, Profile.EN_16931)
            continue
        data = to_ubl(draft) if syntax == "UBL" else to_cii(draft, Profile.EN_16931)
        if number % 5 == 0:
            data = data.replace(b'<cbc:PayableAmount currencyID="EUR">', b'<cbc:PayableAmount currencyID="EUR">9', 1)
            data = data.replace(b"<ram:DuePayableAmount>", b"<ram:DuePayableAmount>9", 1)
        yield f"{number:05d}.xml", data


def start_peer() -> None:
    """What each process of the peer prepares once."""
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    _peer.update(processor=processor, xslt=processor.new_xslt30_processor(), catalog=installed_catalog(), compiled={})


def peer_validates(path: str) -> int:
    """Failed asserts of one file, or 1 when its XSD fails."""
    document = read_document(Path(path).read_bytes())
    catalog: Catalog = _peer["catalog"]
    root = etree.QName(document.tree.getroot()).localname

    def artefact(layer: str) -> str:
        return str(catalog.candidates(layer, document.syntax, document.profile, root)[0].file)

    if not _compiled(artefact("xsd"), lambda file: etree.XMLSchema(file=file)).validate(document.tree):
        return 1
    node = _peer["processor"].parse_xml(xml_text=document.xml.decode())
    failed = 0
    for layer in LAYERS:
        stylesheet = _compiled(artefact(layer), lambda file: _peer["xslt"].compile_stylesheet(stylesheet_file=file))
        svrl = etree.fromstring(stylesheet.transform_to_string(xdm_node=node).encode())
        failed += sum(1 for _ in svrl.iter(f"{SVRL}failed-assert"))
    return failed


def _compiled(file: str, compile_: Any) -> Any:
    if file not in _peer["compiled"]:
        _peer["compiled"][file] = compile_(file)
    return _peer["compiled"][file]


def run_peer(folder: Path) -> None:
    """The peer's whole command: one spawned process per core."""
    paths = [str(path) for path in sorted(folder.iterdir())]
    with get_context("spawn").Pool(os.cpu_count(), initializer=start_peer) as pool:
        invalid = sum(1 for failed in pool.imap(peer_validates, paths, chunksize=8) if failed)
    print(invalid)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that one run of a command took: on the wall's clock, and of all processors together."""

    wall: float
    processor: float


def run(command: list[str], environment: dict[str, str]) -> tuple[Cost, str]:
    """What one run costs, and what it printed."""
    start, before = perf_counter(), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    wall, after = perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, processor), done.stdout


def with_byte_code(folder: str) -> dict[str, str]:
    """This environment, in which modules are compiled once, into `folder`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": folder}


def started(gateway: str, files: list[Path], environment: dict[str, str], runs: int) -> list[list[str]]:
    """Median and worst of `runs` starts of the command on a file of each syntax, after one that warms up."""
    rows = []
    for syntax, file in zip(SYNTAXES, files, strict=True):
        command = [gateway, "validate", str(file), "--format", "jsonl"]
        costs = [run(command, environment)[0] for _ in range(runs + 1)][1:]
        walls, processors = [cost.wall for cost in costs], [cost.processor for cost in costs]
        rows.append([syntax, f"{median(walls):.2f}", f"{max(walls):.2f}", f"{median(processors):.2f}"])
    return rows


def main() -> None:
    """Generate, run both, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--peer", type=Path)
    options = parser.parse_args()
    if options.peer:
        run_peer(options.peer)
        return
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as byte_code:
        folder, environment = Path(name), with_byte_code(byte_code)
        for file_name, data in documents(options.documents):
            (folder / file_name).write_bytes(data)
        gateway = str(Path(sys.executable).with_name("gateway"))
        ours = [gateway, "validate", name, "--format", "jsonl", "--rules", ",".join(("xsd", *LAYERS))]
        theirs = [sys.executable, __file__, "--peer", name]
        starts = started(gateway, sorted(folder.iterdir())[:3], environment, options.starts)
        run(ours, environment)
        turns = [(run(ours, environment), run(theirs, environment)) for _ in range(options.runs)]
    our_count, their_count = turns[0][0][1].count('"verdict":"invalid"'), int(turns[0][1][1])
    assert our_count == their_count, (our_count, their_count)
    print(f"Measured on: {machine()}; {options.documents} documents, {our_count} invalid for both\n")
    our_costs, their_costs = [ours for (ours, _), _ in turns], [theirs for _, (theirs, _) in turns]
    our_best, their_best = _least(our_costs), _least(their_costs)
    rows = [
        _row("gateway validate", our_best, options.documents),
        _row("saxonche", their_best, options.documents),
        [
            "ratio",
            f"{their_best.wall / our_best.wall:.1f}",
            f"{their_best.processor / our_best.processor:.1f}",
            "",
        ],
    ]
    print(table(["command", "seconds", "processor seconds", "documents a second"], rows))
    print(f"\nOne invoice of each syntax, every layer, {options.starts} starts each\n")
    print(table(["syntax", "median, s", "worst, s", "processor, s"], starts))


def _least(costs: list[Cost]) -> Cost:
    return Cost(min(cost.wall for cost in costs), min(cost.processor for cost in costs))


def _row(command: str, cost: Cost, count: int) -> list[str]:
    return [command, f"{cost.wall:.2f}", f"{cost.processor:.1f}", f"{count / cost.wall:,.0f}"]


if __name__ == "__main__":
    main()
