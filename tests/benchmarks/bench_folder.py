"""A folder of 1,000 mixed small invoices: `gateway validate` on all cores, beside the same work by saxonche.

The peer does what the command does: opens each file (the XML of a Factur-X out of its PDF), checks the XSD with lxml,
runs the profile's and the French rules with stylesheets that each process compiles once, and reads the SVRL. It runs
in as many processes as there are cores, spawned, since SaxonC must not be forked. Our own checks, which it does not
have, are left out. Both are whole commands, timed from start to exit on the wall's clock, after one run that warms the
disk and our rule cache.

`python tests/benchmarks/bench_folder.py [--documents N]` prints a Markdown table.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from random import Random
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
        syntax = ("UBL", "CII", "Factur-X")[number % 3]
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


def measure(command: list[str], *, runs: int) -> tuple[float, str]:
    """Shortest time of the whole command in seconds, and the last line it printed."""
    times, said = [], ""
    for _ in range(runs):
        start = perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        times.append(perf_counter() - start)
        said = done.stdout
    return min(times), said


def main() -> None:
    """Generate, run both, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--peer", type=Path)
    options = parser.parse_args()
    if options.peer:
        run_peer(options.peer)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file_name, data in documents(options.documents):
            (folder / file_name).write_bytes(data)
        gateway = str(Path(sys.executable).with_name("gateway"))
        ours = [gateway, "validate", name, "--format", "jsonl", "--rules", ",".join(("xsd", *LAYERS))]
        measure(ours, runs=1)
        our_seconds, our_reports = measure(ours, runs=2)
        their_seconds, their_count = measure([sys.executable, __file__, "--peer", name], runs=1)
    our_count = our_reports.count('"verdict":"invalid"')
    assert our_count == int(their_count), (our_count, their_count)
    print(f"Measured on: {machine()}; {options.documents} documents, {our_count} invalid for both\n")
    rows = [
        ["gateway validate", f"{our_seconds:.1f}", f"{options.documents / our_seconds:,.0f}"],
        ["saxonche", f"{their_seconds:.1f}", f"{options.documents / their_seconds:,.0f}"],
        ["ratio", f"{their_seconds / our_seconds:.1f}", ""],
    ]
    print(table(["command", "seconds", "documents a second"], rows))


if __name__ == "__main__":
    main()
